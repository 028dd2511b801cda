import { describe, expect, it } from '@jest/globals';
import { faultPoint, faultPoints, onFaultPoint } from '../../subgraphs/kernel/fault.js';
import { isOurs, type Source, sourcesIn } from '../support/sources.js';

const FAULTS = 'subgraphs/kernel/fault.ts';

const sources = sourcesIn('subgraphs', 'gateway', 'connectors', 'local', 'schema');
const byPath = new Map(
  sourcesIn('subgraphs', 'gateway', 'connectors', 'local', 'schema', 'test').map((each) => [each.path, each]),
);

/** A file with all of ours that it imports, and what those import. */
function reach(entry: Source): Source[] {
  const found = new Map<string, Source>();
  const queue = [entry];
  for (let source = queue.pop(); source; source = queue.pop()) {
    if (found.has(source.path)) continue;
    found.set(source.path, source);
    queue.push(...source.imports.filter(isOurs).flatMap((imported) => byPath.get(imported) ?? []));
  }
  return [...found.values()];
}

describe('Fault points', () => {
  it('have each a name of its own, dotted, of small letters', () => {
    expect(new Set(faultPoints).size).toBe(faultPoints.length);
    expect(faultPoints.filter((name) => !/^[a-z]+(\.[a-z]+(-[a-z]+)*)+$/.test(name))).toEqual([]);
  });

  it('are each at exactly one place in the source, by their name in full', () => {
    const placed = sources.flatMap(({ path, code }) =>
      path === FAULTS ? [] : [...code.matchAll(/\bfaultPoint\(([^)]*)\)/g)].map(([, name = '']) => name),
    );
    expect(placed.toSorted()).toEqual(faultPoints.map((name) => `'${name}'`).toSorted());
  });

  it('do nothing where nobody listens', () => {
    for (const point of faultPoints) expect(faultPoint(point)).toBeUndefined();
  });

  it('can be listened to by nothing that a service or a development machine is made of', () => {
    const entries = sources.filter(({ path }) => /(^|\/)(main|migrate|development\.main)\.ts$/.test(path));
    expect(entries.length).toBeGreaterThanOrEqual(8);
    const reached = entries.flatMap(reach);
    expect(reached.map(({ path }) => path)).toContain(FAULTS);
    const listening = reached.filter(({ path, code }) => path !== FAULTS && code.includes(onFaultPoint.name));
    expect(listening.map(({ path }) => path)).toEqual([]);
    // Nor by anything that is only imported when it is needed, or never.
    expect(sources.filter(({ path, code }) => path !== FAULTS && code.includes(onFaultPoint.name))).toEqual([]);
    expect(reached.filter(({ path }) => path.startsWith('test/'))).toEqual([]);
  });

  it('are set off by nothing from outside: not by the environment, nor by the network', () => {
    const [faults] = sourcesIn('subgraphs/kernel').filter(({ path }) => path === FAULTS);
    expect(faults?.imports).toEqual([]);
    expect(faults?.code).not.toMatch(/\bprocess\b|\bglobalThis\b|\brequire\b|\bimport\b/);
  });
});

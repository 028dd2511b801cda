import { writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TrustedDocuments } from '../../gateway/admission.documents.js';
import { createLogger } from '../../subgraphs/kernel/telemetry.js';

const logger = createLogger('documents', 'silent');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sojourn-manifest-'));
});
afterAll(() => rm(folder, { recursive: true }));

const operation = (id: string, body: string, name = 'Q', type = 'query') => ({ id, name, type, body });
const manifest = (...operations: object[]) => ({ format: 'apollo-persisted-query-manifest', version: 1, operations });

const written = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const open = (path: string) => new TrustedDocuments({ path, logger, lookEveryMs: 20 });

async function until(holds: () => boolean): Promise<void> {
  for (let n = 0; !holds() && n < 500; n += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

describe('A manifest of trusted documents', () => {
  it('gives each operation by its id, and knows their texts', () => {
    const body = 'query Q { __typename }';
    const trusted = open(
      written('plain.json', manifest(operation('one', body), operation('two', 'mutation M { a }', 'M', 'mutation'))),
    );
    expect(trusted.find('one')).toBe(body);
    expect(trusted.find('two')).toBe('mutation M { a }');
    expect(trusted.find('three')).toBeUndefined();
    expect([trusted.has(body), trusted.has(`${body} `)]).toEqual([true, false]);
    trusted.close();
  });

  it.each([
    ['not JSON', '{ "format": '],
    ['of another format', { ...manifest(), format: 'relay' }],
    ['of another version', { ...manifest(), version: 2 }],
    ['without operations', { format: 'apollo-persisted-query-manifest', version: 1 }],
    ['with an operation that is no GraphQL', manifest(operation('x', 'query Q {'))],
    ['with an operation of another name', manifest(operation('x', 'query Other { a }'))],
    ['with an operation of another type', manifest(operation('x', 'mutation Q { a }'))],
    ['with one id for two operations', manifest(operation('x', 'query Q { a }'), operation('x', 'query Q { b }'))],
    ['with an operation without an id', manifest(operation('', 'query Q { a }'))],
  ])('is refused when it is %s', (_what, content) => {
    expect(() => open(written('broken.json', content))).toThrow();
  });

  it('is refused when it is not there', () => {
    expect(() => open(join(folder, 'nowhere.json'))).toThrow(/ENOENT/);
  });

  it('is read again when it changes, in place or by another file in its place; one that does not hold is not', async () => {
    const path = written('live.json', manifest(operation('a', 'query Q { a }')));
    const trusted = open(path);
    written('live.json', manifest(operation('b', 'query Q { b }')));
    await until(() => trusted.find('b') !== undefined);
    expect(trusted.find('a')).toBeUndefined();
    written('live.json', manifest(operation('c', 'query Q { c')));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([trusted.find('b'), trusted.find('c')]).toEqual(['query Q { b }', undefined]);
    await rename(written('next.json', manifest(operation('d', 'query Q { d }'))), path);
    await until(() => trusted.find('d') !== undefined);
    trusted.close();
  });
});

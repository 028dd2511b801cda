import { describe, expect, it } from '@jest/globals';
import { isOurs, type Source, sourcesIn } from '../support/sources.js';

const SUBGRAPHS = ['users', 'merchants', 'payments', 'fx'];

/** `file → import` for each import of ours that `allowed` refuses. */
function strangers(sources: readonly Source[], allowed: (imported: string, source: Source) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((imported) => isOurs(imported) && !allowed(imported, source))
      .map((imported) => `${source.path} → ${imported}`),
  );
}

describe('Imports', () => {
  it('sees the imports of a file, or none of these rules means anything', () => {
    const all = sourcesIn('subgraphs', 'gateway', 'connectors', 'local');
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter(({ imports }) => imports.some(isOurs)).length).toBeGreaterThan(20);
  });

  it('lets the kernel import no subgraph, only itself (rule 1)', () => {
    expect(strangers(sourcesIn('subgraphs/kernel'), (imported) => imported.startsWith('subgraphs/kernel/'))).toEqual(
      [],
    );
  });

  it.each(SUBGRAPHS)('lets %s import the kernel, connectors and itself, nothing else (rule 1)', (name) => {
    const mayImport = [`subgraphs/${name}/`, 'subgraphs/kernel/', 'connectors/'];
    const found = strangers(sourcesIn(`subgraphs/${name}`), (imported) =>
      mayImport.some((start) => imported.startsWith(start)),
    );
    expect(found).toEqual([]);
  });

  it('lets the gateway import of the subgraphs only what carries principals, events, telemetry and settings (rule 2)', () => {
    // `subgraph.ts`, `deadline.ts` and `error.ts` are the words in which a subgraph is asked and answers: no domain in them.
    const mayImport =
      /^(gateway\/|subgraphs\/kernel\/(principal(\.token)?|telemetry|configuration|clock|deadline|error|server\.close|event\/.+|graphql\/(subgraph|error\.format))\.ts$)/;
    expect(strangers(sourcesIn('gateway'), (imported) => mayImport.test(imported))).toEqual([]);
  });

  it("leaves Apollo's gateway, which reports to its maker, to the benchmarks", () => {
    const found = sourcesIn('gateway', 'subgraphs', 'connectors', 'local', 'schema');
    expect(found.filter(({ imports }) => imports.includes('@apollo/gateway')).map(({ path }) => path)).toEqual([]);
  });

  it('lets the gateway know no word of the domain (rule 2)', () => {
    const words = /\b(wallets?|checkouts?|refunds?|paypal|wechat|quotes?Id|merchantId|paymentId|travelerId)\b/i;
    const found = sourcesIn('gateway').filter(({ code }) => words.test(code));
    expect(found.map(({ path, code }) => `${path}: ${words.exec(code)?.[0]}`)).toEqual([]);
  });

  it('lets connectors import of the kernel only money, error and clock (rule 3)', () => {
    const pure = /^(connectors\/|subgraphs\/kernel\/(money\/.+|error|clock)\.ts$)/;
    expect(strangers(sourcesIn('connectors'), (imported) => pure.test(imported))).toEqual([]);
  });

  it('lets connectors import no other connector but the codec that several networks share (rule 3)', () => {
    const found = strangers(sourcesIn('connectors'), (imported, { path }) => {
      const [, own] = path.split('/');
      // What simulators share is for simulators: no client of the real thing depends on it.
      const shared = path.includes('/simulator/') ? /^connectors\/(emvco|simulator)\// : /^connectors\/emvco\//;
      return !imported.startsWith('connectors/') || imported.startsWith(`connectors/${own}/`) || shared.test(imported);
    });
    expect(found).toEqual([]);
  });

  it('gives simulators only what starts fast: no framework, no database (rule 3)', () => {
    const light = /^(node:|zod$|connectors\/|subgraphs\/kernel\/)/;
    const simulators = sourcesIn('connectors').filter(({ path }) => path.includes('/simulator/'));
    const heavy = simulators.flatMap(({ path, imports }) =>
      imports.filter((name) => !light.test(name)).map((name) => `${path} → ${name}`),
    );
    expect(heavy).toEqual([]);
  });

  it.each(SUBGRAPHS)('lets %s name no database but its own and the bus (rule 4)', (name) => {
    const others = SUBGRAPHS.filter((other) => other !== name);
    const found = sourcesIn(`subgraphs/${name}`).filter(({ code }) =>
      others.some(
        (other) => code.includes(`DATABASE_URL_${other.toUpperCase()}`) || code.includes(`databaseUrl('${other}'`),
      ),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it('lets nothing import local/ or test/, which import everything (rule 6)', () => {
    const found = strangers(
      sourcesIn('gateway', 'subgraphs', 'connectors', 'schema'),
      (imported) => !/^(local|test)\//.test(imported),
    );
    expect(found).toEqual([]);
    expect(strangers(sourcesIn('local'), (imported) => !imported.startsWith('test/'))).toEqual([]);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SupergraphFile } from '../../gateway/supergraph.file.js';
import { type Library, openLibrary } from '../support/library.gateway.js';
import { LibraryPart, librarySupergraph } from '../support/library.js';
import { ask, smallGraph } from '../support/small-graph.js';
import { overSse } from '../support/subscribers.js';

const BOOKS = '{ books { title author { name } } }';
const WIZARD = {
  books: [
    { title: 'A Wizard of Earthsea', author: { name: 'Ursula K. Le Guin' } },
    { title: 'The Dispossessed', author: { name: 'Ursula K. Le Guin' } },
  ],
};

describe('A new supergraph', () => {
  let stack: AsyncDisposableStack;
  let library: Library;
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    library = await openLibrary(stack, { bus: null });
  });
  afterEach(() => stack.disposeAsync());

  it('is what clients ask from then on, over kept connections to the subgraphs that stay', async () => {
    expect((await ask(library, BOOKS)).data).toEqual(WIZARD);
    const before = library.books.connections;
    expect(await library.gateway.reload(library.supergraph({ titleIsCalled: 'name' }))).toBe('ok');
    expect((await ask(library, BOOKS)).errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await ask(library, '{ books { id } }')).data).toEqual({ books: [{ id: 'b1' }, { id: 'b2' }] });
    expect(library.books.connections).toBe(before);
  });

  it('moves a subgraph whose place changed, and leaves the old place', async () => {
    const moved = new AsyncDisposableStack();
    const elsewhere = await openLibrary(moved, { bus: null });
    const urls = { authors: elsewhere.authors.url };
    expect(await library.gateway.reload(library.supergraph({}, urls))).toBe('ok');
    expect((await ask(library, BOOKS)).data).toEqual(WIZARD);
    expect(library.authors.received).toHaveLength(0);
    expect(elsewhere.authors.received.length).toBeGreaterThan(0);
    await moved.disposeAsync();
  });

  it.each([
    ['is no GraphQL', () => 'type Query {'],
    ['is no supergraph', () => 'type Query { books: [String] }'],
    ['misses a part', (text: string) => text.replace(/^enum join__Graph[^}]*}/m, '')],
    [
      'asks for a protection that nobody here gives',
      (text: string) =>
        text.replace(/^schema /, 'schema @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY) '),
    ],
  ])('is refused when it %s, and the present one stays', async (_what, spoil) => {
    const spoilt = spoil(library.supergraph());
    expect(spoilt).not.toBe(library.supergraph());
    expect(await library.gateway.reload(spoilt)).toBe('refused');
    expect((await ask(library, BOOKS)).data).toEqual(WIZARD);
    expect(await library.metric('gateway_supergraph_reloads_total')).toEqual({
      'outcome="ok"': 0,
      'outcome="refused"': 1,
      'outcome="unreachable"': 0,
    });
  });

  it('is counted, and the one that answers has its name in the metrics', async () => {
    const before = await library.metric('gateway_supergraph');
    expect(Object.values(before)).toEqual([1]);
    expect(await library.gateway.reload(library.supergraph())).toBe('unchanged');
    expect(await library.metric('gateway_supergraph')).toEqual(before);
    expect(await library.gateway.reload(library.supergraph({ titleIsCalled: 'name' }))).toBe('ok');
    const after = await library.metric('gateway_supergraph');
    expect(Object.values(after)).toEqual([1]);
    expect(after).not.toEqual(before);
    expect(await library.metric('gateway_supergraph_reloads_total')).toMatchObject({ 'outcome="ok"': 1 });
  });

  it('lets an operation under way end as it began, and closes what it used only then', async () => {
    const release = Promise.withResolvers<void>();
    library.books.held = release.promise;
    const asking = ask(library, BOOKS);
    while (library.books.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // Neither part is where it was, so nothing but the operation keeps the old places open.
    const gone = { books: 'http://127.0.0.1:1/graphql', authors: 'http://127.0.0.1:1/graphql' };
    expect(await library.gateway.reload(library.supergraph({ titleIsCalled: 'name' }, gone))).toBe('ok');
    release.resolve();
    expect(await asking).toMatchObject({ status: 200, data: WIZARD });
    expect((await ask(library, '{ books { id } }')).errors?.[0]?.extensions['code']).toBe('SUBGRAPH_UNAVAILABLE');
  });

  it('answers without a pause: of many requests during many reloads none fails', async () => {
    const texts = [library.supergraph({ titleIsCalled: 'title' }), library.supergraph({ events: true })];
    let reloading = true;
    const answers: unknown[] = [];
    const clients = Array.from({ length: 4 }, async () => {
      while (reloading) answers.push((await ask(library, BOOKS)).data);
    });
    for (let round = 0; round < 6; round += 1) {
      const before = answers.length;
      while (answers.length < before + 4) await new Promise((resolve) => setTimeout(resolve, 1));
      expect(await library.gateway.reload(texts[(round + 1) % 2] ?? '')).toBe('ok');
    }
    reloading = false;
    await Promise.all(clients);
    for (const answer of answers) expect(answer).toEqual(WIZARD);
  });
});

it('is taken over from its file as it comes, and a broken one only once it is mended', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'supergraph-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, 'supergraph.graphql');
  const [books, authors] = await Promise.all([LibraryPart.start('books'), LibraryPart.start('authors')]);
  stack.defer(() => books.close());
  stack.defer(() => authors.close());
  const urls = { books: books.url, authors: authors.url };
  await writeFile(path, librarySupergraph(urls));
  const file = new SupergraphFile(path, { settledMs: 50, pollMs: 200 });
  const library = await openLibrary(stack, { bus: null, supergraph: file });
  const reloads = async () => Object.values(await library.metric('gateway_supergraph_reloads_total'));
  const until = async (figures: readonly number[]) => {
    while (JSON.stringify(await reloads()) !== JSON.stringify(figures)) await delay(20);
  };
  expect((await ask(library, BOOKS)).data).toEqual(WIZARD);
  await writeFile(path, 'type Query {');
  await until([0, 1, 0]);
  expect((await ask(library, BOOKS)).data).toEqual(WIZARD);
  await rm(path);
  await until([0, 1, 1]);
  await writeFile(path, librarySupergraph(urls, { titleIsCalled: 'name' }));
  await until([1, 1, 1]);
  expect((await ask(library, BOOKS)).errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
});

it('takes open streams along; one that it has no words for any more ends and says so', async () => {
  const graph = await smallGraph({ inProcess: true });
  try {
    const token = await graph.token('TRAVELER', 'trv_us_one');
    const subscribe = (fields: string) =>
      overSse({ url: graph.url, token, query: `subscription { paymentEvents(paymentId: "pay_1") { ${fields} } }` });
    const whole = subscribe('sequence payment { id status }');
    const plain = subscribe('sequence payment { id }');
    await graph.happen('pay_1', 1);
    await Promise.all([whole.receive(1), plain.receive(1)]);
    // A payment has no status any more.
    const changed = graph.supergraph.replace(/^ {2}status: String!\n/gm, '');
    expect(changed).not.toBe(graph.supergraph);
    expect(await graph.gateway.reload(changed)).toBe('ok');
    await whole.ended;
    expect(whole.received.at(-1)?.errors?.[0]?.extensions?.['code']).toBe('SUBSCRIPTION_NOT_SUPPORTED');
    const late = subscribe('sequence payment { id status }');
    await late.ended;
    expect(late.received[0]?.errors?.[0]?.extensions?.['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    await graph.happen('pay_1', 2);
    await plain.receive(2);
    expect(plain.received.map(({ data }) => data?.['paymentEvents'])).toEqual([
      { sequence: 1, payment: { id: 'pay_1' } },
      { sequence: 2, payment: { id: 'pay_1' } },
    ]);
    plain.leave();
  } finally {
    await graph.close();
  }
});

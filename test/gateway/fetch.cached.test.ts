import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { cacheable } from '../support/cache-control.js';
import { samplesOf } from '../support/library.gateway.js';
import { ask, smallGraph } from '../support/small-graph.js';
import { overSse } from '../support/subscribers.js';
import { refusal } from './conformance/conforming.js';
import {
  type AskedContext,
  compose,
  type Federation,
  type FederationOptions,
  federate,
  type Way,
} from './conformance/federation.js';

const names = new Map<string, string>();
const broken = new Set<string>();
const stub = (id: string) => ({ id });
const nameOf = ({ id }: { id: string }) => {
  if (broken.has(id)) throw refusal(`BROKEN_${id.toUpperCase()}`);
  return names.get(id) ?? `Shop ${id}`;
};

const LISTS = {
  sdl: `
    type Query { shops(ids: [ID!]!): [Shop!]! }
    type Mutation { rename(id: ID!, name: String!): Shop nothing: Int }
    type Shop @key(fields: "id", resolvable: false) { id: ID! }`,
  resolvers: {
    Query: { shops: (_: unknown, { ids }: { ids: string[] }) => ids.map(stub) },
    Mutation: {
      rename: (_: unknown, { id, name }: { id: string; name: string }) => {
        names.set(id, name);
        return stub(id);
      },
      nothing: () => 1,
    },
  },
};

const FACTS = `
  type Shop @key(fields: "id") @cacheControl(maxAge: 60) {
    id: ID! name: String greeting(in: String! = "en"): String
    place: Place @cacheControl(inheritMaxAge: true) @shareable
    soon: Int @cacheControl(maxAge: 5)
    stock: Int @cacheControl(maxAge: 0)
    mine: String @cacheControl(scope: PRIVATE)
  }
  type Place { city: String streets: [String!] }`;

const facts = (sdl = cacheable(FACTS)) => ({
  sdl,
  resolvers: {
    Shop: {
      __resolveReference: ({ id }: { id: string }) => (id.startsWith('none') ? null : stub(id)),
      name: nameOf,
      greeting: ({ id }: { id: string }, { in: language }: { in: string }) => `${id} in ${language}`,
      place: ({ id }: { id: string }) => ({ city: `City of ${id}`, streets: [id] }),
      soon: () => 5,
      stock: () => 7,
      mine: ({ id }: { id: string }, _given: unknown, { asker }: AskedContext) => `${id} of ${asker}`,
    },
  },
});

/** Another part of a shop, also of its place. */
const MAPS = {
  sdl: `
    type Shop @key(fields: "id") { id: ID! place: Place @shareable }
    type Place { zip: String }`,
  resolvers: {
    Shop: {
      __resolveReference: (reference: object) => reference,
      place: ({ id }: { id: string }) => ({ zip: `Z${id}` }),
    },
  },
};

const composed = compose({ lists: LISTS, facts: facts(), maps: MAPS });

let stack: AsyncDisposableStack;
let now: number;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  now = 1_000_000;
  names.clear();
  broken.clear();
});
afterEach(() => stack.disposeAsync());

interface Shops extends Federation {
  readonly registry: Registry;
  /** The ids that the facts were asked about since this was last called. */
  asked(): string[];
}

async function open(
  options: FederationOptions & { readonly of?: typeof composed; readonly way?: Way } = {},
): Promise<Shops> {
  const { of = composed, way = 'in process', ...others } = options;
  const registry = new Registry();
  const graph = await federate(of, way, { metrics: registry, ticks: () => now, ...others });
  stack.defer(() => graph.close());
  const asked = () =>
    graph.fetches
      .splice(0)
      .filter(({ subgraph, variables }) => subgraph === 'facts' && variables['representations'])
      .flatMap(({ variables }) => (variables['representations'] as { id: string }[]).map(({ id }) => id));
  return { ...graph, registry, asked };
}

const NAMES = 'query ($ids: [ID!]!) { shops(ids: $ids) { id name } }';
const shopsOf = (...ids: string[]) => ids.map((id) => ({ id, name: names.get(id) ?? `Shop ${id}` }));

describe('An entity that is the same for everyone', () => {
  it('is asked for once, until its time is over to the millisecond', async () => {
    const graph = await open();
    expect(await graph.run(NAMES, { ids: ['a'] })).toEqual({ data: { shops: shopsOf('a') } });
    expect(graph.asked()).toEqual(['a']);
    now += 59_999;
    expect(await graph.run(NAMES, { ids: ['a'] })).toEqual({ data: { shops: shopsOf('a') } });
    expect(graph.asked()).toEqual([]);
    now += 1;
    names.set('a', 'Renamed');
    expect(await graph.run(NAMES, { ids: ['a'] })).toEqual({ data: { shops: [{ id: 'a', name: 'Renamed' }] } });
    expect(graph.asked()).toEqual(['a']);
  });

  it('is kept as long as the least of what is asked of it', async () => {
    const graph = await open();
    const query = '{ shops(ids: ["a"]) { name soon } }';
    await graph.run(query);
    now += 4_999;
    await graph.run(query);
    expect(graph.asked()).toEqual(['a']);
    now += 1;
    await graph.run(query);
    expect(graph.asked()).toEqual(['a']);
  });

  it('is the same whoever asks, in whatever words', async () => {
    const graph = await open();
    await graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_one');
    graph.asked();
    const other = 'query Other { s: shops(ids: ["a"]) { i: id, n: name } }';
    expect(await graph.run(other, {}, undefined, 'ptr_two')).toEqual({ data: { s: [{ i: 'a', n: 'Shop a' }] } });
    expect(graph.asked()).toEqual([]);
  });

  it('is another one with other arguments, variables or fields', async () => {
    const graph = await open();
    const greeting = 'query ($in: String!) { shops(ids: ["a"]) { greeting(in: $in) } }';
    for (const language of ['en', 'zh', 'en', 'zh'])
      expect(await graph.run(greeting, { in: language })).toEqual({
        data: { shops: [{ greeting: `a in ${language}` }] },
      });
    await graph.run('{ shops(ids: ["a"]) { greeting } }');
    await graph.run('{ shops(ids: ["a"]) { name } }');
    await graph.run('{ shops(ids: ["a"]) { name greeting } }');
    expect(graph.asked()).toHaveLength(5);
  });

  it('is asked for beside those that are known, and each comes to its own place', async () => {
    const graph = await open();
    await graph.run(NAMES, { ids: ['b', 'd'] });
    graph.asked();
    const ids = ['a', 'b', 'c', 'd', 'b', 'e', 'a'];
    expect(await graph.run(NAMES, { ids })).toEqual({ data: { shops: shopsOf(...ids) } });
    expect(graph.asked()).toEqual(['a', 'c', 'e']);
  });

  it('is still asked for once by those who miss it at the same time', async () => {
    const graph = await open();
    const answers = await Promise.all(Array.from({ length: 8 }, () => graph.run(NAMES, { ids: ['a', 'b'] })));
    for (const answer of answers) expect(answer).toEqual({ data: { shops: shopsOf('a', 'b') } });
    expect(graph.asked()).toEqual(['a', 'b']);
  });

  it('is each request’s own: what another subgraph adds to it for one does not show in the next', async () => {
    const graph = await open();
    const both = '{ shops(ids: ["a"]) { place { city streets zip } } }';
    const whole = { data: { shops: [{ place: { city: 'City of a', streets: ['a'], zip: 'Za' } }] } };
    for (let round = 0; round < 3; round += 1) expect(await graph.run(both)).toEqual(whole);
    expect(graph.asked()).toEqual(['a']);
    expect(await graph.run('{ shops(ids: ["a"]) { place { city streets } } }')).toEqual({
      data: { shops: [{ place: { city: 'City of a', streets: ['a'] } }] },
    });
  });
});

describe('Nothing is kept', () => {
  it.each([
    ['that is PRIVATE', '{ shops(ids: ["a"]) { name mine } }'],
    ['that may not be old', '{ shops(ids: ["a"]) { name stock } }'],
  ])('%s, nor what is asked together with it', async (_what, query) => {
    const graph = await open();
    const answers = [];
    for (const asker of ['ptr_one', 'ptr_two']) answers.push(await graph.run(query, {}, undefined, asker));
    expect(graph.asked()).toEqual(['a', 'a']);
    if (query.includes('mine'))
      expect(answers.map(({ data }) => data?.['shops'])).toEqual([
        [{ name: 'Shop a', mine: 'a of ptr_one' }],
        [{ name: 'Shop a', mine: 'a of ptr_two' }],
      ]);
  });

  it('of an entity that has an error, but of the others beside it; the error stands in its place each time', async () => {
    const graph = await open();
    broken.add('b').add('d');
    const ids = ['a', 'b', 'c', 'd'];
    const failing = (...places: number[]) => places.map((place) => ['shops', place, 'name']);
    const first = await graph.run(NAMES, { ids });
    expect(first.errors?.map(({ path }) => path)).toEqual(failing(1, 3));
    expect(graph.asked()).toEqual(ids);
    broken.delete('b');
    const second = await graph.run(NAMES, { ids });
    expect(graph.asked()).toEqual(['b', 'd']);
    expect(second.errors?.map(({ path }) => path)).toEqual(failing(3));
    expect(second.data?.['shops']).toEqual([...shopsOf('a', 'b', 'c'), { id: 'd', name: null }]);
    await graph.run(NAMES, { ids });
    expect(graph.asked()).toEqual(['d']);
  });

  it.each([
    ['without a place', undefined],
    ['at all of them', ['_entities']],
    ['at one that nobody asked for', ['_entities', 5, 'name']],
  ])('of an answer with an error %s', async (_where, path) => {
    let isSpoilt = true;
    const graph = await open({
      spoil: (subgraph, answer) =>
        subgraph === 'facts' && isSpoilt
          ? { ...answer, errors: [{ message: 'spoilt', ...(path && { path }) }] }
          : answer,
    });
    const ids = ['a', 'b'];
    expect((await graph.run(NAMES, { ids })).errors).toHaveLength(1);
    isSpoilt = false;
    await graph.run(NAMES, { ids });
    expect(graph.asked()).toEqual(['a', 'b', 'a', 'b']);
    // Of six, the two that are missing are asked for: the fifth is none of them, though there is one in this answer.
    isSpoilt = true;
    const six = ['a', 'b', 'a2', 'b2', 'b', 'a'];
    const { errors } = await graph.run(NAMES, { ids: six });
    expect(errors?.map(({ path: place }) => place)).toEqual([['shops']]);
  });

  it('of an entity that is not there', async () => {
    const graph = await open();
    for (let round = 0; round < 2; round += 1)
      expect((await graph.run(NAMES, { ids: ['none', 'a'] })).data).toEqual({
        shops: [{ id: 'none', name: null }, ...shopsOf('a')],
      });
    expect(graph.asked()).toEqual(['none', 'a', 'none']);
  });

  it('where it is switched off', async () => {
    const graph = await open({ entityCacheBytes: 0 });
    await graph.run(NAMES, { ids: ['a'] });
    await graph.run(NAMES, { ids: ['a'] });
    expect(graph.asked()).toEqual(['a', 'a']);
  });

  it('of a graph that does not say that it may be', async () => {
    const silent = compose({ lists: LISTS, facts: facts(FACTS.replace(/@cacheControl\([^)]*\)/g, '')), maps: MAPS });
    const graph = await open({ of: silent });
    await graph.run(NAMES, { ids: ['a'] });
    await graph.run(NAMES, { ids: ['a'] });
    expect(graph.asked()).toEqual(['a', 'a']);
    expect(await samplesOf(graph.registry, 'gateway_entity_cache_looks_total')).toEqual({});
  });

  it('by another supergraph than the one that asked', async () => {
    const graph = await open();
    await graph.run(NAMES, { ids: ['a'] });
    expect(await graph.gateway.reload(composed.supergraph)).toBe('unchanged');
    await graph.run(NAMES, { ids: ['a'] });
    expect(graph.asked()).toEqual(['a']);
    const shorter = composed.supergraph.replaceAll('maxAge: 60', 'maxAge: 10');
    expect(await graph.gateway.reload(shorter)).toBe('ok');
    expect(await samplesOf(graph.registry, 'gateway_entity_cache_entries')).toEqual({ '': 0 });
    await graph.run(NAMES, { ids: ['a'] });
    now += 10_000;
    await graph.run(NAMES, { ids: ['a'] });
    expect(graph.asked()).toEqual(['a', 'a']);
  });
});

describe('Whoever changed something', () => {
  const RENAME = 'mutation ($name: String!) { rename(id: "a", name: $name) { name } }';

  it('is told in the same answer how it is now, though it is kept', async () => {
    const graph = await open();
    await graph.run(NAMES, { ids: ['a'] });
    expect(await graph.run(RENAME, { name: 'New' }, undefined, 'ptr_one')).toEqual({
      data: { rename: { name: 'New' } },
    });
    expect(graph.asked()).toEqual(['a', 'a']);
  });

  it('sees it from then on, also by another token; for the others it may be as old as it may be', async () => {
    const graph = await open();
    await graph.run(NAMES, { ids: ['a'] });
    await graph.run(RENAME, { name: 'New' }, undefined, 'ptr_one');
    graph.asked();
    expect((await graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_two')).data).toEqual({
      shops: [{ id: 'a', name: 'Shop a' }],
    });
    expect(graph.asked()).toEqual([]);
    const changed = { data: { shops: [{ id: 'a', name: 'New' }] } };
    expect(await graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_one')).toEqual(changed);
    expect(graph.asked()).toEqual(['a']);
    // Asked for after the change, it is kept for all.
    expect(await graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_one')).toEqual(changed);
    expect(await graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_two')).toEqual(changed);
    expect(graph.asked()).toEqual([]);
  });

  it('sees it also where it was asked for before and answered after', async () => {
    const held = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    let isHeld = true;
    const holding = facts();
    const graph = await open({
      of: compose({
        lists: LISTS,
        maps: MAPS,
        facts: {
          ...holding,
          resolvers: {
            Shop: {
              ...holding.resolvers.Shop,
              name: async (shop: { id: string }) => {
                const name = nameOf(shop);
                if (isHeld) {
                  isHeld = false;
                  entered.resolve();
                  await held.promise;
                }
                return name;
              },
            },
          },
        },
      }),
    });
    const slow = graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_two');
    await entered.promise;
    await graph.run('mutation { rename(id: "a", name: "New") { id } }', {}, undefined, 'ptr_one');
    held.resolve();
    expect((await slow).data).toEqual({ shops: [{ id: 'a', name: 'Shop a' }] });
    expect((await graph.run(NAMES, { ids: ['a'] }, undefined, 'ptr_one')).data).toEqual({
      shops: [{ id: 'a', name: 'New' }],
    });
  });

  it('shares it with all strangers, who cannot be told apart', async () => {
    const graph = await open();
    await graph.run(NAMES, { ids: ['a'] });
    await graph.run(RENAME, { name: 'New' });
    expect((await graph.run(NAMES, { ids: ['a'] })).data).toEqual({ shops: [{ id: 'a', name: 'New' }] });
  });
});

describe('What is kept', () => {
  it('is answered while its subgraph is out, with one error for all the rest', async () => {
    const graph = await open({ way: 'over HTTP', fetch: { retries: 0 } });
    await graph.run(NAMES, { ids: ['a', 'c'] });
    await graph.stop('facts');
    expect(await graph.run(NAMES, { ids: ['a', 'c'] })).toEqual({ data: { shops: shopsOf('a', 'c') } });
    const { data, errors } = await graph.run(NAMES, { ids: ['a', 'b', 'c', 'd'] });
    expect(data).toEqual({
      shops: [...shopsOf('a'), { id: 'b', name: null }, ...shopsOf('c'), { id: 'd', name: null }],
    });
    expect(errors?.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([
      [['shops'], 'SUBGRAPH_UNAVAILABLE'],
    ]);
    await graph.start('facts');
  });

  it('is counted: found, missed, let go, and how much it takes', async () => {
    const graph = await open({ entityCacheBytes: 20_000 });
    const metric = (name: string) => samplesOf(graph.registry, `gateway_entity_cache_${name}`);
    await graph.run(NAMES, { ids: ['a', 'b'] });
    await graph.run(NAMES, { ids: ['a', 'b', 'c'] });
    expect(await metric('looks_total')).toEqual({
      'subgraph="facts",outcome="hit"': 2,
      'subgraph="facts",outcome="miss"': 3,
    });
    expect([await metric('entries'), await metric('evictions_total')]).toEqual([{ '': 3 }, { '': 0 }]);
    const ids = Array.from({ length: 500 }, (_, index) => `s${index}`);
    await graph.run(NAMES, { ids });
    const { '': entries = 0 } = await metric('entries');
    expect(await metric('evictions_total')).toEqual({ '': 503 - entries });
    const { '': bytes = 0 } = await metric('bytes');
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(bytes).toBeGreaterThan(15_000);
  });
});

it('An event is told with its entities as they are now, whatever is kept', async () => {
  const graph = await smallGraph({ inProcess: true });
  stack.defer(() => graph.close());
  const cached = graph.supergraph
    .replace(/^schema /, 'schema @link(url: "https://sojourn.example/cacheControl/v1.0", import: ["@cacheControl"]) ')
    .replace(/^type Payment /m, 'type Payment @cacheControl(maxAge: 600) ')
    .concat('directive @cacheControl(maxAge: Int) on OBJECT')
    .replace(/^type PaymentEventDelivery /m, 'type PaymentEventDelivery @cacheControl(maxAge: 600) ');
  expect(await graph.gateway.reload(cached)).toBe('ok');
  const token = await graph.token('TRAVELER', 'trv_us_one');
  await graph.happen('pay_1', 1);
  const query = 'subscription { paymentEvents(paymentId: "pay_1") { sequence status payment { status } } }';
  const stream = overSse({ url: graph.url, token, query });
  await stream.receive(1);
  await graph.happen('pay_1', 2, 'PAID');
  const again = overSse({ url: graph.url, token, query });
  await Promise.all([stream.receive(2), again.receive(2)]);
  const told = (status: string, sequence: number) => ({ sequence, status, payment: { status } });
  expect(stream.received.map(({ data }) => data?.['paymentEvents'])).toEqual([told('PROCESSING', 1), told('PAID', 2)]);
  expect(again.received.map(({ data }) => data?.['paymentEvents'])).toEqual([told('PAID', 1), told('PAID', 2)]);
  expect(await samplesOf(graph.registry, 'gateway_entity_cache_looks_total')).toEqual({});
  expect((await ask(graph, '{ whoami }')).data).toEqual({ whoami: 'ANONYMOUS' });
  stream.leave();
  again.leave();
});

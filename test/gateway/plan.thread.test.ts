import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { request } from 'undici';
import { PlanningHere } from '../../gateway/plan.here.js';
import { PlanningThread } from '../../gateway/plan.thread.js';
import { loadSupergraph } from '../../gateway/supergraph.js';
import { silent } from '../support/logger.js';
import { mazeModules, mazeSupergraph, quick, SLOW } from '../support/maze.js';
import { compose, type Federation, federate } from './conformance/federation.js';

const ENOUGH = { mostMs: 60_000, mostMebibytes: 1_024 };

/** Threads that began, as Node.js tells of them. */
const threads: Worker[] = [];
const began = (message: unknown) => void threads.push((message as { worker: Worker }).worker);
beforeEach(() => {
  threads.length = 0;
  subscribe('worker_threads', began);
});
afterEach(() => {
  unsubscribe('worker_threads', began);
});

describe('A thread that plans', () => {
  let planning: PlanningThread | null = null;
  const open = (policy: Partial<typeof ENOUGH> = {}, sdl = mazeSupergraph) => {
    planning = new PlanningThread(sdl, { ...ENOUGH, ...policy }, silent);
    return planning;
  };
  afterEach(async () => {
    await planning?.close();
    expect(threads.every(({ threadId }) => threadId === -1)).toBe(true);
  });

  const { supergraph } = compose({
    shelves: {
      sdl: `
        type Query { items: [Item!]! any: [Thing!]! item(id: ID!): Item }
        type Mutation { put(id: ID!): Item take(id: ID!): Item }
        type Subscription { moved: Item }
        interface Item { id: ID! weight: Int! }
        type Book implements Item @key(fields: "id") { id: ID! weight: Int! title: String! pages(of: Int = 1): Int }
        type Disc implements Item @key(fields: "id") { id: ID! weight: Int! label: Label! }
        type Label { name: String! since: Int! }
        union Thing = Book | Disc`,
      resolvers: {},
    },
    post: {
      sdl: `
        type Mutation { send(id: ID!): Book }
        type Book @key(fields: "id") { id: ID! weight: Int! @external postage: Int! @requires(fields: "weight") }
        type Disc @key(fields: "id") {
          id: ID! label: Label! @external
          sleeve: String! @requires(fields: "label { name since }")
        }
        type Label { name: String! @external since: Int! @external }`,
      resolvers: {},
    },
  });

  it.each([
    ['one fetch', '{ items { id weight } }'],
    ['a sequence', '{ any { ... on Book { id postage } } }'],
    ['what is required', '{ any { ... on Book { postage } ... on Disc { sleeve } } }'],
    [
      'abstract types',
      '{ items { __typename weight ... on Book { title postage } ... on Disc { label { since } sleeve } } }',
    ],
    [
      'variables and conditions',
      'query Q($of: Int, $if: Boolean!) { items { ... on Book { pages(of: $of) postage @include(if: $if) } } }',
    ],
    [
      'fragments',
      '{ any { ...Both } } fragment Both on Thing { ... on Book { ...B } ... on Disc { sleeve } } fragment B on Book { postage }',
    ],
    [
      'a mutation',
      'mutation M($id: ID!) { put(id: $id) { id ... on Book { postage } } sent: send(id: $id) { title } take(id: $id) { id } }',
    ],
    ['a subscription', 'subscription { moved { id ... on Book { postage } } }'],
    ['introspection', '{ __typename __schema { queryType { name } } }'],
  ])('makes of %s the plan that is made in this thread', async (_what, text) => {
    const here = new PlanningHere(loadSupergraph(supergraph));
    expect(await open({}, supergraph).plan(text)).toEqual(await here.plan(text));
  });

  it('says of what cannot be planned what is said in this thread, and goes on', async () => {
    const here = new PlanningHere(loadSupergraph(supergraph));
    const thread = open({}, supergraph);
    for (const text of [
      '{ nothing }',
      '{ items {',
      'query One { any { __typename } } query Two { any { __typename } }',
    ]) {
      const [fate] = await Promise.allSettled([here.plan(text)]);
      if (fate?.status !== 'rejected') throw new Error(`it can be planned: ${text}`);
      const { message, extensions } = fate.reason as { message: string; extensions?: object };
      await expect(thread.plan(text)).rejects.toMatchObject({ message, ...(extensions && { extensions }) });
    }
    expect(await thread.plan('{ items { id } }')).toMatchObject({ kind: 'QueryPlan' });
    expect(threads).toHaveLength(1);
  });

  it('ends at an operation that takes too long, and another one plans the next', async () => {
    const thread = open({ mostMs: 300 });
    await thread.ready();
    const started = performance.now();
    const details = { what: 'planningMs', most: 300 };
    await expect(thread.plan(SLOW)).rejects.toMatchObject({ code: 'OPERATION_TOO_COMPLEX', transient: false, details });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await thread.plan(quick(0))).toMatchObject({ kind: 'QueryPlan' });
    expect(threads).toHaveLength(2);
  });

  it('ends at an operation that takes too much memory, and another one plans the next', async () => {
    const thread = open({ mostMebibytes: 28 });
    const details = { what: 'planningMebibytes', most: 28 };
    await expect(thread.plan(SLOW)).rejects.toMatchObject({ code: 'OPERATION_TOO_COMPLEX', details });
    expect(await thread.plan(quick(0))).toMatchObject({ kind: 'QueryPlan' });
  });

  it('is replaced when it dies: what it was planning is planned by the next one', async () => {
    const thread = open();
    await thread.ready();
    const planned = thread.plan(quick(0));
    await threads[0]?.terminate();
    expect(await planned).toMatchObject({ kind: 'QueryPlan' });
    await threads[1]?.terminate();
    expect(await thread.plan(quick(1))).toMatchObject({ kind: 'QueryPlan' });
    expect(threads).toHaveLength(3);
  });

  it('dies for one operation at most twice', async () => {
    const thread = open();
    await thread.ready();
    const fate = thread.plan(SLOW).catch((thrown: unknown) => thrown);
    await threads[0]?.terminate();
    while (threads.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => threads[1]?.once('message', resolve));
    await threads[1]?.terminate();
    expect(await fate).toBeInstanceOf(Error);
    expect(await thread.plan(quick(1))).toMatchObject({ kind: 'QueryPlan' });
  });

  it('that cannot even begin says so to each who asks', async () => {
    const thread = open({ mostMebibytes: 8 });
    await expect(thread.ready()).rejects.toThrow();
    await expect(thread.plan(quick(0))).rejects.toThrow();
  });

  it('plans nothing more once it is closed', async () => {
    const thread = open();
    const under = thread.plan(SLOW).catch((thrown: unknown) => thrown);
    await thread.close();
    expect(await under).toBeInstanceOf(Error);
    await expect(thread.plan(quick(0))).rejects.toThrow();
    expect(threads).toHaveLength(1);
  });
});

describe('A gateway that plans in a thread of its own', () => {
  let gateway: Federation;
  const registry = new Registry();
  const open = async (planning: object = {}) => {
    gateway = await federate(compose(mazeModules), 'in process', {
      metrics: registry,
      planning: { ownThread: true, ...planning },
    });
  };
  afterEach(async () => {
    await gateway.close();
    registry.clear();
    expect(threads.length).toBeGreaterThan(0);
    expect(threads.every(({ threadId }) => threadId === -1)).toBe(true);
  });

  it('answers what it knows while an operation is planned that takes seconds', async () => {
    await open({ mostMs: 1_500 });
    await gateway.run(quick(0));
    const slow = gateway.run(SLOW);
    let longest = 0;
    let isOver = false;
    void slow.then(() => {
      isOver = true;
    });
    let answers = 0;
    while (!isOver) {
      const started = performance.now();
      expect(await gateway.run(quick(0))).toEqual({ data: { part0: { id: 'p' } } });
      longest = Math.max(longest, performance.now() - started);
      answers += 1;
    }
    expect(longest).toBeLessThan(750);
    expect(answers).toBeGreaterThan(10);
    const { errors } = await slow;
    expect(errors?.[0]?.extensions).toEqual({
      code: 'OPERATION_TOO_COMPLEX',
      transient: false,
      details: { what: 'planningMs', most: 1_500 },
    });
    expect(await gateway.run(quick(1))).toEqual({ data: { part0: { id: 'p' } } });
  });

  it('refuses an asker whose new documents are too many, by POST and by GET, and answers another', async () => {
    await open({ mostWaiting: 4 });
    const text = (number: number) =>
      `{ part${number % 12} { id } part${(number + 1 + Math.floor(number / 12)) % 12} { size } }`;
    const flood = Array.from({ length: 40 }, (_, number) => gateway.run(text(number), {}, undefined, 'flood'));
    const other = gateway.run('{ part11 { id size } }', {}, undefined, 'other');
    expect(await other).toEqual({ data: { part11: { id: 'p', size: 1 } } });
    const codes = (await Promise.all(flood)).map(({ errors }) => errors?.[0]?.extensions?.['code']);
    expect(new Set(codes)).toEqual(new Set([undefined, 'RATE_LIMITED']));
    const byGet = Array.from({ length: 40 }, (_, number) => {
      const query = new URLSearchParams({ query: text(60 + number) });
      const headers = { authorization: 'flood', 'apollo-require-preflight': 'yes' };
      return request(`${gateway.url}/graphql?${query}`, { headers });
    });
    const answers = await Promise.all(byGet);
    const statuses = answers.map(({ statusCode }) => statusCode);
    await Promise.all(answers.map(({ body }) => body.dump()));
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });

  it('keeps its supergraph where a new one is too large for the planner', async () => {
    await open({ mostMebibytes: 8 });
    const changed = mazeSupergraph.replace('left.invalid', 'elsewhere.invalid');
    expect(await gateway.gateway.reload(changed)).toBe('refused');
  });

  it('ends the thread of a supergraph that was replaced', async () => {
    await open();
    await gateway.run(quick(0));
    expect(await gateway.gateway.reload(mazeSupergraph.replace('left.invalid', 'elsewhere.invalid'))).toBe('ok');
    expect(await gateway.run(quick(0))).toEqual({ data: { part0: { id: 'p' } } });
    while (threads[0]?.threadId !== -1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(threads).toHaveLength(2);
  });
});

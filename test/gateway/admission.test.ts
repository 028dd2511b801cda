import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Admission, defaultAdmission } from '../../gateway/admission.js';
import { loadSupergraph } from '../../gateway/supergraph.js';
import { ask, type SmallGraph, type SmallGraphOptions, smallGraph } from '../support/small-graph.js';
import { clients } from '../support/subscribers.js';
import { byHash, codesIn, sha256, transports } from '../support/transports.js';

const WHOAMI = '{ whoami }';
const ME = { data: { whoami: 'ANONYMOUS' } };

const unauthorized = (...path: (string | number)[]) => ({
  message: expect.any(String),
  path,
  extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE', transient: false },
});

const registered = 'query Who { whoami }';
const events = 'subscription Events { rateChanged(base: "USD") { rate } }';

let folder: string;
/** In development, with all defaults; in production; with trusted documents, required and optional. */
let graph: SmallGraph;
let production: SmallGraph;
let required: SmallGraph;
let optional: SmallGraph;
const graphs: SmallGraph[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sojourn-admission-'));
  const path = manifest(
    [sha256(registered), 'query', 'Who', registered],
    ['short', 'query', 'Who', `${registered} `],
    [sha256(events), 'subscription', 'Events', events],
  );
  graph = await open();
  production = await open({ development: false });
  required = await open({ trustedDocuments: { path, mode: 'required' } });
  optional = await open({ trustedDocuments: { path, mode: 'optional' }, automaticPersistedQueries: false });
});
afterAll(async () => {
  await Promise.all(graphs.map((graph) => graph.close()));
  await rm(folder, { recursive: true });
});

async function open(options: SmallGraphOptions = {}): Promise<SmallGraph> {
  const graph = await smallGraph({ inProcess: true, ...options });
  graphs.push(graph);
  return graph;
}

/** A manifest with these operations by name, and their ids. */
function manifest(...operations: readonly [id: string, type: string, name: string, body: string][]): string {
  const path = join(folder, `${operations.map(([id]) => id.slice(0, 8)).join('-')}.json`);
  writeFileSync(
    path,
    JSON.stringify({
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: operations.map(([id, type, name, body]) => ({ id, type, name, body })),
    }),
  );
  return path;
}

describe.each(transports)('An operation by %s', (transport, send) => {
  let traveler: string;
  beforeAll(async () => {
    traveler = await graph.token('TRAVELER', 'trv_us_one');
  });

  it('has the fields that its asker may not have as null, with an error, and fetches only the rest', async () => {
    const query = '{ whoami secrets { word } payments(first: 2) { id note merchant { name } } }';
    expect(await send(graph, { query: '{ whoami mine: secrets { word } }' })).toEqual({
      data: { whoami: 'ANONYMOUS', mine: null },
      errors: [unauthorized('mine')],
    });
    const conditional = 'query ($x: Boolean!) { whoami secrets @include(if: $x) { word } }';
    for (const x of [true, false])
      expect(await send(graph, { query: conditional, variables: { x } })).toEqual({
        data: { whoami: 'ANONYMOUS', ...(x && { secrets: null }) },
        ...(x && { errors: [unauthorized('secrets')] }),
      });
    expect(await send(graph, { query }, traveler)).toEqual({
      data: {
        whoami: 'TRAVELER trv_us_one',
        secrets: { word: 'sesame' },
        payments: [
          { id: 'pay_1', note: 'note of pay_1', merchant: { name: 'Shop 1' } },
          { id: 'pay_2', note: 'note of pay_2', merchant: { name: 'Shop 2' } },
        ],
      },
    });
  });

  it('asks no subgraph when nothing is left of it', async () => {
    const fetches = async () => {
      const { values } = (await graph.registry.getSingleMetric('gateway_subgraph_fetch_seconds')?.get()) ?? {};
      return (values ?? [])
        .filter((value) => String(Object(value).metricName).endsWith('_count'))
        .map(({ value }) => value);
    };
    const before = await fetches();
    expect(await send(graph, { query: '{ secrets { word } }' })).toEqual({
      data: { secrets: null },
      errors: [unauthorized('secrets')],
    });
    expect(await fetches()).toEqual(before);
    await send(graph, { query: WHOAMI });
    expect(await fetches()).not.toEqual(before);
  });

  it('lets null go up from a field that may not be null', async () => {
    const query = '{ one: payment(id: "pay_1") { id risk } two: payment(id: "pay_2") { status } }';
    expect(await send(graph, { query }, traveler)).toEqual({
      data: { one: null, two: { status: 'PAID' } },
      errors: [unauthorized('one', 'risk')],
    });
    const auditor = await graph.token('PARTNER', 'ptr_us_one', 600, 'read risk:read');
    expect(await send(graph, { query }, auditor)).toEqual({
      data: { one: { id: 'pay_1', risk: 7 }, two: { status: 'PAID' } },
    });
  });

  if (!transport.startsWith('GET'))
    it('runs no mutation that its asker may not run, and the others', async () => {
      const before = graph.notes;
      expect(await send(graph, { query: 'mutation { wipe note(text: "x") }' }, traveler)).toEqual({
        data: { wipe: null, note: before + 1 },
        errors: [unauthorized('wipe')],
      });
      expect(await send(graph, { query: 'mutation { wipe }' })).toEqual({
        data: { wipe: null },
        errors: [unauthorized('wipe')],
      });
    });

  it('can be sent by its hash alone once its text was sent with it', async () => {
    const query = `{ whoami } # by ${transport}`;
    const hash = byHash(sha256(query));
    expect(codesIn(await send(graph, hash))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect(await send(graph, { query, ...hash })).toEqual(ME);
    expect(await send(graph, hash)).toEqual(ME);
    expect(await send(graph, { documentId: `sha256:${sha256(query)}` })).toEqual(ME);
  });

  it('is not remembered under the hash of another text, nor when it was refused', async () => {
    const query = `{ whoami } # under another by ${transport}`;
    expect(codesIn(await send(graph, { query, ...byHash(sha256(WHOAMI)) }))).toEqual(['BAD_REQUEST']);
    for (const refused of [
      `{ whoami nonsense } # ${transport}`,
      `{ whoami # ${transport}`,
      `{ payments(first: 60000) { id } } # ${transport}`,
    ]) {
      const hash = byHash(sha256(refused));
      expect(codesIn(await send(graph, { query: refused, ...hash }))).not.toEqual([]);
      expect(codesIn(await send(graph, hash))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    }
  });

  it('may not cost more than the limit, with the variables that came with it', async () => {
    const query = 'query ($n: Int!) { payments(first: $n) { id } }';
    expect((await send(graph, { query, variables: { n: 2 } }, traveler)).errors).toBeUndefined();
    const { errors } = await send(graph, { query, variables: { n: 50_001 } }, traveler);
    expect(errors?.map(({ extensions }) => extensions)).toEqual([
      { code: 'OPERATION_TOO_COMPLEX', transient: false, details: { what: 'cost', most: 50_000, cost: 50_001 } },
    ]);
  });

  it.each([
    ['rootFields', `{ ${'whoami '.repeat(51)} }`],
    ['directivesPerField', `{ whoami ${'@include(if: true) '.repeat(11)} }`],
  ])('may not be too large: %s', async (what, query) => {
    const { errors } = await send(graph, { query });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'OPERATION_TOO_COMPLEX', details: { what } });
  });
});

describe.each(transports)('In production, an operation by %s', (_transport, send) => {
  it.each([
    '{ __schema { types { name } } }',
    '{ a: __schema { types { name } } }',
    '{ __type(name: "Payment") { name } }',
    '{ ... { ... on Query { b: __type(name: "Payment") { fields { name } } } } }',
    '{ ...F } fragment F on Query { ...G } fragment G on Query { __schema { queryType { name } } }',
    '{ whoami __schema { types { name } } @include(if: false) }'
      .replace(' } @', ' @')
      .replace('if: false)', 'if: false) }'),
  ])('learns nothing of the schema: %s', async (query) => {
    const answer = await send(production, { query });
    expect(codesIn(answer).length).toBeGreaterThan(0);
    expect(JSON.stringify(answer)).not.toMatch(/"data":\{|queryType":|"fields":|Secret/);
  });

  it('is told its own type names, which are no secret', async () => {
    expect(await send(production, { query: '{ __typename }' })).toEqual({ data: { __typename: 'Query' } });
  });

  it('gets no names that are like a wrong one', async () => {
    for (const body of [
      { query: '{ whoam }' },
      { query: '{ payments(frist: 1) { id } }' },
      { query: '{ ... on Paymen { id } }' },
    ]) {
      const answer = await send(production, body);
      expect(codesIn(answer)).toContain('GRAPHQL_VALIDATION_FAILED');
      expect(JSON.stringify(answer)).not.toMatch(/did you mean|whoami|Payment"/i);
    }
  });
});

describe.each(clients)('A subscription by %s', (_name, client) => {
  beforeAll(() => production.happen('pay_1', 1));

  it('is refused when its asker may not have its field', async () => {
    const query = 'subscription { riskEvents(paymentId: "pay_1") { sequence } }';
    const refused = client({ url: production.url, query, token: await production.token('PARTNER', 'ptr_us_one') });
    await refused.ended;
    expect(refused.received).toHaveLength(1);
    expect(refused.received[0]?.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHORIZED_FIELD_OR_TYPE' });
    const scoped = await production.token('PARTNER', 'ptr_us_one', 600, 'risk:read');
    const given = client({ url: production.url, query, token: scoped });
    expect((await given.receive(1))[0]).toEqual({ data: { riskEvents: expect.objectContaining({ sequence: 1 }) } });
    given.leave();
  });

  it('goes on without the fields that its asker may not have', async () => {
    const query = 'subscription { paymentEvents(paymentId: "pay_1") { sequence payment { id note risk } } }';
    const token = await production.token('TRAVELER', 'trv_us_one');
    const subscriber = client({ url: production.url, query: query.replace(' risk', ''), token });
    expect((await subscriber.receive(1))[0]?.data).toMatchObject({
      paymentEvents: { sequence: 1, payment: { id: 'pay_1', note: 'note of pay_1' } },
    });
    subscriber.leave();
    const partly = client({ url: production.url, query, token });
    const [event] = await partly.receive(1);
    // `risk`, `payment` and the event may none of them be null.
    expect(event?.data ?? null).toBeNull();
    expect(event?.errors?.[0]).toMatchObject({ path: ['paymentEvents', 'payment', 'risk'] });
    partly.leave();
  });

  it('gets no hints at the schema in production', async () => {
    const refused = client({ url: production.url, query: 'subscription { paymentEvent(paymentId: "pay_1") { id } }' });
    await refused.ended;
    expect(JSON.stringify(refused.received)).not.toMatch(/did you mean|paymentEvents/i);
  });
});

describe.each(transports)('With trusted documents, an operation by %s', (_transport, send) => {
  it('is run by its id, however the client writes it', async () => {
    for (const graph of [required, optional])
      for (const body of [
        byHash(sha256(registered)),
        { documentId: sha256(registered) },
        { documentId: `sha256:${sha256(registered)}` },
        { documentId: 'short' },
        { documentId: 'short', operationName: 'Who' },
        { query: registered, ...byHash(sha256(registered)) },
      ])
        expect(await send(graph, body)).toEqual(ME);
  });

  it('is refused with another text than that of its id', async () => {
    for (const graph of [required, optional])
      expect(codesIn(await send(graph, { query: WHOAMI, documentId: 'short' }))).toEqual(['BAD_REQUEST']);
  });

  it('is refused when it is not registered and only registered ones are run', async () => {
    const strange = byHash(sha256(WHOAMI));
    expect(codesIn(await send(required, { query: WHOAMI }))).toEqual(['QUERY_NOT_IN_SAFELIST']);
    expect(codesIn(await send(required, { query: WHOAMI, ...strange }))).toEqual(['QUERY_NOT_IN_SAFELIST']);
    // Nor was it remembered.
    expect(codesIn(await send(required, strange))).toEqual(['PERSISTED_QUERY_NOT_IN_LIST']);
    expect(codesIn(await send(required, { documentId: 'unheard-of' }))).toEqual(['PERSISTED_QUERY_NOT_IN_LIST']);
    expect(await send(required, { query: registered })).toEqual(ME);
  });

  it('is run by its text too where registering is optional', async () => {
    expect(await send(optional, { query: WHOAMI })).toEqual(ME);
    expect(codesIn(await send(optional, { documentId: 'unheard-of' }))).toEqual(['PERSISTED_QUERY_NOT_IN_LIST']);
  });

  it('is not remembered where automatic persisted queries are off', async () => {
    const hash = byHash(sha256(WHOAMI));
    expect(await send(optional, { query: WHOAMI, ...hash })).toEqual(ME);
    expect(codesIn(await send(optional, hash))).toEqual(['PERSISTED_QUERY_NOT_SUPPORTED']);
  });
});

describe('With trusted documents, a subscription', () => {
  const rate = { base: 'USD', quote: 'CNY', rate: '7.1' };
  beforeAll(() => required.bus.publish([{ id: 'rate_1', subjects: ['rate.USD.CNY'], payload: rate }]));

  it('is opened by its id by graphql-ws and by server-sent events, and by no text that is not registered', async () => {
    const [, bySocket] = transports.find(([name]) => name === 'graphql-ws') ?? transports[0] ?? [];
    const body = { documentId: `sha256:${sha256(events)}` };
    expect(await bySocket?.(required, body)).toEqual({ data: { rateChanged: { rate: '7.1' } } });
    expect(codesIn((await bySocket?.(required, { query: events.replace('rate }', 'base }') })) ?? {})).toEqual([
      'QUERY_NOT_IN_SAFELIST',
    ]);
    const answer = await fetch(`${required.url}/graphql`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    let received = '';
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += text;
      if (received.includes('event: next')) break;
    }
    expect(received).toContain('data: {"data":{"rateChanged":{"rate":"7.1"}}}');
  });
});

describe('Another supergraph', () => {
  it('is what operations are measured by from then on; what was registered stays', () => {
    const persisted = { trusted: null, mode: 'off', automatic: true } as const;
    const admission = new Admission({ ...defaultAdmission, persisted }, loadSupergraph(graph.supergraph));
    const query = 'query ($n: Int!) { payments(first: $n) { id } }';
    const cost = () => admission.admit({ ...byHash(sha256(query)), variables: { n: 30 } })?.cost;
    expect(admission.admit({ query, ...byHash(sha256(query)), variables: { n: 30 } })?.cost).toBe(30);
    expect(cost()).toBe(30);
    const sizeless = graph.supergraph.replace(/@listSize\(requireOne[^)]*\)|@listSize\(slicing[^)]*\)/, '');
    admission.adopt(loadSupergraph(sizeless));
    expect(cost()).toBe(defaultAdmission.cost?.listSize);
  });
});

describe('Rates', () => {
  const codesOf = async (graph: SmallGraph, query: string, token?: string) =>
    codesIn((await ask(graph, query, { token })) as Parameters<typeof codesIn>[0]);

  it('count an address beside whoever asks from there, also those whose tokens do not hold', async () => {
    const graph = await open({ admission: { rate: null, addressRate: { perSecond: 0.01, burst: 3 } } });
    const token = await graph.token('TRAVELER', 'trv_us_one');
    expect(await codesOf(graph, WHOAMI, token)).toEqual([]);
    expect(await codesOf(graph, WHOAMI, 'Bearer x.y.z')).toEqual(['UNAUTHENTICATED']);
    expect(await codesOf(graph, WHOAMI)).toEqual([]);
    expect(await codesOf(graph, WHOAMI, token)).toEqual(['RATE_LIMITED']);
    expect(await codesOf(graph, WHOAMI, await graph.token('TRAVELER', 'trv_us_two'))).toEqual(['RATE_LIMITED']);
  });

  it('count whoever asks beside the address, on every transport', async () => {
    const graph = await open({ admission: { rate: { perSecond: 0.01, burst: 2 }, addressRate: null } });
    for (const [n, [, send]] of transports.entries()) {
      const [one, two] = [await graph.token('TRAVELER', `trv_a${n}`), await graph.token('TRAVELER', `trv_b${n}`)];
      const answers = [await send(graph, { query: WHOAMI }, one), await send(graph, { query: WHOAMI }, one)];
      expect(answers.flatMap(codesIn)).toEqual([]);
      expect(codesIn(await send(graph, { query: WHOAMI }, one))).toEqual(['RATE_LIMITED']);
      expect(codesIn(await send(graph, { query: WHOAMI }, two))).toEqual([]);
    }
  });

  it('let a dear operation count for several', async () => {
    const graph = await open({ admission: { rate: { perSecond: 0.01, burst: 5 } } });
    const token = await graph.token('TRAVELER', 'trv_us_one');
    expect(await codesOf(graph, '{ payments(first: 4000) { id } }', token)).toEqual([]);
    expect(await codesOf(graph, WHOAMI, token)).toEqual(['RATE_LIMITED']);
  });
});

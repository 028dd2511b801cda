import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, type SmallGraph, smallGraph } from '../support/small-graph.js';

const MERCHANTS_OF = '{ payments(first: 3) { id merchant { name } } }';

describe.each([
  ['over HTTP', false],
  ['in one process', true],
])('Queries and mutations, subgraphs %s', (_way, inProcess) => {
  let graph: SmallGraph;
  let traveler: string;
  beforeAll(async () => {
    graph = await smallGraph({ inProcess });
    traveler = await graph.token('TRAVELER', 'trv_us_one');
  });
  afterAll(() => graph.close());

  it('are answered from several subgraphs', async () => {
    const { data, errors, status } = await ask(graph, MERCHANTS_OF, { token: traveler });
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    expect(data).toEqual({
      payments: [1, 2, 3].map((n) => ({ id: `pay_${n}`, merchant: { name: `Shop ${n}` } })),
    });
  });

  it('carry the asker, signed, to the subgraphs; nothing that a client claims', async () => {
    const forged = { 'x-sojourn-principal': 'eyJhbGciOiJFZERTQSJ9.e30.x', 'x-user-id': 'opr_us_root' };
    expect((await ask(graph, '{ whoami }', { headers: forged })).data).toEqual({ whoami: 'ANONYMOUS' });
    const headers = { ...forged, 'x-request-id': 'abc-123' };
    const known = await ask(graph, '{ whoami }', { token: traveler, headers });
    expect(known.data).toEqual({ whoami: 'TRAVELER trv_us_one' });
    expect(known.headers.get('x-request-id')).toBe('abc-123');
    const seen = graph.seen.at(-1) ?? {};
    expect(seen['x-request-id']).toBe('abc-123');
    expect(seen['x-user-id']).toBeUndefined();
    expect(seen['authorization']).toBeUndefined();
  });

  it('refuse a bad token with UNAUTHENTICATED, not as a stranger', async () => {
    const expired = await graph.token('TRAVELER', 'trv_us_one', -10);
    for (const token of ['Bearer x.y.z', 'Basic abc', expired, `${traveler}x`]) {
      const { status, errors } = await ask(graph, '{ whoami }', { token });
      expect(status).toBe(401);
      expect(errors?.map((error) => error.extensions['code'])).toEqual(['UNAUTHENTICATED']);
    }
  });

  it("keep a subgraph's public code, details and place, and nothing of its inside", async () => {
    const { errors } = await ask(graph, '{ mine: payment(id: "pay_9") { id } leaky }', { token: traveler });
    expect(errors).toContainEqual({
      message: 'There is nothing here that you may see.',
      path: ['mine'],
      extensions: { code: 'NOT_FOUND', transient: false },
    });
    expect(JSON.stringify(errors)).not.toMatch(/inner|stack|serviceName|url/);
  });

  it('mask what a subgraph could not explain, with an id to ask about', async () => {
    const { errors, data } = await ask(graph, '{ broken }', { headers: { 'x-request-id': 'who-broke' } });
    expect(data).toEqual({ broken: null });
    expect(errors).toEqual([
      {
        message: 'Something went wrong on our side.',
        path: ['broken'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', transient: true, correlationId: 'who-broke' },
      },
    ]);
  });

  it('say so when a promised value is missing, instead of answering null without a reason', async () => {
    const { data, errors } = await ask(graph, '{ nothing { merchant { name } } }', { token: traveler });
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions['code']).toBe('INTERNAL_SERVER_ERROR');
  });

  it('keep the codes of GraphQL itself for malformed requests', async () => {
    const codes = async (query: string, variables?: object) =>
      (await ask(graph, query, { variables })).errors?.map((error) => error.extensions['code']);
    expect(await codes('{ whoami')).toEqual(['GRAPHQL_PARSE_FAILED']);
    expect(await codes('{ whoami nonsense }')).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(await codes('query ($id: ID!) { payment(id: $id) { id } }', {})).toEqual(['BAD_USER_INPUT']);
    expect(await codes('')).toEqual(['GRAPHQL_PARSE_FAILED']);
    expect(await codes('query A { whoami } query B { whoami }')).toEqual(['OPERATION_RESOLUTION_FAILURE']);
  });

  it('run mutations', async () => {
    const before = graph.notes;
    expect((await ask(graph, 'mutation { note(text: "x") }')).data).toEqual({ note: before + 1 });
  });
});

describe('The GraphQL endpoint', () => {
  let graph: SmallGraph;
  beforeAll(async () => {
    graph = await smallGraph({ inProcess: true, mostBodyBytes: 20_000 });
  });
  afterAll(() => graph.close());

  it('refuses what a foreign page could send without asking first (CSRF)', async () => {
    const form = await fetch(`${graph.url}/graphql`, { method: 'POST', body: '{"query":"{ whoami }"}' });
    expect(form.status).toBe(400);
    const bare = await fetch(`${graph.url}/graphql?query={whoami}`);
    expect(bare.status).toBe(400);
    const headers = { 'apollo-require-preflight': 'yes' };
    const asked = await fetch(`${graph.url}/graphql?query={whoami}`, { headers });
    expect(await asked.json()).toEqual({ data: { whoami: 'ANONYMOUS' } });
  });

  it('refuses a body that is too large, or no JSON', async () => {
    const large = await ask(graph, `{ whoami } #${'x'.repeat(20_000)}`);
    expect(large.status).toBe(413);
    expect(large.errors?.[0]?.extensions).toMatchObject({ code: 'OPERATION_TOO_COMPLEX', details: { what: 'bytes' } });
    const headers = { 'content-type': 'application/json' };
    const broken = await fetch(`${graph.url}/graphql`, { method: 'POST', headers, body: '{"query' });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it('refuses operations that are too deep, too wide or too long, before validating them', async () => {
    const deep = `{ ${'a { '.repeat(30)} b ${'}'.repeat(30)} }`;
    const wide = `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: whoami`).join(' ')} }`;
    const bomb = `{ ...A0 } ${Array.from({ length: 30 }, (_, n) => `fragment A${n} on Query { ...A${n + 1} ...A${n + 1} }`).join(' ')}
      fragment A30 on Query { whoami }`;
    const many = `{ ${'whoami '.repeat(2_600)} }`;
    const long = `{ ${'x '.repeat(4_100)} }`;
    for (const [query, what] of [
      [deep, 'depth'],
      [wide, 'aliases'],
      [bomb, 'fields'],
      [many, 'fields'],
      [long, 'tokens'],
    ] as const) {
      const { errors, status } = await ask(graph, query);
      expect(status).toBe(400);
      expect(errors?.map((error) => error.extensions)).toMatchObject([
        { code: 'OPERATION_TOO_COMPLEX', details: { what } },
      ]);
    }
  });

  it('answers single results to clients that only stream', async () => {
    const send = (accept: string, query: string) =>
      fetch(`${graph.url}/graphql`, {
        method: 'POST',
        headers: { accept, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
    const events = await send('text/event-stream', '{ whoami }');
    expect(await events.text()).toBe(
      ':\n\nevent: next\ndata: {"data":{"whoami":"ANONYMOUS"}}\n\nevent: complete\ndata:\n\n',
    );
    const parts = await send('multipart/mixed;subscriptionSpec="1.0"', '{ whoami }');
    expect(await parts.text()).toContain('{"payload":{"data":{"whoami":"ANONYMOUS"}}}\r\n--graphql--\r\n');
    const either = await send('multipart/mixed;subscriptionSpec=1.0,application/json;q=0.9', '{ whoami }');
    expect(either.headers.get('content-type')).toMatch(/^application\/json/);
    const wrong = await send('text/event-stream', '{ nonsense }');
    expect(wrong.status).toBe(200);
    expect(await wrong.text()).toContain('GRAPHQL_VALIDATION_FAILED');
    const whole = await send('application/json', 'subscription { rateChanged(base: "USD") { rate } }');
    expect(whole.status).toBe(400);
    expect(await whole.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it('takes persisted queries: once with their text, then by hash alone', async () => {
    const query = '{ whoami }';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const send = async (body: object) => {
      const answer = await fetch(`${graph.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, extensions: { persistedQuery: { version: 1, sha256Hash } } }),
      });
      return answer.json();
    };
    expect(await send({})).toMatchObject({ errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }] });
    expect(await send({ query })).toEqual({ data: { whoami: 'ANONYMOUS' } });
    expect(await send({})).toEqual({ data: { whoami: 'ANONYMOUS' } });
  });

  it('refuses a text with the hash of another one, and versions that it does not know, with BAD_REQUEST', async () => {
    const query = '{ whoami }';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const wrong = [
      { version: 1, sha256Hash: '0'.repeat(64) },
      { version: 2, sha256Hash },
    ];
    for (const persistedQuery of wrong) {
      const answer = await fetch(`${graph.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, extensions: { persistedQuery } }),
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    }
  });

  it('answers a GET that names a content type, as Apollo Client does', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${graph.url}/graphql?query=${encodeURIComponent('{ whoami }')}`, { headers });
    expect(await answer.json()).toEqual({ data: { whoami: 'ANONYMOUS' } });
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('runs nothing that comes by %s, whatever answer it accepts', async (method) => {
    for (const accept of ['application/json', 'text/event-stream']) {
      const answer = await fetch(`${graph.url}/graphql`, {
        method,
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query: '{ whoami }' }),
      });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('GET, POST, OPTIONS');
      expect(await answer.text()).not.toContain('ANONYMOUS');
    }
  });
});

describe('Rate limits', () => {
  it('refuse an asker who asks too often with RATE_LIMITED, and nobody else', async () => {
    const graph = await smallGraph({ inProcess: true, admission: { rate: { perSecond: 0.1, burst: 2 } } });
    try {
      const one = await graph.token('TRAVELER', 'trv_us_one');
      const two = await graph.token('TRAVELER', 'trv_us_two');
      await ask(graph, '{ whoami }', { token: one });
      await ask(graph, '{ whoami }', { token: one });
      const refused = await ask(graph, '{ whoami }', { token: one });
      expect(refused.status).toBe(429);
      expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', transient: true });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await ask(graph, '{ whoami }', { token: two })).status).toBe(200);
    } finally {
      await graph.close();
    }
  });
});

describe('In production', () => {
  it('neither introspection nor spelling hints are given away, and plain queries work', async () => {
    const graph = await smallGraph({ inProcess: true, development: false });
    try {
      expect((await ask(graph, '{ __schema { types { name } } }')).errors?.[0]?.extensions['code']).toBe(
        'GRAPHQL_VALIDATION_FAILED',
      );
      const { errors } = await ask(graph, '{ whoam }');
      expect(errors?.[0]?.message).not.toContain('whoami');
      expect((await ask(graph, '{ whoami }')).data).toEqual({ whoami: 'ANONYMOUS' });
    } finally {
      await graph.close();
    }
  });
});

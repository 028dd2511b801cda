import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, type SmallGraph, smallGraph } from '../support/small-graph.js';
import { clients, overGraphqlWs, overSse } from '../support/subscribers.js';

/** One operation by each transport: what the client was answered. */
const single: readonly (readonly [string, (request: Parameters<typeof overSse>[0]) => Promise<unknown>])[] = [
  ['JSON', async ({ url, query, variables, token }) => pick(await ask({ url }, query, { variables, token }))],
  ['graphql-ws', (request) => first(overGraphqlWs, request)],
  ['server-sent events', (request) => first(overSse, request)],
  ['multipart', (request) => byMultipart(request)],
];

function pick({ data, errors }: { data?: unknown; errors?: unknown }) {
  return { ...(data !== undefined && { data }), ...(errors !== undefined && { errors }) };
}

async function first(client: typeof overSse, request: Parameters<typeof overSse>[0]): Promise<unknown> {
  const subscriber = client(request);
  const [received] = await subscriber.receive(1);
  subscriber.leave();
  return received;
}

async function byMultipart({ url, query, variables, token }: Parameters<typeof overSse>[0]): Promise<unknown> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'multipart/mixed;subscriptionSpec=1.0',
      'content-type': 'application/json',
      ...(token && { authorization: token }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const [, part = ''] = /\r\n\r\n(\{"payload".*\})\r\n/.exec(await answer.text()) ?? [];
  return (JSON.parse(part) as { payload: unknown }).payload;
}

const unauthorized = (...path: (string | number)[]) => ({
  message: expect.any(String),
  path,
  extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE', transient: false },
});

describe.each(single)('An operation by %s', (_transport, send) => {
  let graph: SmallGraph;
  let traveler: string;
  let auditor: string;
  beforeAll(async () => {
    graph = await smallGraph({ inProcess: true });
    traveler = await graph.token('TRAVELER', 'trv_us_one');
    auditor = await graph.token('PARTNER', 'ptr_us_one', 600, 'read risk:read');
  });
  afterAll(() => graph.close());

  it('has the fields that its asker may not have as null, with an error, and fetches only the rest', async () => {
    const query = '{ whoami secrets { word } payments(first: 2) { id note merchant { name } } }';
    expect(await send({ url: graph.url, query: '{ whoami mine: secrets { word } }' })).toEqual({
      data: { whoami: 'ANONYMOUS', mine: null },
      errors: [unauthorized('mine')],
    });
    expect(await send({ url: graph.url, query, token: traveler })).toEqual({
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

  it('lets null go up from a field that may not be null', async () => {
    const query = '{ one: payment(id: "pay_1") { id risk } two: payment(id: "pay_2") { status } }';
    expect(await send({ url: graph.url, query, token: traveler })).toEqual({
      data: { one: null, two: { status: 'PAID' } },
      errors: [unauthorized('one', 'risk')],
    });
    expect(await send({ url: graph.url, query, token: auditor })).toEqual({
      data: { one: { id: 'pay_1', risk: 7 }, two: { status: 'PAID' } },
    });
  });

  it('runs no mutation that its asker may not run, and the others', async () => {
    const before = graph.notes;
    expect(await send({ url: graph.url, query: 'mutation { wipe note(text: "x") }', token: traveler })).toEqual({
      data: { wipe: null, note: before + 1 },
      errors: [unauthorized('wipe')],
    });
    expect(await send({ url: graph.url, query: 'mutation { wipe }' })).toEqual({
      data: { wipe: null },
      errors: [unauthorized('wipe')],
    });
  });
});

describe.each(clients)('A subscription by %s', (_name, client) => {
  let graph: SmallGraph;
  beforeAll(async () => {
    graph = await smallGraph({ inProcess: true });
    await graph.happen('pay_1', 1);
  });
  afterAll(() => graph.close());

  it('is refused when its asker may not have its field', async () => {
    const query = 'subscription { riskEvents(paymentId: "pay_1") { sequence } }';
    const refused = client({ url: graph.url, query, token: await graph.token('PARTNER', 'ptr_us_one') });
    await refused.ended;
    expect(refused.received).toHaveLength(1);
    expect(refused.received[0]?.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHORIZED_FIELD_OR_TYPE' });
    const scoped = await graph.token('PARTNER', 'ptr_us_one', 600, 'risk:read');
    const given = client({ url: graph.url, query, token: scoped });
    expect((await given.receive(1))[0]).toEqual({ data: { riskEvents: expect.objectContaining({ sequence: 1 }) } });
    given.leave();
  });

  it('goes on without the fields that its asker may not have', async () => {
    const query = 'subscription { paymentEvents(paymentId: "pay_1") { sequence payment { id note risk } } }';
    const token = await graph.token('TRAVELER', 'trv_us_one');
    const subscriber = client({ url: graph.url, query: query.replace(' risk', ''), token });
    expect((await subscriber.receive(1))[0]?.data).toMatchObject({
      paymentEvents: { sequence: 1, payment: { id: 'pay_1', note: 'note of pay_1' } },
    });
    subscriber.leave();
    const partly = client({ url: graph.url, query, token });
    const [event] = await partly.receive(1);
    // `risk`, `payment` and the event may none of them be null.
    expect(event?.data ?? null).toBeNull();
    expect(event?.errors?.[0]).toMatchObject({ path: ['paymentEvents', 'payment', 'risk'] });
    partly.leave();
  });
});

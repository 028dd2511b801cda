import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';
import { clients, type Delivered, overGraphqlWs, overSse } from '../support/subscribers.js';

const EVENTS = `subscription Watch($paymentId: ID!, $after: String) {
  paymentEvents(paymentId: $paymentId, after: $after) { cursor sequence status payment { id merchant { name } } }
}`;

let graph: SmallGraph;
let traveler: string;
let partner: string;
beforeAll(async () => {
  graph = await smallGraph();
  traveler = await graph.token('TRAVELER', 'trv_us_one');
  partner = await graph.token('PARTNER', 'ptr_us_one');
});
afterAll(() => graph.close());

interface PaymentEvent {
  cursor: string;
  sequence: number;
  status: string;
}

const eventsIn = (received: readonly Delivered[]) =>
  received.map(({ data }) => data?.['paymentEvents'] as PaymentEvent | undefined);
const sequencesIn = (received: readonly Delivered[]) => eventsIn(received).map((event) => event?.sequence);
const codesIn = (received: readonly Delivered[]) =>
  received.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions?.['code']) ?? []);

async function openStreams(): Promise<number> {
  const gauge = await graph.registry.getSingleMetric('gateway_open_streams')?.get();
  return (gauge?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come to hold');
}

describe.each(clients)('A subscription over %s', (name, subscribe) => {
  const id = `pay_${clients.findIndex(([each]) => each === name) + 10}`;

  it('gives what happened so far, then what happens, each event resolved by the subgraphs', async () => {
    await graph.happen(id, 1, 'PROCESSING');
    const subscriber = subscribe({ url: graph.url, token: traveler, query: EVENTS, variables: { paymentId: id } });
    await subscriber.receive(1);
    await graph.happen(id, 2, 'PAID');
    const [first, second] = await subscriber.receive(2);
    expect(first).toEqual({
      data: {
        paymentEvents: expect.objectContaining({
          sequence: 1,
          status: 'PROCESSING',
          payment: expect.objectContaining({ id, merchant: expect.objectContaining({ name: `Shop ${id.at(-1)}` }) }),
        }),
      },
    });
    // The second event is asked for anew: nothing of the first one's rows is left.
    expect(eventsIn([second ?? {}])).toMatchObject([{ sequence: 2, status: 'PAID' }]);
    subscriber.leave();
  });

  it('resumes after a cursor without a gap or a repetition', async () => {
    for (const sequence of [3, 4, 5]) await graph.happen(id, sequence);
    const first = subscribe({ url: graph.url, token: traveler, query: EVENTS, variables: { paymentId: id } });
    const seen = sequencesIn(await first.receive(3)).slice(0, 3);
    expect(seen).toEqual([1, 2, 3]);
    const { cursor } = eventsIn(first.received)[2] ?? { cursor: '' };
    first.leave();
    const variables = { paymentId: id, after: cursor };
    const second = subscribe({ url: graph.url, token: traveler, query: EVENTS, variables });
    await graph.happen(id, 6);
    expect(sequencesIn(await second.receive(3))).toEqual([4, 5, 6]);
    second.leave();
  });

  it('refuses the cursor of another stream: to begin there would leave out events unseen', async () => {
    const first = subscribe({ url: graph.url, token: traveler, query: EVENTS, variables: { paymentId: id } });
    const [event] = await first.receive(1);
    first.leave();
    const { cursor } = eventsIn([event ?? {}])[0] ?? { cursor: '' };
    const query = 'subscription ($after: String) { partnerPaymentEvents(after: $after) { id } }';
    const other = subscribe({ url: graph.url, token: partner, query, variables: { after: cursor } });
    await other.ended;
    expect(codesIn(other.received)).toEqual(['INVALID_CURSOR']);
  });

  it('respects aliases and fragments at every depth', async () => {
    const query = `subscription ($id: ID!) { happening: paymentEvents(paymentId: $id) { ...Event } }
      fragment Event on PaymentEventDelivery { c: cursor id key: id n: sequence p: payment { s: status } }`;
    const subscriber = subscribe({ url: graph.url, token: traveler, query, variables: { id } });
    const [first] = await subscriber.receive(1);
    expect(first?.data).toMatchObject({
      happening: { id: `evt_${id}_1`, key: `evt_${id}_1`, n: 1, c: expect.any(String), p: { s: expect.any(String) } },
    });
    subscriber.leave();
  });

  it('is refused when its guard is, with the same answer as for what does not exist', async () => {
    const stranger = await graph.token('TRAVELER', 'trv_us_two');
    for (const [token, paymentId] of [
      [stranger, id],
      [traveler, 'pay_never'],
      [undefined, id],
    ] as const) {
      const subscriber = subscribe({ url: graph.url, token, query: EVENTS, variables: { paymentId } });
      await subscriber.ended;
      expect(codesIn(subscriber.received)).toEqual(['NOT_FOUND']);
    }
  });

  it('refuses what cannot be part of a subject, a cursor that is not ours, and a bad token', async () => {
    const attempts = [
      [traveler, { paymentId: 'pay_1.>' }, 'NOT_FOUND'],
      [partner, { paymentId: id, after: 'nonsense' }, 'INVALID_CURSOR'],
      [partner, { paymentId: id, after: Buffer.from('v1:x').toString('base64url') }, 'INVALID_CURSOR'],
      ['Bearer x.y.z', { paymentId: id }, 'UNAUTHENTICATED'],
    ] as const;
    for (const [token, variables, code] of attempts) {
      const subscriber = subscribe({ url: graph.url, token, query: EVENTS, variables });
      await subscriber.ended;
      expect(codesIn(subscriber.received)).toEqual([code]);
    }
  });

  it.each([
    ['by its guard, as a query would, where it has one', EVENTS, { paymentId: '>' }, 'NOT_FOUND'],
    ['by us where it has none', 'subscription { rateChanged(base: ">") { rate } }', {}, 'INVALID_ID'],
  ])('is refused for an argument that would be a wildcard: %s', async (_who, query, variables, code) => {
    const subscriber = subscribe({ url: graph.url, token: traveler, query, variables });
    await subscriber.ended;
    expect(codesIn(subscriber.received)).toEqual([code]);
  });

  it('is only for the kind of principal that it names', async () => {
    const query = 'subscription { partnerPaymentEvents { id } }';
    const refused = subscribe({ url: graph.url, token: traveler, query });
    await refused.ended;
    expect(codesIn(refused.received)).toEqual(['FORBIDDEN']);
    const unknown = subscribe({ url: graph.url, query });
    await unknown.ended;
    expect(codesIn(unknown.received)).toEqual(['UNAUTHENTICATED']);
  });

  it('begins with the newest event where only that matters, with defaults of its arguments', async () => {
    for (const rate of ['7.1', '7.2'])
      await graph.bus.publish([
        { id: `${name} ${rate}`, subjects: ['rate.USD.CNY'], payload: { base: 'USD', quote: 'CNY', rate } },
      ]);
    const query = 'subscription { rateChanged(base: "USD") { base quote rate } }';
    const subscriber = subscribe({ url: graph.url, query });
    const [first] = await subscriber.receive(1);
    expect(first?.data?.['rateChanged']).toMatchObject({ base: 'USD', quote: 'CNY', rate: '7.2' });
    subscriber.leave();
  });

  it('refuses two fields, none, and a condition on its one field', async () => {
    const attempts = {
      'subscription { a: rateChanged(base: "A") { rate } b: rateChanged(base: "B") { rate } }':
        'GRAPHQL_VALIDATION_FAILED',
      'subscription { __typename }': /SUBSCRIPTION_NOT_SUPPORTED|GRAPHQL_VALIDATION_FAILED/,
      'subscription { rateChanged(base: "A") { nonsense } }': 'GRAPHQL_VALIDATION_FAILED',
      'subscription ($no: Boolean = false) { rateChanged(base: "A") @include(if: $no) { rate } }':
        /SUBSCRIPTION_NOT_SUPPORTED|GRAPHQL_VALIDATION_FAILED/,
    };
    for (const [query, code] of Object.entries(attempts)) {
      const subscriber = subscribe({ url: graph.url, token: traveler, query });
      await subscriber.ended;
      expect(codesIn(subscriber.received)).toContainEqual(expect.stringMatching(code));
    }
  });

  it('ends with UNAUTHENTICATED when its token does, even while nothing happens', async () => {
    const brief = await graph.token('TRAVELER', 'trv_us_one', 2);
    const subscriber = subscribe({ url: graph.url, token: brief, query: EVENTS, variables: { paymentId: id } });
    await subscriber.ended;
    expect(codesIn(subscriber.received)).toEqual(['UNAUTHENTICATED']);
    expect(sequencesIn(subscriber.received).at(0)).toBe(1);
  });

  it('lets go of the bus as soon as its client leaves', async () => {
    await until(async () => (await openStreams()) === 0);
    const subscriber = subscribe({ url: graph.url, token: traveler, query: EVENTS, variables: { paymentId: id } });
    await subscriber.receive(1);
    expect(await openStreams()).toBe(1);
    subscriber.leave();
    await until(async () => (await openStreams()) === 0);
  });

  it('keeps events back while a subgraph is out: none is left out, none comes without its cursor', async () => {
    const variables = { paymentId: id };
    const subscriber = subscribe({ url: graph.url, token: traveler, query: EVENTS, variables });
    await subscriber.receive(6);
    graph.fault = 'html';
    const { knocks } = graph;
    await graph.happen(id, 7);
    await until(async () => graph.knocks > knocks);
    await graph.happen(id, 8);
    graph.fault = 'none';
    expect(sequencesIn(await subscriber.receive(8))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(codesIn(subscriber.received)).toEqual([]);
    subscriber.leave();
  });

  it('lets a client leave, and a token end, while an event is kept back', async () => {
    graph.fault = 'html';
    const brief = await graph.token('TRAVELER', 'trv_us_one', 2);
    const [leaving, ending] = [traveler, brief].map((token) =>
      subscribe({ url: graph.url, token, query: EVENTS, variables: { paymentId: id } }),
    );
    await until(async () => (await openStreams()) === 2);
    leaving?.leave();
    await ending?.ended;
    expect(codesIn(ending?.received ?? [])).toEqual(['UNAUTHENTICATED']);
    await until(async () => (await openStreams()) === 0);
    graph.fault = 'none';
  });

  it('carries any other failure as an error of that event only', async () => {
    const query = 'subscription { partnerPaymentEvents { sequence status } }';
    await until(async () => (await openStreams()) === 0);
    const subscriber = subscribe({ url: graph.url, token: partner, query });
    await until(async () => (await openStreams()) === 1);
    // The payment of the first one is nowhere to be found.
    await graph.happen(`${id}_nowhere`, 1);
    await graph.happen(id, 9);
    const [lost, found] = await subscriber.receive(2);
    expect(codesIn([lost ?? {}])).toEqual(['NOT_FOUND']);
    expect(found?.data?.['partnerPaymentEvents']).toMatchObject({ sequence: 9 });
    subscriber.leave();
  });
});

it('gives a partner the events of its own subject', async () => {
  const query = 'subscription { partnerPaymentEvents { sequence } }';
  await until(async () => (await openStreams()) === 0);
  const subscriber = overSse({ url: graph.url, token: partner, query });
  await until(async () => (await openStreams()) === 1);
  await graph.happen('pay_20', 1, 'PAID');
  expect(await subscriber.receive(1)).toEqual([{ data: { partnerPaymentEvents: { sequence: 1 } } }]);
  subscriber.leave();
});

it('takes its one field out of a fragment', async () => {
  const query = `subscription { ...Root }
    fragment Root on Subscription { ... on Subscription { paymentEvents(paymentId: "pay_20") { sequence } } }`;
  const subscriber = overGraphqlWs({ url: graph.url, token: traveler, query });
  expect(await subscriber.receive(1)).toEqual([{ data: { paymentEvents: { sequence: 1 } } }]);
  subscriber.leave();
});

it('serves queries and mutations over graphql-ws too', async () => {
  const query = overGraphqlWs({ url: graph.url, token: traveler, query: '{ whoami }' });
  await query.ended;
  expect(query.received).toEqual([{ data: { whoami: 'TRAVELER trv_us_one' } }]);
  const note = async () => {
    const mutation = overGraphqlWs({ url: graph.url, query: 'mutation { note(text: "x") }' });
    await mutation.ended;
    return mutation.received;
  };
  let answer = await note();
  // The circuit may still be open from a fault before: a client is told to ask again.
  const isTransient = () => answer[0]?.errors?.[0]?.extensions?.['transient'] === true;
  for (const deadline = Date.now() + 15_000; isTransient() && Date.now() < deadline; answer = await note())
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answer).toEqual([{ data: { note: expect.any(Number) } }]);
});

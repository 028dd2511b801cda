import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { documents } from '../support/documents.js';
import { type Asker, RunningGraph } from '../support/graph.js';
import { eventually, type PaymentAnswer, pay, refund, settled, storeOf } from '../support/shopping.js';
import {
  type Client,
  clients,
  type Delivered,
  overGraphqlWs,
  overSse,
  type Subscriber,
} from '../support/subscribers.js';

let graph: RunningGraph;
beforeAll(async () => {
  graph = await RunningGraph.start();
});
afterAll(() => graph.remove());

interface EventAnswer {
  readonly cursor: string;
  readonly sequence: number;
  readonly type: string;
  readonly status: string;
  readonly terminal: boolean;
  readonly payment: {
    readonly id: string;
    readonly status: string;
    readonly merchant: { readonly name: string };
    readonly traveler: { readonly displayName: string } | null;
  };
}

const WHOLE = ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED'];

function follow(client: Client, asker: Asker, paymentId: string, after?: string): Subscriber {
  const variables = { paymentId, ...(after !== undefined && { after }) };
  return client({ url: graph.url, query: documents.read('payment-events'), variables, token: graph.bearer(asker) });
}

/** The events of a stream's one field. @throws when an error was delivered instead */
function eventsIn(received: readonly Delivered[]): EventAnswer[] {
  return received.map(({ data, errors }) => {
    if (errors || !data) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as EventAnswer;
  });
}

const typesIn = (received: readonly Delivered[]) => eventsIn(received).map(({ type }) => type);
const codesIn = (received: readonly Delivered[]) =>
  received.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions?.['code']) ?? []);

describe.each(clients)('A payment over %s', (_name, client) => {
  it('is followed from its confirmation to its end, and on through a refund', async () => {
    // The network's answer is lost and has to be asked for: the stream is open while it happens.
    const id = await pay(graph, 'lost-reply');
    const stream = follow(client, 'traveler', id);
    const begun = eventsIn(await stream.receive(3)).map(({ type }) => type);
    expect(begun.slice(0, 3)).toEqual(WHOLE.slice(0, 3));
    expect((await settled(graph, id)).status).toBe('COMPLETED');
    const whole = eventsIn(await stream.receive(5));
    expect(whole.map(({ type, sequence, terminal }) => [type, sequence, terminal])).toEqual(
      WHOLE.map((type, index) => [type, index + 1, type === 'COMPLETED']),
    );
    for (const { payment } of whole)
      expect(payment).toMatchObject({
        id,
        merchant: { name: storeOf('lost-reply').name },
        traveler: { displayName: 'Maya' },
      });
    await refund(graph, id, '5.00');
    const all = await stream.receive(7);
    expect(typesIn(all)).toEqual([...WHOLE, 'REFUND_REQUESTED', 'REFUNDED']);
    stream.leave();
  });

  it('is told whole to who comes late, and from any place on to who resumes: no gap, no repeat', async () => {
    const { id } = await settled(graph, await pay(graph, 'ok'));
    const late = follow(client, 'traveler', id);
    const whole = eventsIn(await late.receive(5));
    late.leave();
    expect(whole.map(({ type }) => type)).toEqual(WHOLE);
    expect(new Set(whole.map(({ cursor }) => cursor)).size).toBe(5);
    await Promise.all(
      whole.slice(0, 4).map(async ({ cursor }, index) => {
        const resumed = follow(client, 'traveler', id, cursor);
        expect(eventsIn(await resumed.receive(4 - index))).toEqual(whole.slice(index + 1));
        resumed.leave();
      }),
    );
    // After the last one there is nothing, until something happens.
    const end = follow(client, 'traveler', id, whole[4]?.cursor);
    await refund(graph, id, null);
    expect(typesIn(await end.receive(2))).toEqual(['REFUND_REQUESTED', 'REFUNDED']);
    end.leave();
  });

  it('is not there for another traveler, nor for who has no token, nor is one that never was', async () => {
    const { id } = await settled(graph, await pay(graph, 'declined'));
    const never = id.replace(/.{4}$/, (end) => (end === '0000' ? '0001' : '0000'));
    const refusal = async (asker: Asker, paymentId: string) => {
      const stream = follow(client, asker, paymentId);
      await stream.ended;
      expect(stream.received).toHaveLength(1);
      return stream.received[0]?.errors?.map(({ message, extensions }) => ({ message, extensions }));
    };
    const [strange, absent] = [await refusal('otherTraveler', id), await refusal('traveler', never)];
    expect(strange?.map(({ extensions }) => extensions?.['code'])).toEqual(['NOT_FOUND']);
    expect(absent).toEqual(strange);
    const [nobody] = (await refusal(null, id)) ?? [];
    expect(nobody?.extensions?.['code']).toBe('UNAUTHENTICATED');
    const [wrongKind] = (await refusal('traveler', storeOf('ok').merchantId)) ?? [];
    expect(wrongKind?.extensions?.['code']).toBe('INVALID_ID');
  });

  it('is seen by its merchant and its partner without who paid, by an operator with', async () => {
    const { id } = await settled(graph, await pay(graph, 'ok'));
    for (const asker of ['merchant', 'partner', 'operator'] as const) {
      const stream = follow(client, asker, id);
      const events = eventsIn(await stream.receive(5));
      stream.leave();
      expect(events.map(({ type }) => type)).toEqual(WHOLE);
      // Apollo Client asks for __typename too.
      for (const { payment } of events)
        expect(payment.traveler?.displayName ?? null).toBe(asker === 'operator' ? 'Maya' : null);
    }
  });

  it("brings a merchant's and a partner's payments as they happen, to them alone", async () => {
    const { merchantId } = storeOf('duplicate-notifications');
    const open = (document: 'merchant-events' | 'partner-events', asker: Asker, variables: Record<string, unknown>) =>
      client({ url: graph.url, query: documents.read(document), variables, token: graph.bearer(asker) });
    const streams = [
      open('merchant-events', 'merchant', { merchantId }),
      open('partner-events', 'partner', {}),
    ] as const;
    const payments = await untilLive(streams);
    const payment = await settled(graph, await pay(graph, 'duplicate-notifications', '7.70'));
    for (const stream of streams) {
      await eventually(8_000, 'the last event', async () =>
        eventsIn(stream.received).some((event) => event.payment.id === payment.id && event.type === 'COMPLETED')
          ? true
          : null,
      );
      const events = eventsIn(stream.received);
      expect(events.filter((event) => event.payment.id === payment.id).map(({ type }) => type)).toEqual(WHOLE);
      expect(events.map((event) => event.payment.id).filter((id) => id !== payment.id && !payments.has(id))).toEqual(
        [],
      );
      stream.leave();
    }
    const resumed = open('merchant-events', 'merchant', {
      merchantId,
      after: eventsIn(streams[0].received).find((event) => event.payment.id === payment.id)?.cursor,
    });
    expect(typesIn(await resumed.receive(4))).toEqual(WHOLE.slice(1));
    resumed.leave();

    const refused = [
      open('merchant-events', 'traveler', { merchantId }),
      open('partner-events', 'merchant', {}),
      open('merchant-events', null, { merchantId }),
      open('partner-events', null, {}),
    ];
    await Promise.all(refused.map(({ ended }) => ended));
    expect(refused.map(({ received }) => codesIn(received))).toEqual([
      ['NOT_FOUND'],
      ['FORBIDDEN'],
      ['UNAUTHENTICATED'],
      ['UNAUTHENTICATED'],
    ]);
  });

  it('costs nothing to ask the rate of currencies: the newest comes at once, for everybody', async () => {
    const stream = client({ url: graph.url, query: documents.read('rates') });
    const [first] = await stream.receive(1);
    stream.leave();
    expect(first?.data?.['exchangeRateUpdated']).toMatchObject({
      base: 'USD',
      quote: 'CNY',
      rate: expect.stringMatching(/^\d\.\d+$/),
      source: 'SIMULATED',
    });
  });
});

/** A live stream shows only what comes after it began: pays until all of them show something. @returns what was paid */
async function untilLive(streams: readonly Subscriber[]): Promise<Set<string>> {
  const paid = new Set<string>();
  await eventually(15_000, 'the live streams', async () => {
    paid.add((await settled(graph, await pay(graph, 'duplicate-notifications', '1.00'))).id);
    return streams.every(({ received }) => received.length > 0) ? true : null;
  });
  return paid;
}

describe('Subscriptions', () => {
  it.each([
    ['USD', 'KRW'],
    ['ZAR', 'NOK'],
    ['CNY', 'CNY'],
  ])('of the rate of %s in %s are never silent, though nobody pays with it', async (base, quote) => {
    const query = `subscription { exchangeRateUpdated(base: "${base}", quote: "${quote}") { base quote } }`;
    const stream = overSse({ url: graph.url, query });
    expect(await stream.receive(1)).toMatchObject([{ data: { exchangeRateUpdated: { base, quote } } }]);
    stream.leave();
  });

  it.each([
    ['">"', 'INVALID_CURRENCY'],
    ['"*"', 'INVALID_CURRENCY'],
    ['""', 'INVALID_CURRENCY'],
    ['"usd"', 'INVALID_CURRENCY'],
    ['"USD.CNY"', 'INVALID_CURRENCY'],
    ['"a currency"', 'BAD_USER_INPUT'],
    ['null', 'GRAPHQL_VALIDATION_FAILED'],
  ])('of the rate of %s are refused as a query is: %s', async (base, code) => {
    const pair = `(base: ${base}, quote: "CNY") { rate }`;
    expect(codesIn([await graph.ask(null, `{ exchangeRate${pair} }`)])).toEqual([code]);
    const stream = overSse({ url: graph.url, query: `subscription { exchangeRateUpdated${pair} }` });
    await stream.ended;
    expect(codesIn(stream.received)).toEqual([code]);
  });

  it('of a rate that there is none of are refused with a word', async () => {
    const query = 'subscription { exchangeRateUpdated(base: "USD", quote: "VND") { rate } }';
    const stream = overSse({ url: graph.url, query });
    await stream.ended;
    expect(codesIn(stream.received)).toEqual(['RATE_UNAVAILABLE']);
  });

  it('bring the same to all who follow one payment, however they follow it', async () => {
    const id = await pay(graph, 'lost-reply');
    const streams = clients.map(([, client]) => follow(client, 'traveler', id));
    const [first, ...others] = await Promise.all(streams.map(async (stream) => eventsIn(await stream.receive(5))));
    for (const other of others)
      expect(other.map(({ cursor, type }) => [cursor, type])).toEqual(first?.map(({ cursor, type }) => [cursor, type]));
    for (const stream of streams) stream.leave();
  });

  it('refuse a cursor that is not theirs', async () => {
    const { id } = await settled(graph, await pay(graph, 'declined'));
    const stream = follow(overSse, 'traveler', id, 'nonsense');
    await stream.ended;
    expect(codesIn(stream.received)).toEqual(['INVALID_CURSOR']);
  });

  it('end with a word when the graph stops, and go on after the last cursor when it is there again', async () => {
    const id = await pay(graph, 'slow');
    const stream = follow(overGraphqlWs, 'traveler', id);
    const begun = eventsIn(await stream.receive(3));
    expect(await graph.stop()).toBe(0);
    await stream.ended;
    expect(codesIn(stream.received).filter((code) => code !== undefined && code !== 'STREAM_INTERRUPTED')).toEqual([]);
    const seen = stream.received.filter(({ data }) => data);
    await graph.startAgain();
    const resumed = follow(overGraphqlWs, 'traveler', id, eventsIn(seen).at(-1)?.cursor);
    const payment: PaymentAnswer = await settled(graph, id, 30_000);
    const rest = await resumed.receive(WHOLE.length - seen.length);
    expect([...typesIn(seen), ...typesIn(rest)]).toEqual(WHOLE);
    expect(begun.length).toBeLessThan(WHOLE.length);
    expect(payment.status).toBe('COMPLETED');
    resumed.leave();
  });
});

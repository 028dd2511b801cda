import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { codeOf, type Inbox, principal, StreamLab, sequencesIn, upTo } from '../support/stream-lab.js';

const EVENTS = `subscription Watch($id: ID!, $after: String) {
  paymentEvents(paymentId: $id, after: $after) { cursor sequence payment { id merchant { name } } }
}`;
const RATE = 'subscription { rateChanged(base: "USD") { rate } }';

const one = principal('TRAVELER', 'trv_us_one');

let lab: StreamLab;
beforeEach(async () => {
  lab = await StreamLab.open();
  lab.world.statuses.set('pay_1', 'PAID');
});
afterEach(() => lab.close());

const watch = (query = EVENTS) =>
  lab.watch({ query, ...(query === EVENTS && { variables: { id: 'pay_1' } }), principal: one });

async function messageAtEnd(inbox: Inbox): Promise<string | undefined> {
  return (await inbox.ended())?.errors?.[0]?.message;
}

describe('Another supergraph', () => {
  it('takes over live streams: they miss nothing, repeat nothing, and are resolved by it', async () => {
    await lab.happen('pay_1', 1);
    const inboxes = await Promise.all(upTo(20).map(() => watch()));
    for (const inbox of inboxes) await inbox.receive(1);
    const next = await lab.engine(['type Rate { ', 'type Rate { unit: String ']);
    const before = lab.asked();
    let last = 1;
    const publishing = (async () => {
      for (; last < 60; last += 1) await lab.happen('pay_1', last + 1);
    })();
    await lab.subscriptions.adopt(next);
    await publishing;
    for (const inbox of inboxes) expect(sequencesIn(await inbox.receive(60))).toEqual(upTo(60));
    const asked = lab.asked();
    await lab.happen('pay_1', 61);
    for (const inbox of inboxes) expect(sequencesIn(await inbox.receive(61)).at(-1)).toBe(61);
    // The one before is not asked any more; the new one is, once for all of them.
    expect(lab.asked()).toBe(asked);
    expect(before).toBeGreaterThan(0);
    expect(next.asked()).toBeGreaterThanOrEqual(2);
    expect(inboxes.some(({ isOver }) => isOver)).toBe(false);
    expect(await lab.figure('gateway_open_feeds')).toBe(1);
  });

  it('serves who comes afterwards, with what only it knows', async () => {
    const query = 'subscription { rateChanged(base: "USD") { rate unit } }';
    expect(codeOf((await watch(query)).received[0])).toBe('GRAPHQL_VALIDATION_FAILED');
    await lab.subscriptions.adopt(await lab.engine(['type Rate { ', 'type Rate { unit: String ']));
    const inbox = await watch(query);
    await lab.bus.publish([
      { id: '1', subjects: ['rate.USD.CNY'], payload: { base: 'USD', quote: 'CNY', rate: '7', unit: 'x' } },
    ]);
    expect(await inbox.receive(1)).toEqual([{ data: { rateChanged: { rate: '7', unit: 'x' } } }]);
  });

  it('ends a stream whose field is published elsewhere, and says so', async () => {
    const [moved, other] = [await watch(), await watch(RATE)];
    await lab.subscriptions.adopt(await lab.engine(['"payment.{paymentId}"', '"paid.{paymentId}"']));
    expect(codeOf(await moved.ended())).toBe('SUBSCRIPTION_NOT_SUPPORTED');
    expect(await messageAtEnd(moved)).toMatch(/schema changed.*published elsewhere/);
    expect(other.isOver).toBe(false);
    expect(await lab.figure('gateway_stream_endings_total', { reason: 'replaced' })).toBe(1);
  });

  it.each([
    ['whose field is gone', 'rateChanged(', 'priceChanged(', /Cannot query field "rateChanged"/],
    [
      'of which a part is gone',
      'type Rate { base: String! quote: String! rate',
      'type Rate { base: String! quote: String! price',
      /Cannot query field "rate"/,
    ],
  ])('ends a stream %s, with what is wrong now', async (_what, from, to, message) => {
    const [gone, other] = [await watch(RATE), await watch()];
    await lab.subscriptions.adopt(await lab.engine([from, to]));
    expect(codeOf(await gone.ended())).toBe('SUBSCRIPTION_NOT_SUPPORTED');
    expect(await messageAtEnd(gone)).toMatch(message);
    expect(other.isOver).toBe(false);
  });

  it('asks again whether somebody may subscribe, where that is decided in another way now', async () => {
    await lab.happen('pay_1', 1);
    const inboxes = [await watch(), await watch()];
    for (const inbox of inboxes) await inbox.receive(1);
    await lab.subscriptions.adopt(
      await lab.engine(['start: BEGINNING, guard', 'start: BEGINNING, principal: PARTNER, guard']),
    );
    for (const inbox of inboxes) expect(codeOf(await inbox.ended())).toBe('FORBIDDEN');
  });

  it('runs a guard that is another one now, with the rights of those who subscribed', async () => {
    await lab.happen('pay_1', 1);
    const [may, rate] = [await watch(), await watch(RATE)];
    await may.receive(1);
    const guarded = [
      'rate.{base}.{quote}", start: LATEST',
      'rate.{base}.{quote}", start: LATEST, guard: "{ broken }"',
    ] as const;
    await lab.subscriptions.adopt(await lab.engine(guarded));
    expect(codeOf(await rate.ended())).toBe('INTERNAL_SERVER_ERROR');
    await lab.happen('pay_1', 2);
    expect(sequencesIn(await may.receive(2))).toEqual([1, 2]);
  });

  it('has taken over when nothing is under way with the one before', async () => {
    const inbox = await watch();
    const opened = Promise.withResolvers<void>();
    await lab.happen('pay_1', 1);
    await inbox.receive(1);
    lab.gate = opened.promise;
    await lab.happen('pay_1', 2);
    const before = lab.asked();
    while (lab.asked() === before) await new Promise((resolve) => setTimeout(resolve, 5));
    let hasAdopted = false;
    const adopting = lab.subscriptions.adopt(await lab.engine()).then(() => {
      hasAdopted = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(hasAdopted).toBe(false);
    opened.resolve();
    await adopting;
    expect(sequencesIn(await inbox.receive(2))).toEqual([1, 2]);
  });

  it('may be followed by the next at once: the streams end up with the last', async () => {
    await lab.happen('pay_1', 1);
    const inbox = await watch();
    await inbox.receive(1);
    const engines = await Promise.all(upTo(3).map(() => lab.engine()));
    await Promise.all(engines.map((engine) => lab.subscriptions.adopt(engine)));
    const asked = engines.map((engine) => engine.asked());
    await lab.happen('pay_1', 2);
    await inbox.receive(2);
    expect(engines.map((engine, index) => engine.asked() > (asked[index] ?? 0))).toEqual([false, false, true]);
  });

  it('gets who was just subscribing, though the guard was asked by the one before', async () => {
    await lab.happen('pay_1', 1);
    const opened = Promise.withResolvers<void>();
    const before = lab.asked();
    lab.gate = opened.promise;
    const subscribing = watch();
    while (lab.asked() === before) await new Promise((resolve) => setTimeout(resolve, 5));
    const next = await lab.engine();
    const adopting = lab.subscriptions.adopt(next);
    lab.gate = Promise.resolve();
    opened.resolve();
    const inbox = await subscribing;
    await adopting;
    expect(sequencesIn(await inbox.receive(1))).toEqual([1]);
    const asked = lab.asked();
    await lab.happen('pay_1', 2);
    await inbox.receive(2);
    expect(lab.asked()).toBe(asked);
  });
});

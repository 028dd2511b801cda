import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Principal } from '../../subgraphs/kernel/principal.js';
import { codeOf, cursorOf, principal, StreamLab, sequencesIn, upTo } from '../support/stream-lab.js';

const EVENTS = `subscription Watch($id: ID!, $after: String) {
  paymentEvents(paymentId: $id, after: $after) { cursor sequence status }
}`;
const LIVE = 'subscription Live($after: String) { partnerPaymentEvents(after: $after) { cursor sequence status } }';

const one = principal('TRAVELER', 'trv_us_one');
const partner = principal('PARTNER', 'ptr_us_one');

let lab: StreamLab;
beforeEach(async () => {
  lab = await StreamLab.open();
});
afterEach(() => lab.close());

describe('Many subscribers of one subject', () => {
  it('share one subject of the bus, one resolution and one text: 2,000 of them ask the subgraphs as one does', async () => {
    const inboxes = await Promise.all(upTo(2_000).map(() => lab.watch({ query: LIVE, principal: partner })));
    expect(await lab.figure('gateway_open_feeds')).toBe(1);
    const asked = lab.asked();
    for (const sequence of upTo(5)) await lab.happen('pay_1', sequence);
    for (const inbox of inboxes) expect(sequencesIn(await inbox.receive(5))).toEqual([1, 2, 3, 4, 5]);
    expect(await lab.figure('gateway_event_resolutions_total')).toBe(5);
    expect(await lab.figure('gateway_events_total')).toBe(10_000);
    expect(lab.asked() - asked).toBe(5);
    for (const inbox of inboxes) inbox.leave();
    // The last one who leaves closes the feed.
    expect(await lab.figure('gateway_open_feeds')).toBe(0);
    expect(await lab.figure('gateway_open_streams')).toBe(0);
  });

  it('are resolved apart where they ask something else, by text or by a variable that makes a difference', async () => {
    await lab.happen('pay_1', 1);
    const conditional = `subscription ($id: ID!, $status: Boolean!) {
      paymentEvents(paymentId: $id) { sequence status @include(if: $status) } }`;
    const watch = (query: string, variables: Record<string, unknown>) =>
      lab.watch({ query, variables: { id: 'pay_1', ...variables }, principal: one });
    const inboxes = [
      await watch(EVENTS, {}),
      await watch(conditional, { status: true }),
      await watch(conditional, { status: false }),
      await watch(conditional, { status: false }),
    ];
    for (const inbox of inboxes) await inbox.receive(1);
    const before = await lab.figure('gateway_event_resolutions_total');
    await lab.happen('pay_1', 2);
    const shapes = [];
    for (const inbox of inboxes)
      shapes.push(Object.keys((await inbox.receive(2))[1]?.data?.['paymentEvents'] as object));
    expect(shapes).toEqual([['cursor', 'sequence', 'status'], ['sequence', 'status'], ['sequence'], ['sequence']]);
    expect((await lab.figure('gateway_event_resolutions_total')) - before).toBe(3);
  });

  it('are answered apart where a variable makes a difference only to what they may not have', async () => {
    await lab.happen('pay_1', 1);
    const query = `subscription ($id: ID!, $risk: Boolean!) {
      paymentEvents(paymentId: $id) { sequence payment { id risk @include(if: $risk) } } }`;
    const watch = (risk: boolean) => lab.watch({ query, variables: { id: 'pay_1', risk }, principal: one });
    const [without, asking] = [await watch(false), await watch(true)];
    expect(await without.receive(1)).toEqual([{ data: { paymentEvents: { sequence: 1, payment: { id: 'pay_1' } } } }]);
    expect((await asking.receive(1)).map(codeOf)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
  });

  it('share what only says where they begin: who resumes and who never left get the same answers', async () => {
    await lab.happen('pay_1', 1, 2, 3);
    const first = await lab.watch({ query: EVENTS, variables: { id: 'pay_1' }, principal: one });
    const after = cursorOf((await first.receive(3))[1]);
    const resumed = await lab.watch({ query: EVENTS, variables: { id: 'pay_1', after }, principal: one });
    expect(sequencesIn(await resumed.receive(1))).toEqual([3]);
    const before = await lab.figure('gateway_event_resolutions_total');
    await lab.happen('pay_1', 4);
    expect((await first.receive(4)).at(-1)).toEqual((await resumed.receive(2)).at(-1));
    expect((await lab.figure('gateway_event_resolutions_total')) - before).toBe(1);
  });

  it('never share across rights: each principal is asked for by itself', async () => {
    const rate = { query: 'subscription { rateChanged(base: "USD") { rate } }' };
    const first = principal('TRAVELER', 'trv_us_one');
    const askers = [
      first,
      principal('TRAVELER', 'trv_us_two'),
      Principal.anonymous(),
      principal('TRAVELER', 'trv_us_one'),
    ];
    const inboxes = await Promise.all(askers.map((asker) => lab.watch({ ...rate, principal: asker })));
    const changes = (id: string, rate: string) =>
      lab.bus.publish([{ id, subjects: ['rate.USD.CNY'], payload: { base: 'USD', quote: 'CNY', rate } }]);
    // Who is still reading what was before has it answered for itself.
    await changes('r1', '7.1');
    for (const inbox of inboxes) expect(await inbox.receive(1)).toEqual([{ data: { rateChanged: { rate: '7.1' } } }]);
    const before = await lab.figure('gateway_event_resolutions_total');
    await changes('r2', '7.2');
    for (const inbox of inboxes)
      expect((await inbox.receive(2)).slice(1)).toEqual([{ data: { rateChanged: { rate: '7.2' } } }]);
    // The first and the last are one person with two objects.
    expect((await lab.figure('gateway_event_resolutions_total')) - before).toBe(3);
  });

  it('are asked for anew with each event: what they may not see any more is an error of that event only', async () => {
    await lab.happen('pay_1', 1);
    const inbox = await lab.watch({ query: EVENTS, variables: { id: 'pay_1' }, principal: one });
    await inbox.receive(1);
    lab.world.statuses.delete('pay_1');
    await lab.bus.publish([{ id: 'e2', subjects: ['payment.pay_1'], payload: { id: 'evt_pay_1_2' } }]);
    await inbox.receive(2);
    await lab.happen('pay_1', 3);
    const received = await inbox.receive(3);
    expect(received.map(codeOf)).toEqual([undefined, 'NOT_FOUND', undefined]);
    expect(sequencesIn(received)).toEqual([1, 3]);
  });
});

describe('A subscriber with a past', () => {
  it('joins what is live without a gap or a repetition, while others publish and many come and go', async () => {
    const LAST = 400;
    lab.world.statuses.set('pay_1', 'PAID');
    let published = 0;
    const publishing = (async () => {
      while (published < LAST) {
        const batch = upTo(Math.min(LAST, published + 1 + (published % 4)), published + 1);
        await lab.happen('pay_1', ...batch);
        published += batch.length;
      }
    })();
    /** Watches in pieces, each after the cursor of the one before. */
    const watchInPieces = async (pieces: number): Promise<unknown[]> => {
      const seen: unknown[] = [];
      let after: string | undefined;
      while (seen.length < LAST) {
        const variables = { id: 'pay_1', ...(after !== undefined && { after }) };
        const inbox = await lab.watch({ query: EVENTS, variables, principal: one });
        const received = await inbox.receive(Math.min(LAST - seen.length, pieces));
        inbox.leave();
        seen.push(...sequencesIn(received));
        after = cursorOf(received.at(-1));
      }
      return seen.slice(0, LAST);
    };
    const all = await Promise.all([3, 7, 20, 55, 90, 150, 400, 400].map(watchInPieces));
    await publishing;
    for (const seen of all) expect(seen).toEqual(upTo(LAST));
  });

  it('is waited for, however slowly it reads: what it has missed stays on the bus, not in memory', async () => {
    await lab.happen('pay_1', ...upTo(50));
    const inbox = await lab.watch({ query: EVENTS, variables: { id: 'pay_1' }, principal: one, isFull: true });
    await inbox.receive(1);
    // More than may wait for anybody come meanwhile.
    for (let last = 50; last < 1_350; last += 100) await lab.happen('pay_1', ...upTo(last + 100, last + 1));
    const quick = await lab.watch({ query: EVENTS, variables: { id: 'pay_1' }, principal: one });
    expect(sequencesIn(await quick.receive(1_350))).toEqual(upTo(1_350));
    expect(inbox.received).toHaveLength(1);
    inbox.resume();
    expect(sequencesIn(await inbox.receive(1_350))).toEqual(upTo(1_350));
    await lab.happen('pay_1', 1_351);
    expect(sequencesIn(await inbox.receive(1_351)).at(-1)).toBe(1_351);
    expect(inbox.isOver).toBe(false);
  });

  it('gets the newest event of a feed that is open already, once', async () => {
    const query = 'subscription { rateChanged(base: "USD") { rate } }';
    const publish = (rate: string) =>
      lab.bus.publish([{ id: rate, subjects: ['rate.USD.CNY'], payload: { base: 'USD', quote: 'CNY', rate } }]);
    const rates = (received: readonly { data?: Record<string, unknown> | null }[]) =>
      received.map(({ data }) => (data?.['rateChanged'] as { rate: string } | undefined)?.rate);
    await publish('1');
    const first = await lab.watch({ query });
    await first.receive(1);
    await publish('2');
    await first.receive(2);
    const second = await lab.watch({ query });
    await second.receive(1);
    await publish('3');
    expect(rates(await first.receive(3))).toEqual(['1', '2', '3']);
    expect(rates(await second.receive(2))).toEqual(['2', '3']);
  });
});

describe('A client that does not keep up', () => {
  it('is ended when 1,000 events wait for it, with the cursor to go on from, and holds up nobody', async () => {
    const slow = await lab.watch({ query: LIVE, principal: partner });
    const quick = await lab.watch({ query: LIVE, principal: partner });
    slow.pause();
    await lab.happen('pay_1', 1);
    await slow.receive(1);
    for (let last = 101; last <= 1_101; last += 100) {
      await lab.happen('pay_1', ...upTo(last, last - 99));
      // Who reads all that there is, but finds a thousand not resolved yet, is ended too.
      await quick.receive(last);
    }
    expect(sequencesIn(quick.received)).toEqual(upTo(1_101));
    const last = await slow.ended();
    expect(last?.errors?.[0]?.extensions).toEqual({
      code: 'STREAM_INTERRUPTED',
      transient: true,
      details: { cursor: cursorOf(slow.received[0]) },
    });
    expect(slow.received).toHaveLength(2);
    expect(await lab.figure('gateway_stream_endings_total', { reason: 'slow' })).toBe(1);
    const resumed = await lab.watch({
      query: LIVE,
      variables: { after: cursorOf(slow.received[0]) },
      principal: partner,
    });
    expect(sequencesIn(await resumed.receive(1_100))).toEqual(upTo(1_101, 2));
  });

  it('is not ended before: what waits for it arrives whole when it reads again', async () => {
    const slow = await lab.watch({ query: LIVE, principal: partner });
    const quick = await lab.watch({ query: LIVE, principal: partner });
    slow.pause();
    await lab.happen('pay_1', ...upTo(900));
    await quick.receive(900);
    expect(slow.received).toHaveLength(1);
    slow.resume();
    expect(sequencesIn(await slow.receive(900))).toEqual(upTo(900));
    expect(slow.isOver).toBe(false);
  });

  it('is not called slow where the subgraphs are', async () => {
    const inbox = await lab.watch({ query: LIVE, principal: partner });
    const opened = Promise.withResolvers<void>();
    lab.gate = opened.promise;
    for (let last = 0; last < 1_200; last += 100) await lab.happen('pay_1', ...upTo(last + 100, last + 1));
    expect(codeOf(await inbox.ended())).toBe('STREAM_INTERRUPTED');
    opened.resolve();
    expect(await lab.figure('gateway_stream_endings_total', { reason: 'interrupted' })).toBe(1);
    expect(await lab.figure('gateway_stream_endings_total', { reason: 'slow' })).toBe(0);
  });
});

describe('A stream', () => {
  it('ends with its token, and those who ask the same with another token go on', async () => {
    const watching = { query: LIVE, principal: partner };
    const brief = await lab.watch({ ...watching, expiresAt: new Date(Date.now() + 1_000) });
    const long = await lab.watch({ ...watching, expiresAt: new Date(Date.now() + 60_000) });
    await lab.happen('pay_1', 1);
    await brief.receive(1);
    expect(codeOf(await brief.ended())).toBe('UNAUTHENTICATED');
    await lab.happen('pay_1', 2);
    expect(sequencesIn(await long.receive(2))).toEqual([1, 2]);
    expect(brief.received).toHaveLength(2);
    expect(await lab.figure('gateway_stream_endings_total', { reason: 'expired' })).toBe(1);
  });

  it('ends with a word when the bus stops', async () => {
    const inbox = await lab.watch({ query: LIVE, principal: partner });
    await lab.bus.close();
    expect(codeOf(await inbox.ended())).toBe('STREAM_INTERRUPTED');
  });

  it.each(['follow', 'past'] as const)('is told to come again where the bus cannot be asked: its %s', async (asked) => {
    const { bus } = lab;
    await lab.happen('pay_1', 1);
    const asIs = bus[asked];
    bus[asked] = async () => {
      throw new Error('connect ECONNREFUSED');
    };
    const watching = { query: EVENTS, variables: { id: 'pay_1' }, principal: one };
    const early = await lab.watch(watching);
    expect(codeOf(await early.ended())).toBe('STREAM_INTERRUPTED');
    Object.assign(bus, { [asked]: asIs });
    const late = await lab.watch(watching);
    await lab.happen('pay_1', 2);
    expect(sequencesIn(await late.receive(2))).toEqual([1, 2]);
    expect(await lab.figure('gateway_open_streams')).toBe(1);
  });

  it('asks nothing any more when its client has left', async () => {
    const inbox = await lab.watch({ query: LIVE, principal: partner });
    await lab.happen('pay_1', 1);
    await inbox.receive(1);
    inbox.leave();
    const before = await lab.figure('gateway_event_resolutions_total');
    await lab.happen('pay_1', 2);
    const other = await lab.watch({ query: EVENTS, variables: { id: 'pay_1' }, principal: one });
    await other.receive(2);
    expect(inbox.received).toHaveLength(1);
    expect((await lab.figure('gateway_event_resolutions_total')) - before).toBe(2);
  });
});

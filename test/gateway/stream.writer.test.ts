import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Crowd,
  type CrowdMember,
  type CrowdRequest,
  crowdOverSse,
  crowdOverWs,
  eventuallyHolds,
} from '../support/crowd.js';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';
import { codeOf, cursorOf, sequencesIn, upTo } from '../support/stream-lab.js';

// What stands between us and a client that does not read: its socket, and how much of it the kernel takes.

let graph: SmallGraph;
let partner: string;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
  partner = await graph.token('PARTNER', 'ptr_us_one');
});
afterAll(() => graph.close());

const QUERY = 'subscription ($after: String) { partnerPaymentEvents(after: $after) { cursor sequence status } }';
// More than the kernel keeps for a connection, all of them together.
const EVENTS = 1_400;
const LARGE = 'x'.repeat(32 * 1024);

type Open = (asked: CrowdRequest) => Promise<Crowd>;
const transports: readonly (readonly [string, Open])[] = [
  ['SSE', (asked) => crowdOverSse(1, asked)],
  ['graphql-ws', (asked) => crowdOverWs(1, 1, asked)],
];

async function openStreams(): Promise<number> {
  const gauge = await graph.registry.getSingleMetric('gateway_open_streams')?.get();
  return (gauge?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

/** Publishes events no faster than `reader` gets them. */
async function publish(paymentId: string, sequences: readonly number[], reader: CrowdMember): Promise<void> {
  for (let first = 0; first < sequences.length; first += 100) {
    const batch = sequences.slice(first, first + 100);
    await graph.bus.publish(
      batch.map((sequence) => {
        const id = `evt_${paymentId}_${sequence}`;
        return { id, subjects: ['partner.ptr_us_one'], payload: { id } };
      }),
    );
    await eventuallyHolds(() => reader.received.length === first + batch.length);
  }
}

describe.each(transports)('A client over %s that stops reading', (name, open) => {
  it('gets what its socket took, then the word that it was too slow and its cursor; nobody else waits', async () => {
    const paymentId = `pay_slow${name.length}`;
    graph.statuses.set(paymentId, LARGE);
    const asked = { url: graph.url, token: partner, query: QUERY };
    const before = await openStreams();
    const [slow, quick] = [await open(asked), await open(asked)];
    await eventuallyHolds(async () => (await openStreams()) === before + 2);
    slow.pause();
    const [reader] = quick.members as [CrowdMember];
    await publish(paymentId, upTo(EVENTS), reader);
    expect(sequencesIn(reader.received)).toEqual(upTo(EVENTS));
    // It was let go, though it has not read yet that it was.
    await eventuallyHolds(async () => (await openStreams()) === before + 1);
    slow.resume();
    const [late] = slow.members as [CrowdMember];
    await eventuallyHolds(() => late.ending === 'complete');
    const { received } = late;
    const seen = sequencesIn(received);
    expect(seen).toEqual(upTo(seen.length));
    expect(seen.length).toBeLessThan(EVENTS - 1_000);
    expect(codeOf(received.at(-1))).toBe('STREAM_INTERRUPTED');
    const after = cursorOf(received.at(-2));
    expect(received.at(-1)?.errors?.[0]?.extensions?.['details']).toEqual({ cursor: after });
    const resumed = await open({ ...asked, variables: { after } });
    await eventuallyHolds(() => resumed.members[0]?.received.length === EVENTS - seen.length);
    expect(sequencesIn(resumed.members[0]?.received ?? [])).toEqual(upTo(EVENTS, seen.length + 1));
    for (const crowd of [slow, quick, resumed]) crowd.leave();
    await eventuallyHolds(async () => (await openStreams()) === before);
  });
});

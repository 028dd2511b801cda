import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { endInTurns } from '../../gateway/subscribe.drain.js';
import { crowdOverSse, crowdOverWs, eventuallyHolds } from '../support/crowd.js';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';
import { codeOf } from '../support/stream-lab.js';
import { overSse } from '../support/subscribers.js';

describe('Many that are to end', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    [1, 0],
    [100, 0],
    [2_000, 950],
    [10_000, 4_950],
    [50_000, 4_950],
  ])('are %d: the last of them ends after %d milliseconds', async (count, ms) => {
    jest.useFakeTimers({ now: 0 });
    const endedAt: number[] = [];
    const ending = endInTurns(Array.from({ length: count }), () => endedAt.push(Date.now()));
    await jest.advanceTimersByTimeAsync(10_000);
    await ending;
    expect(endedAt).toHaveLength(count);
    expect(endedAt.at(-1)).toBe(ms);
  });
});

describe('A gateway that stops', () => {
  let graph: SmallGraph;
  afterEach(() => graph.close());

  const RATE = 'subscription { rateChanged(base: "USD") { rate } }';

  async function openStreams(): Promise<number> {
    const gauge = await graph.registry.getSingleMetric('gateway_open_streams')?.get();
    return (gauge?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  }

  it('sends its clients away a few at a time, each with a word that it may come back', async () => {
    graph = await smallGraph({ inProcess: true, mostStreams: 10_000 });
    const asked = { url: graph.url, query: RATE };
    const overHttp = await crowdOverSse(450, asked);
    const sockets = await crowdOverWs(250, 2, asked);
    await eventuallyHolds(async () => (await openStreams()) === 950);
    const open = new Set<number>();
    let isDraining = true;
    // In each turn of the event loop, and not by a timer: a busy machine would look at few of the turns.
    const watching = (async () => {
      for (; isDraining; await nextTurn()) open.add(await openStreams());
    })();
    await graph.gateway.drain();
    isDraining = false;
    await watching;
    const members = [...overHttp.members, ...sockets.members];
    await eventuallyHolds(() => members.every(({ ending }) => ending !== null));
    for (const { received, ending } of overHttp.members) {
      expect(received.map(codeOf)).toEqual(['STREAM_INTERRUPTED']);
      expect(ending).toBe('complete');
    }
    // Nothing in the stream: a client of graphql-ws would take it for the operation's own end and not come back.
    for (const { received, ending } of sockets.members) {
      expect(received).toEqual([]);
      expect(ending).toBe(1012);
    }
    // Turns of 100, with a pause after each: in between only some are gone.
    expect([...open].filter((count) => count > 0 && count < 950).length).toBeGreaterThan(4);
    expect(await openStreams()).toBe(0);
  });

  it('takes no new streams, and says so, while it still answers queries', async () => {
    graph = await smallGraph({ inProcess: true });
    await graph.gateway.drain();
    const late = overSse({ url: graph.url, query: RATE });
    await late.ended;
    expect(late.received.map(codeOf)).toEqual(['STREAM_INTERRUPTED']);
  });

  it('closes sockets so that graphql-ws clients come back by themselves', async () => {
    graph = await smallGraph({ inProcess: true });
    const attempts: boolean[] = [];
    const client = createClient({
      url: `${graph.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 1,
      retryWait: async () => undefined,
      on: { connecting: (isRetry) => void attempts.push(isRetry) },
    });
    const stopped = new Promise<void>((resolve) => {
      client.subscribe({ query: RATE }, { next: () => undefined, error: () => resolve(), complete: () => resolve() });
    });
    await eventuallyHolds(async () => (await openStreams()) === 1);
    await graph.gateway.drain();
    await stopped;
    expect(attempts).toEqual([false, true]);
  });
});

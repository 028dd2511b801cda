import { onAsk, tell } from './process.channel.js';
import { Arrivals } from './subscriber.arrivals.js';
import { type Protocol, SseSubscriber, type Subscriber, WebSocketSubscriber } from './subscriber.js';

// Thousands of subscribers in a process of their own.

export interface OpenOrder {
  readonly url: string;
  readonly protocol: Protocol;
  readonly connections: number;
  /** Subscriptions on each connection. */
  readonly perConnection: number;
  /** Keys of products that they follow, in turns. */
  readonly keys: readonly number[];
}

export interface CollectOrder {
  /** How many subscribers each event reaches. */
  readonly each: number;
  /** Gives up when nothing arrived for so long. */
  readonly patienceMs: number;
  /** Gives up after so long in any case. */
  readonly mostMs: number;
}

export type Collected = ReturnType<Arrivals['report']> & { readonly complete: boolean };

const AT_ONCE = 100;
const LOOK_MS = 20;
const arrivals = new Arrivals();
let subscribers: Subscriber[] = [];

async function open({ url, protocol, connections, perConnection, keys }: OpenOrder): Promise<void> {
  const Kind = protocol === 'sse' ? SseSubscriber : WebSocketSubscriber;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < connections) {
      const first = next * perConnection;
      next += 1;
      const own = Array.from({ length: perConnection }, (_, index) => String(keys[(first + index) % keys.length]));
      const subscriber = new Kind({ url, keys: own, arrivals });
      subscribers.push(subscriber);
      await subscriber.open();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function collect({ each, patienceMs, mostMs }: CollectOrder): Promise<Collected> {
  let { total } = arrivals;
  const began = performance.now();
  let progressAt = began;
  const patient = (now: number) => now - progressAt < patienceMs && now - began < mostMs;
  while (!arrivals.hasAll(each) && patient(performance.now())) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (arrivals.total !== total) progressAt = performance.now();
    total = arrivals.total;
  }
  return { ...arrivals.report(), complete: arrivals.hasAll(each) };
}

function close(): void {
  for (const subscriber of subscribers) subscriber.close();
  subscribers = [];
}

onAsk({
  open,
  begin: ({ first, count }: { first: number; count: number }) => arrivals.begin(first, count),
  collect,
  close,
});
tell({ ready: true });

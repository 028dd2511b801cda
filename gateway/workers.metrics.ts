import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';
import { z } from 'zod';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { messageOf } from '../subgraphs/kernel/error.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { Scrape } from './http.js';
import { readGauge } from './metrics.figures.js';
import type { Workers } from './workers.js';

// Whoever scrapes reaches one worker, any of them. It asks the supervisor, which asks all. Each figure says whose it is:
// a sum would fall whenever a worker is replaced or does not answer, and Prometheus takes a counter that falls for one
// that began anew.

type Figures = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

const message = z.discriminatedUnion('gateway', [
  /** A worker asks for everybody's figures. */
  z.object({ gateway: z.literal('scrape'), id: z.number() }),
  z.object({ gateway: z.literal('scraped'), id: z.number(), text: z.string() }),
  /** The supervisor asks for a worker's own. */
  z.object({ gateway: z.literal('tell'), id: z.number() }),
  z.object({ gateway: z.literal('told'), id: z.number(), figures: z.array(z.unknown()) }),
]);
type Message = z.infer<typeof message>;

const TELL_MS = 2 * SECOND;
const SCRAPE_MS = 2 * TELL_MS;

/** What was asked of another process and is not answered yet. */
class Questions<Answer> {
  private readonly open = new Map<number, (answer: Answer) => void>();
  private count = 0;

  /** Resolves with null when there is no answer in time. */
  ask(send: (id: number) => void, patienceMs: number): Promise<Answer | null> {
    this.count += 1;
    const id = this.count;
    return new Promise((resolve) => {
      const settle = (answer: Answer | null) => {
        clearTimeout(timer);
        this.open.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(settle, patienceMs, null);
      this.open.set(id, settle);
      send(id);
    });
  }

  answered(id: number, answer: Answer): void {
    this.open.get(id)?.(answer);
  }
}

/** In a worker: tells its own figures when asked, and asks for those of all. */
export function scrapeAll(own: Registry, worker: Worker): Scrape {
  const questions = new Questions<string>();
  worker.on('message', (received: unknown) => {
    const heard = heardAs(received);
    if (heard?.gateway === 'scraped') questions.answered(heard.id, heard.text);
    if (heard?.gateway === 'tell')
      void own.getMetricsAsJSON().then((figures) => tell(worker, { gateway: 'told', id: heard.id, figures }));
  });
  return async () => {
    const text = await questions.ask((id) => tell(worker, { gateway: 'scrape', id }), SCRAPE_MS);
    if (text === null) throw new Error('the supervisor does not tell the figures of all workers');
    return { contentType: own.contentType, text };
  };
}

/** In the supervisor: gathers the figures of all workers for the one that asks. */
export function gatherFigures(workers: Workers, own: Registry, logger: Logger): void {
  readGauge(own, { name: 'gateway_workers', help: 'Workers that listen.', labelNames: [] }, () => [
    [{}, workers.listeners.length],
  ]);
  readGauge(own, { name: 'gateway_worker_restarts', help: 'Workers that ended by themselves.', labelNames: [] }, () => [
    [{}, workers.restarts],
  ]);
  const questions = new Questions<Figures>();
  const gather = async (): Promise<string> => {
    const told = await Promise.all(
      workers.listeners.map((worker) => questions.ask((id) => tell(worker, { gateway: 'tell', id }), TELL_MS)),
    );
    const all = AggregatorRegistry.aggregate(told.filter((figures) => figures !== null));
    return `${await all.metrics()}\n${await own.metrics()}`;
  };
  cluster.on('message', (worker, received: unknown) => {
    const heard = heardAs(received);
    if (heard?.gateway === 'told') questions.answered(heard.id, heard.figures as Figures);
    if (heard?.gateway !== 'scrape') return;
    gather()
      .then((text) => tell(worker, { gateway: 'scraped', id: heard.id, text }))
      .catch((thrown: unknown) => logger.error({ cause: messageOf(thrown) }, 'could not gather figures'));
  });
}

function heardAs(received: unknown): Message | null {
  return message.safeParse(received).data ?? null;
}

/** Whoever is gone meanwhile needs no answer. */
function tell(worker: Worker, words: Message): void {
  if (worker.isConnected()) worker.send(words, () => undefined);
}

import { messageOf } from '../../../subgraphs/kernel/error.js';
import { startContender } from './contender.js';
import { mostOpenFiles, processorMs } from './process.figures.js';
import type { MemoryInUse } from './process.memory.js';
import { Started } from './process.started.js';
import type { PublishOrder } from './publisher.js';
import { type Figures, milliseconds, percent, printAim, printCells, printTitle } from './report.js';
import type { Stage } from './stage.js';
import type { Protocol } from './subscriber.js';
import type { Collected, CollectOrder, OpenOrder } from './subscriber.process.js';

type Who = 'ours' | 'bare';

const titles: Readonly<Record<Who, string>> = { ours: 'ours', bare: 'bare node:http and ws' };

/** A way to subscribe: how many connections and subjects, and at which rates events come. */
interface Arrangement {
  readonly protocol: Protocol;
  readonly perConnection: number;
  readonly subjects: number;
  /** Events a second, gentle first: what cannot keep up with one is not asked for more. */
  readonly rates: readonly number[];
}

const arrangements: readonly Arrangement[] = [
  { protocol: 'graphql-ws', perConnection: 1, subjects: 1, rates: [1, 10, 100] },
  { protocol: 'graphql-ws', perConnection: 1, subjects: 1_000, rates: [100] },
  { protocol: 'graphql-ws', perConnection: 100, subjects: 1, rates: [1, 10, 100] },
  { protocol: 'sse', perConnection: 1, subjects: 1, rates: [1, 10, 100] },
  { protocol: 'sse', perConnection: 1, subjects: 1_000, rates: [100] },
];

const FIRST_KEY = 10_000_000;
const SPARE_FILES = 200;
const REHEARSAL = 200;
const PATIENCE_MS = 10_000;
const SETTLE_MS = 1_500;
const PROBE_RATE = 1_000;
const MOST_ATTEMPTS = 3;
const ASKED_RATE = 100;
const MOST_KIB = 6;
const MOST_P99_MS = 100;

/** Thousands of subscribers on one gateway process: what each costs, and how long an event takes to the last of them. */
export async function benchSubscribers(stage: Stage, figures: Figures): Promise<void> {
  const possible = mostOpenFiles() - SPARE_FILES;
  const count = Math.min(stage.options.subscribers, Math.floor(possible / 1_000) * 1_000);
  if (count < stage.options.subscribers)
    console.log(`\nOnly ${count} subscribers: this machine allows ${possible + SPARE_FILES} open files (ulimit -n).`);
  for (const arrangement of arrangements) {
    const { protocol, perConnection, subjects } = arrangement;
    printTitle(
      `${count} subscribers, ${protocol}, ${perConnection} a connection, ${subjects} subject${subjects === 1 ? '' : 's'}; events from a bus in memory`,
    );
    printCells('', ['subscriber', 'heap only', 'opened in', 'events', 'reached all', 'p50', 'p99', 'core', 'clients']);
    for (const who of ['ours', 'bare'] as const) await benchWho(stage, who, arrangement, count, figures);
  }
}

async function benchWho(
  stage: Stage,
  who: Who,
  arrangement: Arrangement,
  count: number,
  figures: Figures,
): Promise<void> {
  const flags = ['--expose-gc'];
  const server =
    who === 'ours'
      ? await startContender('ours', stage, { streams: true, flags })
      : await Started.run<{ url: string }>({
          file: 'test/bench/gateway/bare.process.js',
          core: stage.cores?.contender ?? null,
          flags,
        });
  const clients = await Started.run<object>({
    file: 'test/bench/gateway/subscriber.process.js',
    core: stage.cores?.load ?? null,
  });
  try {
    await new Audience(server, clients, arrangement, count).perform(stage.options.eventSeconds, who, figures);
  } catch (thrown) {
    // The others are still to be measured.
    printAim(`${titles[who]} serves ${count}`, messageOf(thrown).slice(0, 300), false);
  } finally {
    await clients.stop();
    await server.stop();
  }
}

interface Series {
  readonly perSecond: number;
  readonly events: number;
  readonly reachedAll: number;
  /** From when an event was due to when the last subscriber had it, of the events that reached all. Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly busy: number;
  readonly clientsBusy: number;
  readonly ended: number;
  /** Events that came as an error. */
  readonly failed: number;
  readonly reasons: readonly string[];
}

/** Subscribers and the server that they listen to. */
class Audience {
  private nextSequence = 1;
  private readonly keys: readonly number[];

  constructor(
    private readonly server: Started<{ url: string }>,
    private readonly clients: Started<object>,
    private readonly arrangement: Arrangement,
    private readonly count: number,
  ) {
    this.keys = Array.from({ length: arrangement.subjects }, (_, index) => FIRST_KEY + index);
  }

  async perform(seconds: number, who: Who, figures: Figures): Promise<void> {
    const { protocol, perConnection, subjects, rates } = this.arrangement;
    await this.rehearse();
    const before = await this.server.ask<MemoryInUse>('memory');
    const began = performance.now();
    await this.open(this.count / perConnection, perConnection);
    const openedMs = performance.now() - began;
    const missing = await this.untilAllHear(this.count);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const after = await this.server.ask<MemoryInUse>('memory');
    const kib = (after.resident - before.resident) / this.count / 1_024;
    const heldKib = (after.held - before.held) / this.count / 1_024;
    if (missing) printAim(`${titles[who]} serves ${this.count}`, missing.why.slice(0, 300), false);
    // Who has left costs nothing any more: such a figure would flatter.
    if (missing?.left) return;
    const memory = [`${kib.toFixed(1)} KiB`, `${heldKib.toFixed(1)} KiB`, `${(openedMs / 1_000).toFixed(1)} s`];
    if (missing) printCells(`  ${titles[who]}`, memory);
    for (const [index, rate] of missing ? [] : rates.entries()) {
      const series = await this.series(rate, Math.max(3, rate * seconds));
      figures.add({ subscribers: this.count, who, protocol, perConnection, subjects, kib, heldKib, ...series });
      printCells(`  ${titles[who]}, ${rate}/s`, [...(index === 0 ? memory : ['', '', '']), ...cellsOf(series)]);
      if (series.failed + series.ended > 0)
        console.log(
          `  ! ${series.failed} came as errors, ${series.ended} streams ended: ${series.reasons[0]?.slice(0, 200)}`,
        );
      if (who === 'ours' && rate === ASKED_RATE)
        printAim(`p99 to the last subscriber under ${MOST_P99_MS} ms`, milliseconds(series.p99), holds(series));
      if (series.reachedAll < series.events) {
        if (rate !== ASKED_RATE && who === 'ours')
          printAim(`p99 under ${MOST_P99_MS} ms at ${ASKED_RATE}/s`, 'not tried: a gentler rate was too much', false);
        break;
      }
    }
    if (who === 'ours') printAim(`under ${MOST_KIB} KiB a subscriber`, `${kib.toFixed(1)} KiB`, kib < MOST_KIB);
  }

  /** Everything is compiled and every pool is open before memory is looked at. */
  private async rehearse(): Promise<void> {
    const count = Math.max(REHEARSAL, this.keys.length);
    await this.open(count, 1);
    const missing = await this.untilAllHear(count);
    if (missing) throw new Error(`not even ${count}: ${missing.why}`);
    await this.clients.ask('close');
  }

  private open(connections: number, perConnection: number): Promise<null> {
    const { protocol } = this.arrangement;
    const order: OpenOrder = { url: this.server.hello.url, protocol, connections, perConnection, keys: this.keys };
    return this.clients.ask('open', order);
  }

  /**
   * A subscription says nothing when it is attached: so events are sent until each has heard one, or an error instead.
   * @returns what is missing, if anything
   */
  private async untilAllHear(count: number): Promise<{ readonly why: string; readonly left: boolean } | null> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const { collected } = await this.send(PROBE_RATE, this.keys.length, count / this.keys.length);
      if (collected.ended > 0)
        return { why: `${collected.ended} subscribers ended: ${collected.reasons.join('; ')}`, left: true };
      if (collected.complete) return null;
    }
    return { why: 'not every subscriber heard an event', left: false };
  }

  private async series(perSecond: number, events: number): Promise<Series> {
    const began = performance.now();
    const [server, clients] = [processorMs(this.server.pid), processorMs(this.clients.pid)];
    const each = this.count / this.keys.length;
    const { due, collected } = await this.send(perSecond, events, each);
    const lasted = performance.now() - began;
    const latencies = due
      .map((dueAt, index) => ((collected.counts[index] ?? 0) >= each ? (collected.lastAt[index] ?? 0) - dueAt : null))
      .filter((latency) => latency !== null)
      .toSorted((left, right) => left - right);
    const at = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
    return {
      perSecond,
      events,
      reachedAll: latencies.length,
      p50: at(0.5) ?? Number.NaN,
      p99: at(0.99) ?? Number.NaN,
      busy: (processorMs(this.server.pid) - server) / lasted,
      clientsBusy: (processorMs(this.clients.pid) - clients) / lasted,
      ended: collected.ended,
      failed: collected.failed,
      reasons: collected.reasons,
    };
  }

  private async send(perSecond: number, count: number, each: number) {
    const firstSequence = this.nextSequence;
    this.nextSequence += count;
    await this.clients.ask('begin', { first: firstSequence, count });
    const order: PublishOrder = { keys: this.keys, perSecond, count, firstSequence };
    const published = this.server.ask<number[]>('publish', order);
    const collect: CollectOrder = {
      each,
      patienceMs: PATIENCE_MS,
      mostMs: (count * 1_000) / perSecond + 2 * PATIENCE_MS,
    };
    const collected = await this.clients.ask<Collected>('collect', collect);
    return { due: await published, collected };
  }
}

function holds({ p99, reachedAll, events }: Series): boolean {
  return reachedAll === events && p99 < MOST_P99_MS;
}

function cellsOf(series: Series): string[] {
  return [
    String(series.events),
    String(series.reachedAll),
    milliseconds(series.p50),
    milliseconds(series.p99),
    percent(series.busy),
    percent(series.clientsBusy),
  ];
}

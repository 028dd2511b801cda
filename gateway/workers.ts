import cluster, { type Worker } from 'node:cluster';
import { MINUTE, SECOND } from '../subgraphs/kernel/clock.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';

/** Tells a worker which of them it is: from 1 on, and the same again for the one that takes its place. */
export const WORKER_VARIABLE = 'GATEWAY_WORKER';

export interface Patience {
  /** Before a worker that ended is started again: the first pause, doubled each time, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Who lived so long did not fail at its start. */
  readonly provenMs: number;
  /** Longer than any worker takes to finish what is under way. */
  readonly lastResortMs: number;
}

const PATIENCE: Patience = {
  firstPauseMs: SECOND / 2,
  longestPauseMs: 30 * SECOND,
  provenMs: MINUTE,
  lastResortMs: 45 * SECOND,
};

/** One of the places that workers take, one after the other. */
interface Place {
  readonly number: number;
  worker: Worker | null;
  isListening: boolean;
  startedAt: number;
  /** How often in a row it ended soon. */
  failures: number;
  timer: NodeJS.Timeout | null;
}

/**
 * Keeps processes that share a port alive, and does nothing else: whatever breaks a worker does not break this. The
 * first one goes ahead: where it cannot even start, none can, and it has said why.
 */
export class Workers {
  restarts = 0;
  private readonly places: Place[];
  private readonly over = Promise.withResolvers<number>();
  private proven = false;
  private stopping = false;
  private code = 0;

  constructor(
    count: number,
    private readonly logger: Logger,
    private readonly patience: Patience = PATIENCE,
  ) {
    this.places = Array.from({ length: count }, (_, index) => {
      return { number: index + 1, worker: null, isListening: false, startedAt: 0, failures: 0, timer: null };
    });
  }

  /** Resolves with an exit code when all are gone. */
  run(): Promise<number> {
    cluster.on('listening', (worker) => this.listening(worker));
    cluster.on('exit', (worker, code, signal) => this.ended(worker, code, signal));
    const [first] = this.places;
    if (first) this.start(first);
    return this.over.promise;
  }

  /** Those that listen. */
  get listeners(): Worker[] {
    return this.places.flatMap(({ worker, isListening }) => (worker && isListening ? [worker] : []));
  }

  /** Lets all of them finish what is under way. */
  async stop(): Promise<void> {
    if (!this.stopping) {
      this.stopping = true;
      for (const { timer } of this.places) if (timer) clearTimeout(timer);
      for (const { worker } of this.places) worker?.process.kill('SIGTERM');
      setTimeout(() => this.killAll(), this.patience.lastResortMs).unref();
      this.endIfAllAreGone();
    }
    await this.over.promise;
  }

  private start(place: Place): void {
    place.timer = null;
    place.startedAt = performance.now();
    place.worker = cluster.fork({ [WORKER_VARIABLE]: String(place.number) });
  }

  private listening(worker: Worker): void {
    const place = this.placeOf(worker);
    if (!place) return;
    place.isListening = true;
    this.logger.info({ worker: place.number, pid: worker.process.pid }, 'a worker listens');
    if (this.proven || this.stopping) return;
    this.proven = true;
    for (const place of this.places) if (!place.worker) this.start(place);
  }

  private ended(worker: Worker, code: number | null, signal: string | null): void {
    const place = this.placeOf(worker);
    if (!place) return;
    place.worker = null;
    place.isListening = false;
    if (this.stopping || !this.proven) this.endedForGood(code, signal);
    else this.startAgain(place, code, signal);
  }

  /** When told to; or it was the first one, and could not even start. */
  private endedForGood(code: number | null, signal: string | null): void {
    // One that was told before it could listen for the word.
    const wasStopped = this.stopping && signal === 'SIGTERM';
    if (code !== 0 && !wasStopped) this.code = 1;
    this.stopping = true;
    this.endIfAllAreGone();
  }

  private startAgain(place: Place, code: number | null, signal: string | null): void {
    const { firstPauseMs, longestPauseMs, provenMs } = this.patience;
    place.failures = performance.now() - place.startedAt > provenMs ? 0 : place.failures + 1;
    const ms = Math.min(firstPauseMs * 2 ** Math.max(0, place.failures - 1), longestPauseMs);
    this.restarts += 1;
    this.logger.error({ worker: place.number, code, signal, againInMs: ms }, 'a worker ended by itself');
    place.timer = setTimeout(() => this.start(place), ms);
  }

  private endIfAllAreGone(): void {
    if (this.places.every(({ worker }) => worker === null)) this.over.resolve(this.code);
  }

  private killAll(): void {
    for (const { worker } of this.places) worker?.process.kill('SIGKILL');
  }

  private placeOf(worker: Worker): Place | undefined {
    return this.places.find((place) => place.worker === worker);
  }
}

import { sleep } from '../../kernel/clock.js';
import { msLeft, withoutDeadline } from '../../kernel/deadline.js';
import { UnavailableError } from '../../kernel/error.js';

/** For the way of the answer. */
const MARGIN_MS = 500;
/** Whoever comes later than this wants it as it is then. */
const KEPT_MS = 10 * 60_000;
const FOREVER_MS = 2 ** 31 - 1;

interface Reading<Found> {
  readonly found: Promise<Found>;
  endedAt: number | null;
}

/**
 * Something that may take longer than whoever asks for it can wait. It is begun once, however many ask meanwhile, and
 * goes on when they have to leave; what comes of it is kept for the next one who asks, and no longer: it would grow old.
 */
export class LongRead<Found> {
  private reading: Reading<Found> | null = null;

  constructor(
    private readonly read: () => Promise<Found>,
    private readonly clockMs: () => number = () => performance.now(),
  ) {}

  /** @throws UnavailableError SUBGRAPH_UNAVAILABLE when it is not done in time: asked again, it has gone on */
  async ask(): Promise<Found> {
    const endedAt = this.reading?.endedAt ?? null;
    if (endedAt !== null && this.clockMs() - endedAt > KEPT_MS) this.reading = null;
    this.reading ??= this.begin();
    const { reading } = this;
    const leaving = new AbortController();
    const late = sleep(Math.min(FOREVER_MS, Math.max(0, msLeft() - MARGIN_MS)), leaving.signal);
    await Promise.race([reading.found.catch(() => undefined), late]);
    leaving.abort();
    if (reading.endedAt === null)
      throw new UnavailableError('SUBGRAPH_UNAVAILABLE', 'This takes its time and goes on. Ask again in a while.', {
        progress: 'UNDER_WAY',
      });
    if (this.reading === reading) this.reading = null;
    return reading.found;
  }

  private begin(): Reading<Found> {
    const found = withoutDeadline(() => this.read());
    const reading: Reading<Found> = { found, endedAt: null };
    const end = () => {
      reading.endedAt = this.clockMs();
    };
    // Before anybody who waits for it goes on.
    found.then(end, end);
    return reading;
  }
}

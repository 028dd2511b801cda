import type { Presence } from './context.js';
import type { Carried } from './fetch.transport.js';

/** Ended by us before there was an answer. */
export abstract class FlightStopped extends Error {}

/** Nobody waits any longer: says nothing about the one that was asked. */
export class CallerGone extends FlightStopped {
  override readonly name = 'CallerGone';
}

/** The one that was asked did not answer in time. */
export class DeadlineExceeded extends FlightStopped {
  override readonly name = 'DeadlineExceeded';
}

/** Something asked for, with those who wait for it. Over when it settled, or when it was stopped. */
export class Flight<T> implements Carried {
  onStop: (() => void) | null = null;
  /** Tells the attempt under way, also where what carries it cannot be stopped. */
  onEnd: ((reason: Error) => void) | null = null;
  /** Why it was stopped, where it was. */
  reason: Error | null = null;
  readonly outcome: Promise<T>;
  /** Its place in the watch's list; -1 where it is not watched. */
  seat = -1;
  private readonly resolve: (value: T) => void;
  private readonly reject: (reason: unknown) => void;
  private readonly callers: (Presence | undefined)[] = [];

  constructor(
    readonly deadlineAt: number,
    /** Nobody can call it back: a mutation that was sent runs to its end, also when its caller hangs up. */
    private readonly unstoppable: boolean,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Whoever launched it may be the only one who looks, and only later.
    promise.catch(() => undefined);
    this.outcome = promise;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** @param signal aborts when this caller is gone; without one it waits to the end */
  joinedBy(signal: Presence | undefined): void {
    this.callers.push(signal);
  }

  land(value: T): void {
    this.resolve(value);
  }

  fail(reason: unknown): void {
    this.reject(reason);
  }

  stop(reason: Error): void {
    this.reason = reason;
    this.reject(reason);
    this.onStop?.();
    this.onEnd?.(reason);
  }

  get isDeserted(): boolean {
    if (this.unstoppable) return false;
    for (const signal of this.callers) if (!signal?.aborted) return false;
    return this.callers.length > 0;
  }
}

const TICK_MS = 20;

/**
 * Ends what takes too long or what nobody waits for any more. One timer looks at everything under way: a timer and a
 * listener for each fetch would cost more than they watch.
 *
 * A list, and not a Set: from time to time a Set that things are added to and deleted from moves to a new table, and the
 * old one, with what was in it, points to the new one. Once one of them is old, no minor garbage collection frees those
 * after it, and with them every answer.
 */
export class FlightWatch {
  private readonly flights: Flight<never>[] = [];
  private timer: NodeJS.Timeout | null = null;
  private idleTicks = 0;

  add<T>(flight: Flight<T>): void {
    flight.seat = this.flights.push(flight as unknown as Flight<never>) - 1;
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  remove<T>(flight: Flight<T>): void {
    const { seat } = flight;
    if (seat < 0) return;
    flight.seat = -1;
    const last = this.flights.pop();
    // The last one takes the place that became free, unless it is the one that goes.
    if (!last || last.seat < 0) return;
    this.flights[seat] = last;
    last.seat = seat;
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    const now = performance.now();
    // From the end: what takes the place of one that goes was looked at already.
    for (let seat = this.flights.length - 1; seat >= 0; seat -= 1) {
      const flight = this.flights[seat];
      if (!flight) continue;
      if (flight.deadlineAt <= now) flight.stop(new DeadlineExceeded());
      else if (flight.isDeserted) flight.stop(new CallerGone());
      else continue;
      this.remove(flight);
    }
    // Not at once: starting a timer for each request of a quiet gateway is what this class avoids.
    this.idleTicks = this.flights.length === 0 ? this.idleTicks + 1 : 0;
    if (this.idleTicks > 1_000 / TICK_MS) this.close();
  }
}

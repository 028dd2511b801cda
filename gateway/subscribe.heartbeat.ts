/** Something that shows its client now and then that we live. */
export interface Beating {
  beat(): void;
}

const TICK_MS = 250;

interface Ring {
  readonly slots: readonly Set<Beating>[];
  /** Whose turn it is. */
  now: number;
  added: number;
}

/**
 * The heartbeats of all streams by one timer: one for each would cost more memory than the rest of a quiet stream. They
 * are spread over the time between two beats, however many begin at once.
 */
export class Heartbeats {
  private readonly rings = new Map<number, Ring>();
  private timer: NodeJS.Timeout | null = null;

  /** The first beat comes after at least half of `everyMs`. */
  add(beating: Beating, everyMs: number): void {
    const ring = this.ringOf(everyMs);
    const { length } = ring.slots;
    const ahead = length - 1 - (ring.added % Math.ceil(length / 2));
    ring.added += 1;
    ring.slots[(ring.now + ahead) % length]?.add(beating);
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  remove(beating: Beating, everyMs: number): void {
    for (const slot of this.rings.get(everyMs)?.slots ?? []) if (slot.delete(beating)) return;
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.rings.clear();
  }

  private ringOf(everyMs: number): Ring {
    const known = this.rings.get(everyMs);
    if (known) return known;
    const slots = Array.from({ length: Math.max(2, Math.round(everyMs / TICK_MS)) }, () => new Set<Beating>());
    const ring: Ring = { slots, now: 0, added: 0 };
    this.rings.set(everyMs, ring);
    return ring;
  }

  private tick(): void {
    for (const ring of this.rings.values()) {
      ring.now = (ring.now + 1) % ring.slots.length;
      for (const beating of ring.slots[ring.now] ?? []) beating.beat();
    }
  }
}

/** What waits, one of each asker in turn: whoever asks for much waits behind themselves, not before others. */
export class FairLine<Item> {
  /** In the order of the askers' next turns. */
  private readonly waiting = new Map<string, Set<Item>>();
  private readonly askers = new Map<Item, Set<string>>();

  /** How many items wait, however many wait for each. */
  get length(): number {
    return this.askers.size;
  }

  /** Gives it a place behind all that this asker waits for already, also where others wait for it too. */
  enter(asker: string, item: Item): void {
    const items = this.waiting.get(asker) ?? new Set();
    this.waiting.set(asker, items.add(item));
    this.askers.set(item, (this.askers.get(item) ?? new Set()).add(asker));
  }

  /** The next one, which waits no more. */
  take(): Item | undefined {
    for (const [asker, items] of this.waiting)
      for (const item of items) {
        this.waiting.delete(asker);
        this.waiting.set(asker, items);
        for (const each of this.askers.get(item) ?? []) this.leave(each, item);
        return item;
      }
    return undefined;
  }

  /** Puts out the last of what whoever waits for most waits for alone. Undefined where all that waits is `spared`'s. */
  crowdOut(spared: string): Item | undefined {
    let most: readonly [asker: string, items: Set<Item>] | null = null;
    for (const each of this.waiting) if (each[0] !== spared && each[1].size >= (most?.[1].size ?? 0)) most = each;
    if (!most) return undefined;
    const [asker, items] = most;
    // What others wait for too stays where they have it.
    for (const item of [...items].reverse()) if (this.leave(asker, item)) return item;
    return this.crowdOut(spared);
  }

  /** @returns whether nobody waits for it any more */
  private leave(asker: string, item: Item): boolean {
    const items = this.waiting.get(asker);
    items?.delete(item);
    if (items?.size === 0) this.waiting.delete(asker);
    const askers = this.askers.get(item);
    askers?.delete(asker);
    if (askers && askers.size > 0) return false;
    this.askers.delete(item);
    return true;
  }
}

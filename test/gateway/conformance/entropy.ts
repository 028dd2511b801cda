/**
 * Decisions for a generator, taken from a list of numbers. Where the list ends, and where a number is 0, the decision is
 * the plainest one: so a shorter list of smaller numbers, which is what fast-check shrinks to, makes a plainer thing.
 */
export class Entropy {
  private at = 0;

  constructor(private readonly numbers: readonly number[]) {}

  below(bound: number): number {
    const number = this.numbers[this.at] ?? 0;
    this.at += 1;
    return number % bound;
  }

  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  /** @throws when there is nothing to pick */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  some<Item>(items: readonly Item[], percent: number): Item[] {
    return items.filter(() => this.chance(percent));
  }
}

/** A number that depends on every character, and on nothing else. */
export function hash(...parts: readonly unknown[]): number {
  let value = 2_166_136_261;
  for (const character of parts.join('|')) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 16_777_619);
  value = Math.imul(value ^ (value >>> 16), 2_246_822_507);
  value = Math.imul(value ^ (value >>> 13), 3_266_489_909);
  return (value ^ (value >>> 16)) >>> 0;
}

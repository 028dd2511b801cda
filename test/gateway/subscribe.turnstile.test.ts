import { describe, expect, it } from '@jest/globals';
import { Turnstile } from '../../gateway/subscribe.turnstile.js';

describe('A turnstile', () => {
  it('lets so many through at once, in the order in which they came, and forgets nobody whose neighbour fails', async () => {
    const turnstile = new Turnstile(3);
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        turnstile.through(async () => {
          inside += 1;
          most = Math.max(most, inside);
          order.push(index);
          await new Promise((resolve) => setTimeout(resolve, 1));
          inside -= 1;
          if (index % 7 === 0) throw new Error(`${index} fails`);
          return index;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(order).toEqual(order.toSorted((left, right) => left - right));
    expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(outcomes.map((_, index) => index % 7 === 0));
  });
});

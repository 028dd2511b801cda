import { setImmediate as loop } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Turns } from '../../gateway/prepare.turns.js';

describe('Turns of new documents', () => {
  it('come one in each turn of the event loop, so that whatever else waits is never behind two of them', async () => {
    const turns = new Turns();
    const had: number[] = [];
    for (let number = 0; number < 4; number += 1) void turns.take('a').then(() => had.push(number));
    const after: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await loop();
      after.push(had.length);
    }
    expect(had).toEqual([0, 1, 2, 3]);
    expect(Math.max(...after.map((count, turn) => count - (after[turn - 1] ?? 1)))).toBe(1);
  });

  it('come at once where nobody had one just now', async () => {
    const turns = new Turns();
    for (let round = 0; round < 2; round += 1) {
      const had: string[] = [];
      void turns.take('a').then(() => had.push('turn'));
      await Promise.resolve();
      expect(had).toEqual(['turn']);
      await loop();
    }
  });

  it('are had by askers one after the other, however many documents one of them has', async () => {
    const turns = new Turns();
    const had: string[] = [];
    const take = (asker: string) => turns.take(asker).then(() => had.push(asker));
    await Promise.all([...Array.from({ length: 20 }, () => take('flood')), take('other'), take('third')]);
    expect(had.slice(0, 4)).toEqual(['flood', 'flood', 'other', 'third']);
    expect(had).toHaveLength(22);
  });
});

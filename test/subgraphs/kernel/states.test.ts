import { describe, expect, it } from '@jest/globals';
import { ForbiddenTransition, isFinal, step, type Transitions } from '../../../subgraphs/kernel/states.js';

describe('states', () => {
  const table: Transitions<'OPEN' | 'DONE' | 'GONE'> = { OPEN: ['DONE', 'GONE'], DONE: [], GONE: [] };

  it('follow each other only as the table says', () => {
    for (const from of ['OPEN', 'DONE', 'GONE'] as const)
      for (const to of ['OPEN', 'DONE', 'GONE'] as const)
        if (table[from].includes(to)) expect(step(table, from, to)).toBe(to);
        else expect(() => step(table, from, to)).toThrow(new ForbiddenTransition(`${from} may not become ${to}`));
  });

  it('are final where nothing follows', () => {
    expect([isFinal(table, 'OPEN'), isFinal(table, 'DONE')]).toEqual([false, true]);
  });
});

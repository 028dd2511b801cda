import { describe, expect, it } from '@jest/globals';
import { after, sleep } from '../../../subgraphs/kernel/clock.js';

describe('clock', () => {
  it('tells the moment after and before another', () => {
    expect(after(new Date(1_000), 500)).toEqual(new Date(1_500));
    expect(after(new Date(1_000), -500)).toEqual(new Date(500));
  });

  it('sleeps as long as asked, or until it is told to stop', async () => {
    const startedAt = Date.now();
    await sleep(30);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(28);
    const controller = new AbortController();
    const sleeping = sleep(60_000, controller.signal);
    controller.abort();
    await sleeping;
    await sleep(60_000, controller.signal);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});

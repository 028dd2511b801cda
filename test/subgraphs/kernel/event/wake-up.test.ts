import { describe, expect, it } from '@jest/globals';
import { WakeUp } from '../../../../subgraphs/kernel/event/wake-up.js';

describe('WakeUp', () => {
  it('does not lose a call that comes before the sleep, and counts it once', async () => {
    const wakeUp = new WakeUp();
    wakeUp.call();
    wakeUp.call();
    const startedAt = Date.now();
    await wakeUp.sleep(10_000);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    const second = wakeUp.sleep(10_000);
    wakeUp.call();
    await second;
    const thirdAt = Date.now();
    await wakeUp.sleep(30);
    expect(Date.now() - thirdAt).toBeGreaterThanOrEqual(28);
  });
});

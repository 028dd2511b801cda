import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Repetition } from '../../../subgraphs/kernel/repetition.js';

const HOUR_MS = 3_600_000;

describe('A repetition', () => {
  it('goes on after a failure, and says it', async () => {
    const failures: unknown[] = [];
    let times = 0;
    const done = Promise.withResolvers<void>();
    const repetition = new Repetition(
      async () => {
        times += 1;
        if (times === 1) throw new Error('once');
        if (times === 3) done.resolve();
      },
      1,
      (thrown) => failures.push(thrown),
    );
    repetition.start();
    await done.promise;
    await repetition.stop();
    expect(failures).toEqual([new Error('once')]);
  });

  it('is one, however often it is started', async () => {
    let times = 0;
    const repetition = new Repetition(
      async () => {
        times += 1;
      },
      HOUR_MS,
      () => undefined,
    );
    repetition.start();
    repetition.start();
    await delay(20);
    expect(times).toBe(1);
    await repetition.stop();
  });

  it('stops between two steps of its work and does not sleep first, and nothing happens afterwards', async () => {
    const begun = Promise.withResolvers<void>();
    const steps: string[] = [];
    const repetition = new Repetition(
      async (isStopped) => {
        steps.push('first');
        begun.resolve();
        await delay(20);
        steps.push(isStopped() ? 'broken off' : 'second');
      },
      HOUR_MS,
      () => undefined,
    );
    repetition.start();
    await begun.promise;
    await repetition.stop();
    expect(steps).toEqual(['first', 'broken off']);
    await delay(20);
    expect(steps).toHaveLength(2);
  });

  it('may be stopped without having been started', async () => {
    await new Repetition(
      async () => undefined,
      1,
      () => undefined,
    ).stop();
  });
});

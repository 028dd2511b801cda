import { setTimeout as delay } from 'node:timers/promises';
import { type Cost, metered } from './meter.js';
import type { Purchase, Stage, Times } from './stage.js';

/** What came of a load. */
export interface Flow {
  /** Finished before the clock stopped. */
  readonly count: number;
  readonly elapsedMs: number;
  readonly times: readonly Times[];
  readonly cost: Cost;
}

/** How many checkouts are begun at once while a load is prepared. */
const PREPARING = 16;
const LOOK_MS = 50;

/** For each lane so many checkouts of its own traveler. @param codeOf the shop, by the number of the purchase */
export async function prepared(
  stage: Stage,
  lanes: number,
  each: number,
  codeOf?: (nth: number) => string | undefined,
): Promise<Purchase[][]> {
  const purchases: Purchase[][] = Array.from({ length: lanes }, () => []);
  let nth = 0;
  const begin = async () => {
    while (nth < lanes * each) {
      const mine = nth;
      nth += 1;
      purchases[mine % lanes]?.push(await stage.start(stage.traveler(mine % lanes), codeOf?.(mine)));
    }
  };
  await Promise.all(Array.from({ length: PREPARING }, begin));
  return purchases;
}

/**
 * Each lane does one thing after another: as fast as it goes. The clock stops after `seconds`, but not before there are
 * twice as many finished as lanes, or when the first lane has no work left. What is under way then is finished, and not
 * counted.
 */
export async function pressed<Work>(
  stage: Stage,
  lanes: readonly Work[][],
  seconds: number,
  work: (one: Work) => Promise<Times>,
): Promise<Flow> {
  const read = await metered(stage);
  const began = performance.now();
  const times: Times[] = [];
  const over = Promise.withResolvers<void>();
  const clock = setInterval(() => {
    if (performance.now() - began >= seconds * 1_000 && times.length >= 2 * lanes.length) over.resolve();
  }, LOOK_MS);
  let isOver = false;
  const ended = Promise.all(
    lanes.map(async (lane) => {
      for (let one = lane.shift(); one !== undefined && !isOver; one = lane.shift()) {
        const done = await work(one);
        if (!isOver) times.push(done);
      }
      over.resolve();
    }),
  );
  await Promise.race([over.promise, ended]);
  isOver = true;
  clearInterval(clock);
  const elapsedMs = performance.now() - began;
  const count = times.length;
  const cost = await read();
  await ended;
  return { count, elapsedMs, times, cost };
}

/**
 * Begins one thing after another at a steady pace, whether those before have ended or not. Who waits counts from when
 * it was due, so that a load that comes late does not look better.
 */
export async function paced(
  stage: Stage,
  perSecond: number,
  count: number,
  work: (dueAt: number) => Promise<Times>,
): Promise<Flow> {
  const read = await metered(stage);
  const began = performance.now();
  const running: Promise<Times>[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const dueAt = began + (nth * 1_000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await delay(early);
    const one = work(dueAt);
    // Heard of below, when all have begun.
    one.catch(() => undefined);
    running.push(one);
  }
  const times = await Promise.all(running);
  return { count, elapsedMs: performance.now() - began, times, cost: await read() };
}

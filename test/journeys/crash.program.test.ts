import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FaultPoint, faultPoints } from '../../subgraphs/kernel/fault.js';
import { type JourneyName, journeyNames } from '../support/crash.journeys.js';
import { CrashLab } from '../support/crash.lab.js';

/** `CRASH_POINTS=all` tries every point alone, which takes minutes; a number tries so many, spread over all of them. */
const POINTS = process.env['CRASH_POINTS'] ?? '12';
/** `CRASH_PAIRS=all` tries every pair, which takes hours; a number tries so many of them. */
const PAIRS = process.env['CRASH_PAIRS'] ?? '2';
const MINUTE_MS = 60_000;

/** Two at once, where there are many to try: most of the time of one is waiting. */
const LABS = POINTS === 'all' ? 2 : 1;
let labs: readonly CrashLab[] = [];
beforeAll(async () => {
  labs = await Promise.all(Array.from({ length: LABS }, () => CrashLab.start()));
});
afterAll(async () => {
  await Promise.all(labs.map((lab) => lab.stop()));
});

/** How often each point is passed by each journey when nothing happens to it. */
const passed = new Map<FaultPoint, { readonly journey: JourneyName; readonly times: number }>();
/** What a process passes that takes over from one that was killed there: where it may be killed next. */
const passedAfter = new Map<FaultPoint, readonly FaultPoint[]>();

/** Hands out all of them to the labs. @returns what went wrong, by name; a lab ends with its first trouble */
async function tryAll<Case>(
  cases: readonly Case[],
  nameOf: (each: Case) => string,
  attempt: (lab: CrashLab, each: Case) => Promise<readonly string[]>,
): Promise<Record<string, readonly string[]>> {
  const wrong: Record<string, readonly string[]> = {};
  const queue = [...cases];
  const work = async (lab: CrashLab): Promise<void> => {
    for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
      const found = await attempt(lab, each).catch((thrown: unknown) => [String(thrown)]);
      if (found.length === 0) continue;
      wrong[nameOf(each)] = found;
      return;
    }
  };
  await Promise.all(labs.map(work));
  return wrong;
}

/** Somewhere among all the times that it is passed. */
function planFor(point: FaultPoint) {
  return { point, hit: Math.ceil((passed.get(point)?.times ?? 1) / 3) };
}

/** Kills the process at a point, with a journey under way. @returns what is wrong with what is left of it */
async function kill(lab: CrashLab, point: FaultPoint): Promise<readonly string[]> {
  const died = await lab.travelTo(planFor(point), passed.get(point)?.journey ?? 'everyday');
  return died ? lab.contradictions() : ['it was not reached'];
}

describe('payments', () => {
  it('passes every fault point on one of its journeys', async () => {
    const travel = async (lab: CrashLab): Promise<void> => {
      let before: ReadonlyMap<FaultPoint, number> = new Map();
      // The first time nothing is there yet that could be refunded.
      for (const name of ['everyday', ...journeyNames] as const) {
        await lab.travel(name);
        await lab.settle();
        expect(await lab.wrongs()).toEqual([]);
        const now = lab.reached();
        for (const [point, times] of now) {
          const more = times - (before.get(point) ?? 0);
          if (more > 0 && !passed.has(point)) passed.set(point, { journey: name, times: more });
        }
        before = now;
      }
    };
    await Promise.all(labs.map(travel));
    expect(faultPoints.filter((point) => !passed.has(point))).toEqual([]);
  });

  it(
    'ends everything right, once, wherever it is killed (M1 to M10)',
    async () => {
      const points = spread();
      const wrong = await tryAll(
        points,
        (point) => point,
        async (lab, point) => {
          const dead = await kill(lab, point);
          await lab.revive();
          await lab.settle();
          passedAfter.set(point, [...lab.reached().keys()]);
          return [...dead, ...(await lab.wrongs())];
        },
      );
      expect(wrong).toEqual({});
      expect(passedAfter.size).toBe(points.length);
    },
    20 * MINUTE_MS,
  );

  it(
    'ends everything right, once, when whoever takes over is killed too (M1 to M10)',
    async () => {
      let killedTwice = 0;
      const pairs = sample(
        [...passedAfter].flatMap(([first, after]) => after.map((second) => [first, second] as const)),
      );
      const wrong = await tryAll(
        pairs,
        ([first, second]) => `${first}, then ${second}`,
        async (lab, [first, second]) => {
          const dead = [...(await kill(lab, first))];
          const lived = (await lab.revive({ point: second, hit: 1 })) && (await lab.settle());
          if (!lived) {
            killedTwice += 1;
            dead.push(...(await lab.contradictions()));
            await lab.revive();
            await lab.settle();
          }
          return [...dead, ...(await lab.wrongs())];
        },
      );
      expect(wrong).toEqual({});
      // What is still to be done depends on what was done in time; but a second kill that never comes proves nothing.
      expect(killedTwice).toBeGreaterThanOrEqual(pairs.length / 2);
    },
    (PAIRS === 'all' ? 600 : 10) * MINUTE_MS,
  );
});

/** The same ones in each run, each part of the way among them. */
function spread(): readonly FaultPoint[] {
  if (POINTS === 'all') return faultPoints;
  const step = Math.max(1, faultPoints.length / Number(POINTS));
  return faultPoints.filter((_point, index) => Math.floor(index / step) > Math.floor((index - 1) / step));
}

/** Other ones in each run. */
function sample<Pair>(pairs: readonly Pair[]): readonly Pair[] {
  if (PAIRS === 'all') return pairs;
  const drawn = pairs.map((pair) => [Math.random(), pair] as const).sort(([a], [b]) => a - b);
  return drawn.slice(0, Number(PAIRS)).map(([, pair]) => pair);
}

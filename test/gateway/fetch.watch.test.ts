import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Presence } from '../../gateway/context.js';
import { CallerGone, DeadlineExceeded, Flight, FlightWatch } from '../../gateway/fetch.watch.js';

const FAR = Number.POSITIVE_INFINITY;
const PRESENT: Presence = { aborted: false };
const GONE: Presence = { aborted: true };
let watch: FlightWatch;
afterEach(() => watch.close());

function flight(deadlineAt = FAR, callers: readonly Presence[] = [PRESENT], unstoppable = false): Flight<string> {
  const launched = new Flight<string>(deadlineAt, unstoppable);
  for (const caller of callers) launched.joinedBy(caller);
  watch.add(launched);
  return launched;
}

/** Why each one was stopped, once the watch has looked at all of them. */
async function reasonsOf(flights: readonly Flight<string>[]): Promise<(string | null)[]> {
  const last = flight(0);
  await last.outcome.catch(() => undefined);
  return flights.map(({ reason }) => reason?.name ?? null);
}

describe('What is under way', () => {
  it('is ended when its time is over, and not before', async () => {
    watch = new FlightWatch();
    expect(await reasonsOf([flight(0), flight(), flight(performance.now() + 60_000)])).toEqual([
      DeadlineExceeded.name,
      null,
      null,
    ]);
  });

  it('is ended when all who wait for it have left, unless nobody can call it back', async () => {
    watch = new FlightWatch();
    const flights = [flight(FAR, [GONE, GONE]), flight(FAR, [GONE, PRESENT]), flight(FAR, [GONE], true)];
    expect(await reasonsOf(flights)).toEqual([CallerGone.name, null, null]);
  });

  it('is watched until it is over, in whatever order others come and go', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ isLate: fc.boolean(), leaves: fc.option(fc.nat(50)) }), { minLength: 1, maxLength: 50 }),
        async (plan) => {
          watch = new FlightWatch();
          const flights = plan.map(({ isLate }) => flight(isLate ? 0 : FAR));
          const left = new Set<Flight<string>>();
          for (const { leaves } of plan) {
            const leaving = leaves === null ? undefined : flights[leaves % flights.length];
            if (!leaving) continue;
            left.add(leaving);
            // Twice does no harm: it may have been ended in this very moment.
            watch.remove(leaving);
            watch.remove(leaving);
          }
          const expected = plan.map(({ isLate }, index) =>
            isLate && !left.has(flights[index] as Flight<string>) ? DeadlineExceeded.name : null,
          );
          expect(await reasonsOf(flights)).toEqual(expected);
          watch.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('of a watch that has long been idle, it is watched all the same', async () => {
    watch = new FlightWatch();
    watch.remove(flight());
    watch.close();
    await delay(1);
    expect(await reasonsOf([flight(0)])).toEqual([DeadlineExceeded.name]);
  });
});

import { printTitle } from '../gateway/report.js';
import { type Flow, prepared, pressed } from './flow.js';
import { printCost, printCostHead, printFlow, printFlowHead } from './rows.js';
import type { Purchase, Stage } from './stage.js';

/** Fewer payments of each traveler say nothing. */
const LEAST_EACH = 3;
/** More than were ever seen: a lane that has no checkout left ends its row. */
const MOST_PER_SECOND = 200;
const WARM_UP = { travelers: 48, each: 3 };

/**
 * Completed payments a second, from `confirmCheckout` over HTTP to COMPLETED. The checkouts are there before the clock
 * starts: a price is looked at, and only some are accepted.
 */
export async function benchThroughput(stage: Stage): Promise<ReadonlyMap<number, Flow>> {
  printTitle('Completed payments, from confirmCheckout through the gateway to COMPLETED');
  printFlowHead('DONE');
  const flows = new Map<number, Flow>();
  for (const travelers of stage.options.travelers) {
    const flow = await paymentsBy(stage, travelers);
    flows.set(travelers, flow);
    printFlow(`${travelers} at once`, flow);
  }
  printCostHead();
  for (const [travelers, { count, cost }] of flows) printCost(`${travelers} at once, each payment`, count, cost);
  return flows;
}

/** So many travelers pay one after another each. */
export async function paymentsBy(
  stage: Stage,
  travelers: number,
  codeOf?: (nth: number) => string | undefined,
): Promise<Flow> {
  const { seconds } = stage.options;
  const each = Math.max(LEAST_EACH, Math.ceil((guessPerSecond(travelers) * seconds) / travelers));
  return pressed(stage, await prepared(stage, travelers, each, codeOf), seconds, (one: Purchase) => stage.pay(one));
}

/** Every connection, to PostgreSQL too, has done everything once or twice. */
export async function warmUp(stage: Stage): Promise<void> {
  const lanes = await prepared(stage, WARM_UP.travelers, WARM_UP.each);
  await Promise.all(
    lanes.map(async (lane) => {
      for (const purchase of lane) await stage.pay(purchase);
    }),
  );
}

/** One after another takes its time for each; many fill the machine. */
function guessPerSecond(travelers: number): number {
  return Math.min(MOST_PER_SECOND, travelers * 25);
}

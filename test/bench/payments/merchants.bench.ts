import { printCells, printTitle, times } from '../gateway/report.js';
import { printFlow, printFlowHead, rateOf } from './rows.js';
import type { Stage } from './stage.js';
import { paymentsBy } from './throughput.bench.js';

const TRAVELERS = 64;
/** Taken in turns: what others do on the machine meanwhile hits both. */
const ROUNDS = 2;

/** Everybody pays at one shop, then each at another one. @returns how many times as many the one shop takes */
export async function benchMerchants(stage: Stage): Promise<number> {
  const { shopCodes } = stage.lab;
  printTitle(`One merchant beside ${shopCodes.length}, ${TRAVELERS} travelers`);
  printFlowHead('DONE');
  const sums = { hot: 0, spread: 0 };
  // Merchants learns of each of them once.
  for (const [index, code] of shopCodes.entries()) await stage.start(stage.traveler(index % TRAVELERS), code);
  for (let round = 0; round < ROUNDS; round += 1) {
    const spread = await paymentsBy(stage, TRAVELERS, (nth) => shopCodes[(nth * 7) % shopCodes.length]);
    printFlow(`spread over ${shopCodes.length}`, spread);
    const hot = await paymentsBy(stage, TRAVELERS, () => shopCodes[0]);
    printFlow('all to one', hot);
    sums.hot += rateOf(hot);
    sums.spread += rateOf(spread);
  }
  printCells('one, beside spread', [times(sums.hot, sums.spread)]);
  return sums.hot / sums.spread;
}

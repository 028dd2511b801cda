import { printMachine } from '../figures.js';
import { printAim, printTitle, times } from '../gateway/report.js';
import { benchBare } from './bare.bench.js';
import type { Flow } from './flow.js';
import { benchHistory } from './history.bench.js';
import { benchLatency, benchRefunds } from './latency.bench.js';
import { benchMerchants } from './merchants.bench.js';
import { type PartName, readOptions, USAGE } from './options.js';
import { p99, rateOf } from './rows.js';
import { Stage } from './stage.js';
import { benchSteady } from './steady.bench.js';
import { benchThroughput, paymentsBy, warmUp } from './throughput.bench.js';
import { benchTpcb } from './tpcb.bench.js';

// `npm run bench:payments`: how fast payments are, beside what PostgreSQL can do on the same machine.

const AIMED_TRAVELERS = 64;
const LEAST_OF_TPCB = 1 / 8;
const MOST_P99_MS = 250;
const LEAST_HOT = 0.8;

process.env['LOG_LEVEL'] = 'error';
const options = readOptions(process.argv.slice(2));
if (!options) console.log(USAGE);
else {
  printMachine();
  const stage = await Stage.set(options);
  try {
    await run(stage);
  } finally {
    await stage.strike();
  }
}

async function run(stage: Stage): Promise<void> {
  const { parts } = stage.options;
  const isAsked = (part: PartName) => parts.includes(part);
  const judged: (() => void)[] = [];
  if (parts.some((part) => part !== 'tpcb' && part !== 'history')) await warmUp(stage);
  const flows = isAsked('throughput') ? await benchThroughput(stage) : new Map<number, Flow>();
  const bare = isAsked('bare') ? await benchBare(stage) : new Map<number, number>();
  const tpcb = isAsked('tpcb') ? await benchTpcb(stage) : new Map<number, number>();
  if (flows.size > 0 && bare.size + tpcb.size > 0) printBeside(flows, bare, tpcb);
  const [payments, best] = [flows.get(AIMED_TRAVELERS), tpcb.get(AIMED_TRAVELERS)];
  if (payments && best)
    judged.push(() => judgeRate(`payments of ${AIMED_TRAVELERS} travelers`, rateOf(payments) / best));
  const needsRate = isAsked('latency') || (isAsked('steady') && stage.options.rate === null);
  const full = payments ?? (needsRate ? await paymentsBy(stage, AIMED_TRAVELERS) : null);
  if (isAsked('latency') && full) {
    const { times } = await benchLatency(stage, rateOf(full));
    judged.push(() => judgeP99('confirm to PAID', p99(times.map(({ paidMs }) => paidMs))));
  }
  if (isAsked('refunds')) {
    const refunds = await benchRefunds(stage);
    if (best) judged.push(() => judgeRate(`refunds, ${AIMED_TRAVELERS} at once`, rateOf(refunds.full) / best));
    judged.push(() => judgeP99('refund to REFUNDED', p99(refunds.half.times.map(({ doneMs }) => doneMs))));
  }
  if (isAsked('merchants')) {
    const hot = await benchMerchants(stage);
    judged.push(() => printAim(`one merchant takes at least ${LEAST_HOT} of many`, hot.toFixed(2), hot >= LEAST_HOT));
  }
  if (isAsked('steady')) await benchSteady(stage, stage.options.rate ?? (full ? rateOf(full) / 2 : 1));
  if (isAsked('history')) await benchHistory(stage);
  printTitle('Aims');
  for (const judge of judged) judge();
}

function printBeside(
  flows: ReadonlyMap<number, Flow>,
  bare: ReadonlyMap<number, number>,
  tpcb: ReadonlyMap<number, number>,
): void {
  printTitle('Completed payments a second, beside them');
  for (const [travelers, flow] of flows) {
    const [sql, best] = [bare.get(travelers), tpcb.get(travelers)];
    const beside = [
      ...(sql ? [`${times(rateOf(flow), sql)} of the same SQL alone`] : []),
      ...(best ? [`1/${(best / rateOf(flow)).toFixed(1)} of TPC-B`] : []),
    ];
    console.log(`  ${`${travelers} at once`.padEnd(38)}${beside.join(', ')}`);
  }
}

function judgeRate(what: string, ofTpcb: number): void {
  const words = `${what}, at least 1/${1 / LEAST_OF_TPCB} of TPC-B a second`;
  printAim(words, `1/${(1 / ofTpcb).toFixed(1)}`, ofTpcb >= LEAST_OF_TPCB);
}

function judgeP99(what: string, p99Ms: number): void {
  printAim(`${what} at half of that load, p99 under ${MOST_P99_MS} ms`, `${p99Ms.toFixed(0)} ms`, p99Ms < MOST_P99_MS);
}

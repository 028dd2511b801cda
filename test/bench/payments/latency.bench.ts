import { printTitle } from '../gateway/report.js';
import { type Flow, paced, prepared, pressed } from './flow.js';
import { printCost, printCostHead, printFlow, printFlowHead, rateOf } from './rows.js';
import type { Stage } from './stage.js';

const LANES = 64;
/** More than were ever seen. */
const MOST_REFUNDS_PER_SECOND = 120;

/** At a steady half of what 64 travelers reach: who waits at a counter does not wait in line for a full machine. */
export async function benchLatency(stage: Stage, fullRate: number): Promise<Flow> {
  printTitle(`Payments at half of that load, steady: ${(fullRate / 2).toFixed(1)} a second, whoever waits`);
  printFlowHead('DONE');
  const count = Math.ceil((fullRate / 2) * stage.options.seconds);
  const purchases = (await prepared(stage, LANES, Math.ceil(count / LANES))).flat();
  const flow = await paced(stage, fullRate / 2, count, async (dueAt) => {
    const purchase = purchases.shift();
    if (!purchase) throw new Error('no checkout is left');
    return stage.pay(purchase, dueAt);
  });
  printFlow(`${count} payments`, flow);
  printCostHead();
  printCost('each payment', flow.count, flow.cost);
  return flow;
}

/** Refunds of whole payments, from `refundPayment` over HTTP until the payer has the money. The network takes no time of its own. */
export async function benchRefunds(stage: Stage): Promise<{ full: Flow; half: Flow }> {
  printTitle('Refunds, from refundPayment through the gateway to REFUNDED');
  printFlowHead('DONE');
  const { seconds } = stage.options;
  const wanted = Math.ceil(MOST_REFUNDS_PER_SECOND * seconds * 1.5);
  await payUntil(stage, wanted);
  const lanes = Array.from({ length: LANES }, () =>
    stage.refundable.splice(0, Math.ceil((MOST_REFUNDS_PER_SECOND * seconds) / LANES)),
  );
  const full = await pressed(stage, lanes, seconds, (id: string) => stage.refund(id));
  printFlow(`${LANES} at once`, full);
  stage.refundable.push(...lanes.flat());
  const rate = rateOf(full) / 2;
  const half = await paced(stage, rate, Math.ceil(rate * seconds), async (dueAt) => {
    const id = stage.refundable.shift();
    if (!id) throw new Error('no payment is left');
    return stage.refund(id, dueAt);
  });
  printFlow(`at half of that, steady`, half);
  return { full, half };
}

/** Only a payment that is there can be given back. */
async function payUntil(stage: Stage, wanted: number): Promise<void> {
  while (stage.refundable.length < wanted) {
    const lanes = await prepared(stage, LANES, Math.ceil((wanted - stage.refundable.length) / LANES));
    await Promise.all(
      lanes.map(async (lane) => {
        for (const purchase of lane) await stage.pay(purchase);
      }),
    );
  }
}

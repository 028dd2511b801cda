import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { type FaultPoint, onFaultPoint } from '../../subgraphs/kernel/fault.js';

// Given to Node by `--import` before a service's own entry, and by a test only: kills this process at the fault point
// that the test names, at that very line. What it has reached until then is in a file: a message would die with it.

/** Where to die: at the `hit`th time from now on. */
export interface Plan {
  readonly point: FaultPoint;
  readonly hit: number;
}

/** The first one lets the service's entry run. */
export interface Order {
  readonly plan: Plan | null;
}

const reached = openSync(process.env['REACHED_FILE'] ?? '/dev/null', 'a');
let planned: Plan | null = null;
let hits = 0;

function obey({ plan }: Order): void {
  planned = plan;
  hits = 0;
}

onFaultPoint((point) => {
  writeSync(reached, `${point}\n`);
  if (planned?.point !== point) return;
  hits += 1;
  // The kernel lets no instruction of ours run after this one.
  if (hits === planned.hit) process.kill(process.pid, 'SIGKILL');
});

// All that takes long is done before the test needs this process.
await import('../../subgraphs/payments/subgraph.js');
process.send?.('loaded');
const [first] = (await once(process, 'message')) as [Order];
obey(first);
process.on('message', (order: Order) => {
  obey(order);
  process.send?.('obeyed');
});
// Whoever started us is gone: nobody would end us.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref();

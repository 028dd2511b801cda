import { quantile } from '../figures.js';
import { milliseconds, percent, printCells } from '../gateway/report.js';
import type { Flow } from './flow.js';
import type { Cost } from './meter.js';

export function rateOf({ count, elapsedMs }: Pick<Flow, 'count' | 'elapsedMs'>): number {
  return (count * 1_000) / elapsedMs;
}

export function p50(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function p99(values: readonly number[]): number {
  return quantile(values, 0.99);
}

export function printFlowHead(done: string): void {
  const processors = ['graph', 'PostgreSQL', 'outside', 'load'].map((part) =>
    `CPU ${part}`.replace('PostgreSQL', 'PG'),
  );
  printCells(
    '',
    ['per second', 'PAID p50', 'p99', `${done} p50`, 'p99', ...processors, 'others'].map((cell) => cell.slice(0, 11)),
  );
}

/** Speed and processor time of one thing each. */
export function printFlow(name: string, flow: Flow): void {
  const paid = flow.times.map(({ paidMs }) => paidMs);
  const done = flow.times.map(({ doneMs }) => doneMs);
  const { graph, PostgreSQL, outside, load } = flow.cost.processorMs;
  printCells(name, [
    rateOf(flow).toFixed(1),
    ...[p50(paid), p99(paid), p50(done), p99(done)].map(milliseconds),
    ...[graph, PostgreSQL, outside, load].map((used) => milliseconds(used / flow.count)),
    percent(flow.cost.others),
  ]);
  const { askedAgain } = flow.cost;
  if (askedAgain > 0) console.log(`    ${askedAgain} times asked again: one subgraph was too late for another`);
}

export function printCostHead(): void {
  printCells('', ['statements', 'round trips', 'WAL']);
}

/** What goes to PostgreSQL for one thing, everything that the graph does meanwhile included. */
export function printCost(name: string, count: number, { statements, roundTrips, walBytes }: Cost): void {
  printCells(name, [
    (statements / count).toFixed(1),
    (roundTrips / count).toFixed(1),
    `${(walBytes / count / 1_024).toFixed(1)} KiB`,
  ]);
}

import { type FetchName, fetches, fetchNames } from './canned.fetches.js';
import { printCells, printTitle } from './report.js';
import type { Stage } from './stage.js';

const CONNECTIONS = 64;
const MILLISECONDS = 1_000;

/**
 * What load and subgraphs can carry, measured against each other without a gateway between them. Whoever is measured must
 * stay below it, or the figure is theirs and not the contender's.
 */
export async function benchCeiling(stage: Stage, rows: number): Promise<number> {
  printTitle(`What load and subgraphs cost for a page of ${rows}, asked directly over ${CONNECTIONS} connections`);
  printCells('', ['answered', 'subgraph', 'load']);
  let fetchMs = 0;
  let exchangeMs = 0;
  for (const name of fetchNames) {
    const { perSecond, subgraphMs, loadMs } = await measure(stage, name, rows);
    fetchMs += subgraphMs;
    exchangeMs = Math.max(exchangeMs, loadMs);
    printCells(`fetch ${name}`, [`${perSecond.toFixed(0)}/s`, micro(subgraphMs), micro(loadMs)]);
  }
  const apart = stage.cores && stage.cores.load !== stage.cores.subgraphs;
  const most = 1_000 / (apart ? Math.max(fetchMs, exchangeMs) : fetchMs + exchangeMs);
  printCells('ceiling of a page (four fetches, one exchange)', [
    `${most.toFixed(0)}/s`,
    micro(fetchMs),
    micro(exchangeMs),
  ]);
  return most;
}

async function measure(stage: Stage, name: FetchName, rows: number) {
  const order = {
    url: stage.subgraphUrls[fetches[name].to],
    connections: CONNECTIONS,
    source: { fetch: name, rows },
  };
  await stage.load({ ...order, milliseconds: MILLISECONDS / 2 });
  const result = await stage.load({ ...order, milliseconds: MILLISECONDS });
  if (result.failed > 0) throw new Error(`the canned subgraphs fail: ${result.failures.join('; ')}`);
  const { answered, milliseconds, processorMs } = result;
  return {
    perSecond: (answered * 1_000) / milliseconds,
    subgraphMs: (processorMs['subgraphs'] ?? Number.NaN) / answered,
    loadMs: (processorMs['load'] ?? Number.NaN) / answered,
  };
}

function micro(milliseconds: number): string {
  return `${(milliseconds * 1_000).toFixed(1)} µs`;
}

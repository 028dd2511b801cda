import { parseArgs } from 'node:util';
import { HOUR, MINUTE, SECOND } from '../../../subgraphs/kernel/clock.js';
import { list, names, positive } from '../option.js';

export const partNames = [
  'throughput',
  'bare',
  'tpcb',
  'latency',
  'refunds',
  'merchants',
  'steady',
  'history',
] as const;
export type PartName = (typeof partNames)[number];

export interface BenchOptions {
  readonly parts: readonly PartName[];
  /** How many pay at once, one row for each. */
  readonly travelers: readonly number[];
  /** Of each measured row. */
  readonly seconds: number;
  /** Of TPC-B: so many branches, each with ten tellers and 100,000 accounts. */
  readonly scale: number;
  readonly steadyMs: number;
  /** Payments a second of the steady load; null is half of what 64 travelers reach. */
  readonly rate: number | null;
  /** So many payments are there when histories are read; ascending. */
  readonly sizes: readonly number[];
  /** Where the graph writes a CPU profile. */
  readonly profile: string | null;
}

export const USAGE = `npm run bench:payments -- [options]
  --quick            shorter and smaller: about six minutes instead of fifteen
  --only NAMES       of ${partNames.join(', ')}; comma-separated
  --travelers NUMBERS  instead of 1,16,64,256
  --seconds N        how long each row takes; 15, with --quick 6
  --scale N          of TPC-B; 64, with --quick 8
  --steady TIME      how long the steady load takes: 90s, 30m, 8h; 60s, with --quick 20s
  --rate N           payments a second of the steady load, instead of half of what 64 travelers reach
  --history NUMBERS  sizes, instead of 10000,100000,1000000 (with --quick without the last)
  --profile FOLDER   the graph writes a CPU profile there when it ends`;

/** @throws TypeError for an option that is none, or a value that cannot be */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: flag,
      quick: flag,
      only: text,
      travelers: text,
      seconds: text,
      scale: text,
      steady: text,
      rate: text,
      history: text,
      profile: text,
    },
  });
  if (values.help) return null;
  const { quick } = values;
  return {
    parts: names('--only', values.only, partNames, partNames),
    travelers: list('--travelers', values.travelers ?? '1,16,64,256', positive),
    seconds: positive('--seconds', values.seconds ?? (quick ? '6' : '15')),
    scale: positive('--scale', values.scale ?? (quick ? '8' : '64')),
    steadyMs: duration(values.steady ?? (quick ? '20s' : '60s')),
    rate: values.rate === undefined ? null : positive('--rate', values.rate),
    sizes: list('--history', values.history ?? (quick ? '10000,100000' : '10000,100000,1000000'), positive).toSorted(
      (a, b) => a - b,
    ),
    profile: values.profile ?? null,
  };
}

const UNITS = { s: SECOND, m: MINUTE, h: HOUR } as const;

function duration(given: string): number {
  const [, count, unit] = /^(\d+)([smh])$/.exec(given) ?? [];
  if (!count || !unit) throw new TypeError(`--steady: ${given} is no time such as 90s, 30m or 8h`);
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}

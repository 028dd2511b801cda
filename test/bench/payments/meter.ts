import type { Counted } from './counting.process.js';
import { type Part, parts, usage } from './processes.js';
import type { Stage } from './stage.js';

/** What a stretch of time has cost, all together. */
export interface Cost extends Counted {
  readonly processorMs: Readonly<Record<Part, number>>;
  readonly walBytes: number;
  /** How often the graph was too late for itself, and was asked again. */
  readonly askedAgain: number;
  /** Which part of the machine somebody else has used: 0 to 1. */
  readonly others: number;
}

/** Reads all meters now. @returns reads them again, and says what was used between */
export async function metered(stage: Stage): Promise<() => Promise<Cost>> {
  const before = await read(stage);
  return async () => {
    const after = await read(stage);
    const used = (part: Part) => after.usage.processorMs[part] - before.usage.processorMs[part];
    const processorMs = Object.fromEntries(parts.map((part) => [part, used(part)])) as Record<Part, number>;
    const ours = parts.reduce((sum, part) => sum + used(part), 0);
    const machineMs = after.usage.machineMs - before.usage.machineMs;
    return {
      processorMs,
      walBytes: after.wal - before.wal,
      askedAgain: after.askedAgain - before.askedAgain,
      statements: after.counted.statements - before.counted.statements,
      roundTrips: after.counted.roundTrips - before.counted.roundTrips,
      others: machineMs > 0 ? Math.max(0, machineMs - ours) / machineMs : 0,
    };
  };
}

async function read(stage: Stage) {
  const [counted, { rows }] = await Promise.all([
    stage.counted(),
    stage.database.query<{ wal: string }>("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as wal"),
  ]);
  return { counted, wal: Number(rows[0]?.wal), usage: usage(), askedAgain: stage.askedAgain };
}

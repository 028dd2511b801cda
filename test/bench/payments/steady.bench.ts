import { setTimeout as delay } from 'node:timers/promises';
import { mebibytes, milliseconds, printCells, printTitle, times } from '../gateway/report.js';
import { type Flow, paced } from './flow.js';
import { usage } from './processes.js';
import { p50, p99, rateOf } from './rows.js';
import type { Purchase, Stage } from './stage.js';

const WINDOWS = 12;
const LEAST_WINDOW_MS = 5_000;
/** So long before it is accepted a price is asked for: payers look at it. */
const LOOK_MS = 3_000;
const TRAVELERS = 64;
const TABLES_TOLD = 6;

interface Window {
  readonly flow: Flow;
  readonly graphBytes: number;
  readonly outsideBytes: number;
  readonly postgresBytes: number;
  readonly dead: number;
  readonly databaseBytes: number;
}

/** Whole purchases at a steady pace: what grows, and what gets slower. */
export async function benchSteady(stage: Stage, perSecond: number): Promise<void> {
  const { steadyMs } = stage.options;
  const windowMs = Math.max(LEAST_WINDOW_MS, steadyMs / WINDOWS);
  const count = Math.max(2, Math.round(steadyMs / windowMs));
  printTitle(
    `${perSecond.toFixed(1)} purchases a second, startCheckout included, for ${Math.round(steadyMs / 1_000)} s`,
  );
  printCells('', ['per second', 'PAID p50', 'p99', 'graph', 'PG own', 'outside', 'dead rows', 'database']);
  const shopping = new Shopping(stage);
  const windows: Window[] = [];
  await shopping.begin(perSecond);
  for (let nth = 0; nth < count; nth += 1) {
    const window = await measured(stage, shopping, perSecond, windowMs);
    print(`window ${nth + 1}`, window);
    windows.push(window);
  }
  await shopping.end();
  // The first one still warms up.
  const [first, last] = [windows[Math.min(1, windows.length - 1)], windows.at(-1)];
  if (first && last) printRatios(first, last);
  await printTables(stage);
}

/** Travelers who look at a price, and accept it a little later. */
class Shopping {
  private readonly looking: Promise<Purchase>[] = [];
  private begun = 0;

  constructor(private readonly stage: Stage) {}

  /** As many as will always be looking. */
  async begin(perSecond: number): Promise<void> {
    const ahead = Math.ceil((LOOK_MS / 1_000) * perSecond);
    for (let nth = 0; nth < ahead; nth += 1) {
      this.look();
      await delay(LOOK_MS / ahead);
    }
  }

  look(): void {
    const purchase = this.stage.start(this.stage.traveler(this.begun % TRAVELERS));
    // Heard of when it is accepted.
    purchase.catch(() => undefined);
    this.looking.push(purchase);
    this.begun += 1;
  }

  async accept(dueAt: number) {
    const purchase = this.looking.shift();
    if (!purchase) throw new Error('nobody has looked at a price');
    return this.stage.pay(await purchase, dueAt);
  }

  async end(): Promise<void> {
    await Promise.all(this.looking);
  }
}

async function measured(stage: Stage, shopping: Shopping, perSecond: number, windowMs: number): Promise<Window> {
  const count = Math.max(1, Math.round((perSecond * windowMs) / 1_000));
  const flow = await paced(stage, perSecond, count, (dueAt) => {
    shopping.look();
    return shopping.accept(dueAt);
  });
  return { flow, ...(await figuresOf(stage)) };
}

async function figuresOf({ database }: Stage): Promise<Omit<Window, 'flow'>> {
  const { memoryBytes } = usage();
  const { rows } = await database.query<{ dead: number; bytes: number }>(
    `select (select sum(n_dead_tup)::float8 from pg_stat_user_tables where schemaname <> 'tpcb') as dead,
            pg_database_size(current_database())::float8 as bytes`,
  );
  return {
    graphBytes: memoryBytes.graph,
    outsideBytes: memoryBytes.outside,
    postgresBytes: memoryBytes.PostgreSQL,
    dead: rows[0]?.dead ?? 0,
    databaseBytes: rows[0]?.bytes ?? 0,
  };
}

function print(name: string, { flow, graphBytes, postgresBytes, outsideBytes, dead, databaseBytes }: Window): void {
  const paid = flow.times.map(({ paidMs }) => paidMs);
  printCells(name, [
    rateOf(flow).toFixed(1),
    milliseconds(p50(paid)),
    milliseconds(p99(paid)),
    ...[graphBytes, postgresBytes, outsideBytes].map(mebibytes),
    String(dead),
    mebibytes(databaseBytes),
  ]);
}

function printRatios(first: Window, last: Window): void {
  const paid = ({ flow }: Window, of: (values: readonly number[]) => number) =>
    of(flow.times.map(({ paidMs }) => paidMs));
  printCells('last window, to the second', [
    times(rateOf(last.flow), rateOf(first.flow)),
    times(paid(last, p50), paid(first, p50)),
    times(paid(last, p99), paid(first, p99)),
    times(last.graphBytes, first.graphBytes),
    times(last.postgresBytes, first.postgresBytes),
    times(last.outsideBytes, first.outsideBytes),
    times(last.dead, first.dead || 1),
    times(last.databaseBytes, first.databaseBytes),
  ]);
}

/** Where dead rows are, and what those tables take with their indexes. */
async function printTables({ database }: Stage): Promise<void> {
  const { rows } = await database.query<{ name: string; live: number; dead: number; bytes: number; vacuums: number }>(
    `select schemaname || '.' || relname as name, n_live_tup::float8 as live, n_dead_tup::float8 as dead,
            pg_total_relation_size(relid)::float8 as bytes, autovacuum_count::float8 as vacuums
       from pg_stat_user_tables where schemaname <> 'tpcb' order by n_dead_tup desc limit ${TABLES_TOLD}`,
  );
  printCells('tables with most dead rows', ['live', 'dead', 'size', 'bytes/live', 'vacuumed']);
  for (const { name, live, dead, bytes, vacuums } of rows)
    printCells(name, [
      String(live),
      String(dead),
      mebibytes(bytes),
      live > 0 ? (bytes / live).toFixed(0) : '',
      `${vacuums} ×`,
    ]);
}

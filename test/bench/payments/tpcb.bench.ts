import pg from 'pg';
import { databaseUrl } from '../../../subgraphs/kernel/configuration.js';
import { throughput } from '../figures.js';
import { milliseconds, printCells, printTitle } from '../gateway/report.js';
import { metered } from './meter.js';
import { rateOf } from './rows.js';
import type { Stage } from './stage.js';

const ACCOUNTS = 100_000;
const TELLERS = 10;
/** The graph has its connections too, and the server has 200 in all. */
const MOST_CONNECTIONS = 64;

const TABLES = `
  create schema tpcb;
  create table tpcb.branches (bid int not null, bbalance int, filler char(88)) with (fillfactor = 100);
  create table tpcb.tellers (tid int not null, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
  create table tpcb.accounts (aid int not null, bid int, abalance int, filler char(84)) with (fillfactor = 100);
  create table tpcb.history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));`;

const KEYS = `
  alter table tpcb.branches add primary key (bid);
  alter table tpcb.tellers add primary key (tid);
  alter table tpcb.accounts add primary key (aid);`;

/** pgbench's "TPC-B (sort of)", word for word. */
const STEPS = {
  account: 'update tpcb.accounts set abalance = abalance + $1 where aid = $2',
  balance: 'select abalance from tpcb.accounts where aid = $1',
  teller: 'update tpcb.tellers set tbalance = tbalance + $1 where tid = $2',
  branch: 'update tpcb.branches set bbalance = bbalance + $1 where bid = $2',
  history: 'insert into tpcb.history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)',
} as const;

/** What this server can do at all: the transaction that pgbench measures, by plain `pg`, prepared. @returns by clients */
export async function benchTpcb(stage: Stage): Promise<ReadonlyMap<number, number>> {
  const { scale, seconds, travelers } = stage.options;
  printTitle(`TPC-B as pgbench has it, scale ${scale} (${(scale * ACCOUNTS).toLocaleString('en-US')} accounts)`);
  await printDurability(stage);
  await fill(stage, scale);
  printCells('', ['per second', 'CPU PG', 'CPU load', 'WAL', 'connections']);
  const rates = new Map<number, number>();
  for (const clients of travelers) rates.set(clients, await measured(stage, clients, scale, seconds));
  return rates;
}

async function measured(stage: Stage, clients: number, scale: number, seconds: number): Promise<number> {
  const connections = Math.min(clients, MOST_CONNECTIONS);
  const pool = new pg.Pool({ connectionString: databaseUrl('payments', stage.lab.environment), max: connections });
  try {
    await throughput(clients, 500, () => transaction(pool, scale));
    const read = await metered(stage);
    const flow = await throughput(clients, seconds * 1_000, () => transaction(pool, scale));
    const { processorMs, walBytes } = await read();
    printCells(`${clients} at once`, [
      rateOf(flow).toFixed(1),
      milliseconds(processorMs.PostgreSQL / flow.count),
      milliseconds(processorMs.load / flow.count),
      `${(walBytes / flow.count / 1_024).toFixed(1)} KiB`,
      String(connections),
    ]);
    return rateOf(flow);
  } finally {
    await pool.end();
  }
}

async function transaction(pool: pg.Pool, scale: number): Promise<void> {
  const [aid, bid, tid] = [drawn(scale * ACCOUNTS), drawn(scale), drawn(scale * TELLERS)];
  const delta = drawn(10_001) - 5_001;
  const client = await pool.connect();
  const step = (name: keyof typeof STEPS, values: readonly number[]) =>
    client.query({ name: `tpcb-${name}`, text: STEPS[name], values: [...values] });
  try {
    await client.query('begin');
    await step('account', [delta, aid]);
    await step('balance', [aid]);
    await step('teller', [delta, tid]);
    await step('branch', [delta, bid]);
    await step('history', [tid, bid, aid, delta]);
    await client.query('end');
  } finally {
    client.release();
  }
}

/** 1 to `most`. */
function drawn(most: number): number {
  return 1 + Math.floor(Math.random() * most);
}

async function fill({ database }: Stage, scale: number): Promise<void> {
  await database.query(TABLES);
  await database.query('insert into tpcb.branches select n, 0 from generate_series(1, $1::int) n', [scale]);
  await database.query('insert into tpcb.tellers select n, (n - 1) / 10 + 1, 0 from generate_series(1, $1::int) n', [
    scale * TELLERS,
  ]);
  await database.query(
    `insert into tpcb.accounts select n, (n - 1) / ${ACCOUNTS} + 1, 0, '' from generate_series(1, $1::int) n`,
    [scale * ACCOUNTS],
  );
  await database.query(KEYS);
  await database.query('vacuum analyze tpcb.branches, tpcb.tellers, tpcb.accounts');
}

async function printDurability({ database }: Stage): Promise<void> {
  const { rows } = await database.query<{ name: string; setting: string }>(
    `select name, current_setting(name) as setting from pg_settings
      where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'shared_buffers', 'max_wal_size')
      order by name`,
  );
  console.log(`  ${rows.map(({ name, setting }) => `${name} ${setting}`).join(', ')}: the same server for all rows`);
}

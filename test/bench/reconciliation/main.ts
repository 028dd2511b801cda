import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedPostgres } from '../../../local/postgres.js';
import { migrate, openDatabase } from '../../../subgraphs/kernel/database.js';
import { Checkout } from '../../../subgraphs/payments/checkout/checkout.entity.js';
import { migrations } from '../../../subgraphs/payments/migrations/migrations.js';
import { perSecond, printMachine, printRow, printTitle, ratio } from '../figures.js';
import { DAY, WRONG_EVERY, writeBill } from './bill.file.js';

// `npm run bench:reconciliation [lines]`: a day of a million payments, about three minutes with its preparation.

const LINES = Number(process.argv[2] ?? 1_000_000);

printMachine();
await using stack = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'sojourn-bench-'));
stack.defer(() => rm(folder, { recursive: true, force: true }));
// The server, which may be another user, reads the bill for one of the baselines.
await chmod(folder, 0o755);
const postgres = await EmbeddedPostgres.start({ folder: join(folder, 'postgres') });
stack.defer(() => postgres.stop());
const url = postgres.url('payments');
await prepare(url);
const bill = join(folder, 'bill.csv');
await writeBill(bill, LINES);
const megabytes = ((await stat(bill)).size / 1e6).toFixed(0);

printTitle(`${LINES.toLocaleString('en-US')} bill lines (${megabytes} MB), as many payments`);
printRow('', 'seconds', 'lines', 'peak RSS', 'to reading');
const reading = await measured('read');
print('baseline: the file read, its lines counted', reading);
print('baseline: COPY of the lines, unparsed, by the server', { ms: await copied(), peakBytes: 0 });
print('bill parsed and checked', await measured('parse'));
const first = await measured('reconcile');
print('a day reconciled: parsed, loaded, matched, recorded', first);
print('the same day once more', await measured('reconcile'));
await checkBreaks();

interface Measured {
  readonly ms: number;
  readonly peakBytes: number;
}

function print(name: string, { ms, peakBytes }: Measured): void {
  const peak = peakBytes > 0 ? `${Math.round(peakBytes / 2 ** 20)} MiB` : '';
  printRow(name, (ms / 1_000).toFixed(2), perSecond(LINES, ms), peak, ratio(ms, reading.ms));
}

async function measured(work: 'read' | 'parse' | 'reconcile'): Promise<Measured> {
  const child = fork(join(import.meta.dirname, 'reconcile.process.js'), [work, bill, url]);
  const exited = once(child, 'exit');
  const [[figures]] = (await Promise.all([Promise.race([once(child, 'message'), exited]), exited])) as [
    [Measured],
    unknown,
  ];
  if (typeof figures !== 'object') throw new Error(`${work} ended without figures`);
  return figures;
}

async function prepare(place: string): Promise<void> {
  const orm = await openDatabase({ name: 'bench', url: place, entities: [Checkout], migrations });
  await migrate(orm, place);
  await orm.close();
  await withClient(async (client) => {
    // Payments without the checkouts that they came from: nothing here reads those.
    await client.query('set session_replication_role = replica');
    const id = `'pay_us_' || lpad(n::text, 26, '0')`;
    const at = `timestamptz '${DAY} 00:00:00+08' + (n % 72000) * interval '1 second'`;
    await client.query(
      `insert into payment (id, checkout_id, quote_id, traveler_id, wallet_id, wallet_provider, market_code, merchant_id, merchant_name,
              network, network_merchant_id, code_payload, buy_minor, buy_currency, sell_minor, sell_currency, spread_minor, fee_minor,
              partner_ids, status, event_count, created_at, pay_by, paid_at)
       select ${id}, 'chk_' || n, 'quo_' || n, 'trv_' || n % 9973, 'wal', 'PAYPAL', 'US', 'mer_' || n % 997, 'Jinli Teahouse', 'WECHAT_PAY',
              '1600000000', 'wxp://', 100 + n % 50000, 'CNY', 1411, 'USD', 22, 0, '{}', 'PAID', 4, ${at}, ${at}, ${at}
         from generate_series(1, $1::int) n`,
      [LINES],
    );
    await client.query(
      `insert into payment_acceptance (payment_id, status, request_id, transaction_id, submitted_at, accepted_at)
       select ${id}, 'ACCEPTED', ${id}, '4200000' || lpad(n::text, 21, '0'), ${at}, ${at} from generate_series(1, $1::int) n`,
      [LINES],
    );
    await client.query('vacuum analyze payment, payment_acceptance');
  });
}

async function copied(): Promise<number> {
  return withClient(async (client) => {
    await client.query('create temporary table raw (line text)');
    const began = performance.now();
    await client.query(`copy raw from '${bill}' with (format csv, delimiter e'\\x01', quote e'\\x02')`);
    return performance.now() - began;
  });
}

/** A figure counts only when the work was done. */
async function checkBreaks(): Promise<void> {
  const found = await withClient(async (client) => {
    const { rows } = await client.query<{ type: string; count: number }>(
      'select type, count(*)::int as count from reconciliation_break where closed_at is null group by type',
    );
    return rows;
  });
  const expected = Math.floor(LINES / WRONG_EVERY);
  if (found.length !== 1 || found[0]?.type !== 'AMOUNT_DIFFERS' || found[0].count !== expected)
    throw new Error(`expected ${expected} breaks of amount, found ${JSON.stringify(found)}`);
  console.log(`  ${expected} planted breaks, all of them found, and nothing else`);
}

async function withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

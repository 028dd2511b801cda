import { encodeCursor } from '../../../subgraphs/kernel/graphql/connection.js';
import { mebibytes, milliseconds, printCells, printTitle, times } from '../gateway/report.js';
import { generate, generatedId, READER_EVERY, STORE_EVERY } from './history.rows.js';
import { operations } from './operations.js';
import { p50 } from './rows.js';
import { historyStore, type Stage } from './stage.js';

const PAGE = 20;
const ROUNDS = 60;
const WARM_UP = 10;

type Page = readonly { readonly id: string }[];

interface Reading {
  readonly name: string;
  /** How the statement that reads the page can be told from others. */
  readonly by: string;
  ask(after: string | null): Promise<Page>;
  /** Every so many payments one is in this list. */
  readonly every: number;
}

interface Figure {
  readonly askedMs: number;
  readonly sqlMs: number;
}

/** The newest page of a history and one from its middle, by the whole operation and by its one statement on payments. */
export async function benchHistory(stage: Stage): Promise<void> {
  const { sizes } = stage.options;
  printTitle(`Pages of ${PAGE}: a traveler has every ${READER_EVERY}th payment, a merchant every ${STORE_EVERY}th`);
  const figures = new Map<string, Figure[]>();
  let before = 0;
  for (const size of sizes) {
    const began = performance.now();
    await generate(stage, before + 1, size);
    before = size;
    await printSize(stage, size, performance.now() - began);
    printCells('', ['through us', 'its SQL']);
    for (const reading of readingsOf(stage))
      for (const [where, after] of [
        ['first page', null],
        ['from the middle', middleOf(size, reading.every)],
      ] as const) {
        const name = `${reading.name}, ${where}`;
        const isTold = size === sizes[0] || size === sizes.at(-1);
        figures.set(name, [...(figures.get(name) ?? []), await read(stage, reading, name, after, isTold)]);
      }
  }
  if (sizes.length > 1) printRatios(figures, sizes);
}

function readingsOf(stage: Stage): readonly Reading[] {
  return [
    {
      name: 'TravelerHistory',
      by: 'traveler_id = wanted.owner_id',
      every: READER_EVERY,
      ask: async (after) => {
        const { viewer } = await stage.askAsReader<{
          viewer: { traveler: { payments: { edges: { node: { id: string } }[] } } };
        }>(operations.travelerHistory, { first: PAGE, after });
        return viewer.traveler.payments.edges.map(({ node }) => node);
      },
    },
    {
      name: 'MerchantHistory',
      by: 'merchant_id = wanted.owner_id',
      every: STORE_EVERY,
      ask: async (after) => {
        const { merchant } = await stage.askAsMerchant<{ merchant: { payments: { nodes: Page } } }>(
          operations.merchantHistory,
          { merchantId: historyStore.merchantId, first: PAGE, after },
        );
        return merchant.payments.nodes;
      },
    },
  ];
}

/** The cursor of the one in the middle of a list. */
function middleOf(size: number, every: number): string {
  return encodeCursor(generatedId(Math.ceil(size / every / 2) * every));
}

async function read(
  stage: Stage,
  { ask, by }: Reading,
  name: string,
  after: string | null,
  isTold: boolean,
): Promise<Figure> {
  const page = await ask(after);
  if (page.length !== PAGE) throw new Error(`${name} has ${page.length} payments`);
  const askedMs = await timed(() => ask(after));
  const sent = await stage.recorded(() => ask(after));
  const statement = sent.find(({ application, text }) => application === 'payments' && text.includes(by));
  if (!statement) throw new Error(`${name} read no page`);
  const { text, values } = statement;
  const sqlMs = await timed(() => stage.database.query(text, [...values]));
  printCells(name, [askedMs, sqlMs].map(milliseconds));
  if (isTold) await printPlan(stage, text, values);
  return { askedMs, sqlMs };
}

async function printPlan({ database }: Stage, text: string, values: readonly (string | null)[]): Promise<void> {
  const { rows } = await database.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers, summary off) ${text}`, [
    ...values,
  ]);
  for (const { 'QUERY PLAN': line } of rows) console.log(`      ${line}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  for (let round = 0; round < WARM_UP; round += 1) await work();
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    await work();
    values.push(performance.now() - began);
  }
  return p50(values);
}

async function printSize({ database }: Stage, size: number, tookMs: number): Promise<void> {
  const { rows } = await database.query<{ bytes: number }>("select pg_total_relation_size('payment')::float8 as bytes");
  const took = `generated in ${(tookMs / 1_000).toFixed(1)} s`;
  console.log(`  ${size.toLocaleString('en-US')} payments: ${mebibytes(rows[0]?.bytes ?? 0)} with indexes, ${took}`);
}

function printRatios(figures: ReadonlyMap<string, readonly Figure[]>, sizes: readonly number[]): void {
  const [smallest = 0, largest = 0] = [sizes[0], sizes.at(-1)];
  printCells(`${largest.toLocaleString('en-US')} beside ${smallest.toLocaleString('en-US')}`, [
    'through us',
    'its SQL',
  ]);
  for (const [name, all] of figures) {
    const [first, last] = [all[0], all.at(-1)];
    if (first && last) printCells(name, [times(last.askedMs, first.askedMs), times(last.sqlMs, first.sqlMs)]);
  }
}

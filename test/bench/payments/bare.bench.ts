import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { databaseUrl, type SubgraphName } from '../../../subgraphs/kernel/configuration.js';
import { printTitle } from '../gateway/report.js';
import { type Flow, pressed } from './flow.js';
import { compared, type Literal, type Step, type Unit, Words } from './recording.js';
import { printFlow, printFlowHead, rateOf } from './rows.js';
import type { Stage } from './stage.js';

/** Whose statements are sent again, and in which database they were. What moves events to the bus is at work as ever. */
const DATABASES: Readonly<Record<string, SubgraphName>> = {
  payments: 'payments',
  'payments-workers': 'payments',
  users: 'users',
  merchants: 'merchants',
  fx: 'fx',
};
/** As many as the graph has for each. */
const POOL_SIZE = 20;
/** Notifications of what the payment did outside are part of it. */
const QUIET_MS = 700;
const MOST_ATTEMPTS = 10;

/** More a second were never seen, of one lane and of all: each needs a checkout before the clock starts. */
const MOST_PER_LANE = 40;
const MOST_PER_SECOND = 120;
/** For each lane, so that all connections have prepared what they are sent. */
const WARM_UP = 3;

interface Recorded {
  readonly at: number;
  /** Up to the open checkout: before the clock starts. */
  readonly start: readonly Unit[];
  readonly payment: readonly Unit[];
}

/**
 * The same SQL without what sends it: what one real payment sent, with words of its own for each, by plain `pg`. Once as
 * it is, text with everything in it; once with parameters, prepared.
 */
export async function benchBare(stage: Stage): Promise<ReadonlyMap<number, number>> {
  const recorded = await record(stage);
  const steps = recorded.payment.flat().length;
  printTitle(
    `The same SQL without graph and saga: ${steps} statements in ${recorded.payment.length} transactions each`,
  );
  printFlowHead('DONE');
  const rates = new Map<number, number>();
  for (const travelers of stage.options.travelers) {
    const flow = await replay(stage, recorded, travelers, false);
    rates.set(travelers, rateOf(flow));
    printFlow(`${travelers} at once`, flow);
    printFlow(`${travelers} at once, prepared`, await replay(stage, recorded, travelers, true));
  }
  return rates;
}

/** Two payments, one after another, and what they have in common. @throws when no two go the same way */
async function record(stage: Stage): Promise<Recorded> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const at = Date.now();
    const [first, second] = [await sentByOne(stage), await sentByOne(stage)];
    const [start, payment] = [compared(first.start, second.start), compared(first.payment, second.payment)];
    if (start && payment) return { at, start, payment };
  }
  throw new Error('no two payments went the same way');
}

async function sentByOne(stage: Stage) {
  const traveler = stage.traveler(0);
  let [purchase] = [await stage.start(traveler)];
  const start = await stage.recorded(async () => {
    purchase = await stage.start(traveler);
  });
  const payment = await stage.recorded(async () => {
    await stage.pay(purchase);
    await delay(QUIET_MS);
  });
  const isOurs = ({ application }: { application: string }) => application in DATABASES;
  return { start: start.filter(isOurs), payment: payment.filter(isOurs) };
}

async function replay(stage: Stage, recorded: Recorded, lanes: number, isPrepared: boolean): Promise<Flow> {
  await using sender = new Sender(stage, isPrepared);
  await using _left = await leftAlone(stage);
  const perLane = Math.min(MOST_PER_LANE, Math.ceil(MOST_PER_SECOND / lanes)) * stage.options.seconds;
  const words = Array.from({ length: lanes }, () =>
    Array.from({ length: WARM_UP + Math.ceil(perLane) }, () => new Words(Date.now() - recorded.at)),
  );
  const before = await completedIn(stage);
  await Promise.all(
    words.slice(0, POOL_SIZE).map(async (_, lane) => {
      for (let at = lane; at < words.length; at += POOL_SIZE)
        for (const one of words[at] ?? []) await sender.sendAll(recorded.start, one);
    }),
  );
  let sent = lanes * WARM_UP;
  await Promise.all(
    words.map(async (lane) => {
      for (const one of lane.splice(0, WARM_UP)) await sender.sendAll(recorded.payment, one);
    }),
  );
  const flow = await pressed(stage, words, stage.options.seconds, async (one: Words) => {
    const began = performance.now();
    await sender.sendAll(recorded.payment, one);
    sent += 1;
    const doneMs = performance.now() - began;
    return { paidMs: doneMs, doneMs };
  });
  const completed = (await completedIn(stage)) - before;
  if (completed !== sent) throw new Error(`${sent} payments were sent again, and ${completed} are COMPLETED`);
  return flow;
}

/** Payments that are sent again are not the graph's to finish: until they are claimed, its sweep takes them for not due. */
async function leftAlone({ database }: Stage): Promise<AsyncDisposable> {
  await database.query("alter table payment alter column next_attempt_at set default now() + interval '1 hour'");
  return {
    [Symbol.asyncDispose]: async () => {
      await database.query('alter table payment alter column next_attempt_at drop default');
    },
  };
}

async function completedIn({ database }: Stage): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    "select count(*)::int as count from payment where status = 'COMPLETED'",
  );
  return rows[0]?.count ?? 0;
}

/** Sends units, each on one connection of the pool that its application would have. */
class Sender implements AsyncDisposable {
  private readonly pools: ReadonlyMap<string, pg.Pool>;
  private readonly names = new Map<Step, string>();

  constructor(
    stage: Stage,
    private readonly isPrepared: boolean,
  ) {
    this.pools = new Map(
      Object.entries(DATABASES).map(([application, name]) => [
        application,
        new pg.Pool({ connectionString: databaseUrl(name, stage.lab.environment), max: POOL_SIZE }),
      ]),
    );
  }

  async sendAll(units: readonly Unit[], words: Words): Promise<void> {
    for (const unit of units) await this.send(unit, words);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }

  private async send(unit: Unit, words: Words): Promise<void> {
    const client = await this.pools.get(unit[0]?.application ?? '')?.connect();
    if (!client) throw new Error('a statement of nobody');
    try {
      for (const step of unit) await client.query(this.isPrepared ? this.preparedOf(step, words) : textOf(step, words));
      client.release();
    } catch (thrown) {
      client.release(true);
      throw thrown;
    }
  }

  /** What differs from payment to payment is a parameter, the rest stays in the text. */
  private preparedOf(step: Step, words: Words): pg.QueryConfig {
    const values = valuesOf(step, words);
    const text = joined(step, (literal) => {
      if (literal.kind === 'SAME') return quoted(literal.text);
      values.push(words.textOf(literal));
      return `$${values.length}`;
    });
    if (values.length === 0) return { text };
    const name = this.names.get(step) ?? `step-${this.names.size}`;
    this.names.set(step, name);
    return { name, text, values };
  }
}

function textOf(step: Step, words: Words): pg.QueryConfig {
  return { text: joined(step, (literal) => quoted(words.textOf(literal))), values: valuesOf(step, words) };
}

function valuesOf({ values }: Step, words: Words): (string | null)[] {
  return values.map((value) => value && words.textOf(value));
}

function joined({ between, literals }: Step, placed: (literal: Literal) => string): string {
  return between.reduce((text, piece, index) => {
    const literal = literals[index - 1];
    return literal ? `${text}${placed(literal)}${piece}` : `${text}${piece}`;
  });
}

function quoted(text: string): string {
  return `'${text}'`;
}

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Store, stores } from '../../../local/seed.stores.js';
import { databaseUrl } from '../../../subgraphs/kernel/configuration.js';
import { Started } from '../gateway/process.started.js';
import { type BenchTraveler, Lab } from '../lab.js';
import { Arrivals } from './arrivals.js';
import type { Counted, Sent } from './counting.process.js';
import { GraphClient } from './graph.client.js';
import { operations } from './operations.js';
import type { BenchOptions } from './options.js';

const SHOPS = 64;
const AMOUNT = { amount: '7.00', currencyCode: 'CNY' };

/** Nobody pays there: its history is generated. */
export const historyStore = lastOf(stores);

/** A price that a traveler is about to accept. */
export interface Purchase {
  readonly traveler: BenchTraveler;
  readonly checkoutId: string;
}

/** When a payment, or a refund, came where: milliseconds since it was asked for. */
export interface Times {
  /** Of a refund the same as `doneMs`. */
  readonly paidMs: number;
  readonly doneMs: number;
}

/** What all parts share: the graph as a process of its own, apps that ask it, and PostgreSQL beside them. */
export class Stage {
  /** Payments of the seeded store that may still be refunded. */
  readonly refundable: string[] = [];

  private constructor(
    readonly options: BenchOptions,
    readonly lab: Lab,
    private readonly graph: Started<{ url: string }>,
    private readonly client: GraphClient,
    private readonly arrivals: Arrivals,
    /** The payments' own database, for whoever asks it beside the graph. */
    readonly database: pg.Pool,
    private readonly merchantToken: string,
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async set(options: BenchOptions): Promise<Stage> {
    await using stack = new AsyncDisposableStack();
    // One more, whose history is generated.
    const lab = await Lab.open({ travelers: Math.max(64, ...options.travelers) + 1, shops: SHOPS, refundMs: 0 });
    stack.defer(() => lab.close());
    const { profile } = options;
    const graph = await Started.run<{ url: string }>({
      file: 'test/bench/payments/counting.process.js',
      core: null,
      quiet: true,
      flags: profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [],
      environment: { ...lab.environment, DATA_DIR: lab.folder, PORT: String(lab.port), LOG_LEVEL: 'warn' } as Record<
        string,
        string
      >,
    });
    stack.defer(() => graph.stop());
    const client = new GraphClient(graph.hello.url, Math.max(64, ...options.travelers));
    stack.defer(() => client.close());
    const arrivals = await Arrivals.open(lab.environment);
    stack.defer(() => arrivals.close());
    const database = new pg.Pool({ connectionString: databaseUrl('payments', lab.environment), max: 4 });
    stack.defer(() => database.end());
    const merchantIds = [lab.store.merchantId, historyStore.merchantId];
    const scopes = ['payments:read', 'refunds:write'];
    const token = await lab.issuer.issue({ kind: 'MERCHANT', subject: 'mem_cn_bench', scopes, merchantIds });
    return new Stage(options, lab, graph, client, arrivals, database, token, stack.move());
  }

  /** The price of a purchase, at the seeded store or at one of many. */
  async start(traveler: BenchTraveler, code = this.lab.store.payload): Promise<Purchase> {
    const input = { code, amount: AMOUNT, walletId: traveler.walletId, idempotencyKey: randomUUID() };
    const { startCheckout } = await this.client.ask<{ startCheckout: { checkout: { id: string } } }>(
      traveler.token,
      operations.startCheckout,
      { input },
    );
    return { traveler, checkoutId: startCheckout.checkout.id };
  }

  /** Accepts it, and waits for the end. @param dueAt since when the payer waits. @throws when it does not end well */
  async pay({ traveler, checkoutId }: Purchase, dueAt = performance.now()): Promise<Times> {
    const input = { checkoutId, idempotencyKey: randomUUID() };
    const { confirmCheckout } = await this.client.ask<{ confirmCheckout: { payment: { id: string } } }>(
      traveler.token,
      operations.confirmCheckout,
      { input },
    );
    const { id } = confirmCheckout.payment;
    const [paidAt, doneAt] = await Promise.all([this.arrivals.of(id, 'PAID'), this.arrivals.of(id, 'COMPLETED')]);
    this.refundable.push(id);
    return { paidMs: paidAt - dueAt, doneMs: doneAt - dueAt };
  }

  /** Gives a whole payment back, and waits until the payer has it. @throws when it does not end well */
  async refund(paymentId: string, dueAt = performance.now()): Promise<Times> {
    const input = { paymentId, reason: 'Sent back', idempotencyKey: randomUUID() };
    await this.client.ask(this.merchantToken, operations.refundPayment, { input });
    const doneMs = (await this.arrivals.of(paymentId, 'REFUNDED')) - dueAt;
    return { paidMs: doneMs, doneMs };
  }

  traveler(lane: number): BenchTraveler {
    const traveler = this.lab.travelers[lane];
    if (!traveler) throw new Error('there are not so many travelers');
    return traveler;
  }

  /** Pays nothing here: its history is generated. */
  get reader(): BenchTraveler {
    return this.traveler(this.lab.travelers.length - 1);
  }

  askAsReader<Answer>(query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.client.ask(this.reader.token, query, variables);
  }

  askAsMerchant<Answer>(query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.client.ask(this.merchantToken, query, variables);
  }

  /** How often the graph was too late for itself, and was asked again. */
  get askedAgain(): number {
    return this.client.askedAgain;
  }

  counted(): Promise<Counted> {
    return this.graph.ask<Counted>('count');
  }

  /** What the graph sends to PostgreSQL while `work` lasts. */
  async recorded(work: () => Promise<unknown>): Promise<Sent[]> {
    await this.graph.ask('record');
    await work();
    return this.graph.ask<Sent[]>('recorded');
  }

  async strike(): Promise<void> {
    await this.stack.disposeAsync();
  }
}

function lastOf(all: readonly Store[]): Store {
  const last = all.at(-1);
  if (!last) throw new Error('no store is seeded');
  return last;
}

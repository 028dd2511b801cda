import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { z } from 'zod';
import { WechatPayClient } from '../../connectors/wechat-pay/wechat-pay.client.js';
import { wechatPayConfiguration, wechatPayVariables } from '../../connectors/wechat-pay/wechat-pay.configuration.js';
import { maya } from '../../local/seed.identities.js';
import { openDatabase } from '../../subgraphs/kernel/database.js';
import type { FaultPoint } from '../../subgraphs/kernel/fault.js';
import { overHttp } from '../../subgraphs/kernel/graphql/subgraph.client.js';
import type { SubgraphTransport } from '../../subgraphs/kernel/graphql/subgraph.js';
import type { PaymentId, RefundId } from '../../subgraphs/kernel/id.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import type { Principal } from '../../subgraphs/kernel/principal.js';
import { PRINCIPAL_HEADER } from '../../subgraphs/kernel/principal.token.js';
import { Payment } from '../../subgraphs/payments/payment/payment.entity.js';
import { asker } from './ask.js';
import { contradictions, wrongs } from './crash.books.js';
import type { Plan } from './crash.entry.js';
import { type JourneyName, journeys, type Purchase, purchasesOf, type WantedRefund } from './crash.journeys.js';
import { NOWHERE, PaymentsProcess } from './payments.process.js';
import { storeOf } from './shopping.js';
import { Surroundings } from './surroundings.js';

const PRICE = '100.00';
const REFUND = '20.00';
// A lost request for a hold may be under way for half a minute; the attempt after it may come as late again.
const SETTLED_WITHIN_MS = 100_000;
const PAUSE_MS = 30;

type Wish = Purchase | WantedRefund;

const START = `mutation ($input: StartCheckoutInput!) { startCheckout(input: $input) { checkout { id } } }`;
const CONFIRM = `mutation ($input: ConfirmCheckoutInput!) { confirmCheckout(input: $input) { payment { id } } }`;
const REFUND_PAYMENT = `mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { refund { id } } }`;

/** payments as a process that dies where it is told to, and all around it that stays and remembers. */
export class CrashLab {
  private readonly purchases: Purchase[] = [];
  private readonly refunds: WantedRefund[] = [];
  /** What the last journey is about: nothing before it can be unanswered. */
  private recent: readonly Wish[] = [];
  /** The codes of all errors that anybody was answered. */
  readonly refusals: unknown[] = [];
  private lives = 0;
  private next: PaymentsProcess;

  private constructor(
    readonly surroundings: Surroundings,
    private readonly place: { process: PaymentsProcess | null },
    /** What the service finds in its environment. */
    private readonly environment: NodeJS.ProcessEnv,
    private readonly orm: MikroORM,
    private readonly bus: pg.Pool,
    private readonly merchant: WechatPayClient,
  ) {
    this.next = this.load();
  }

  /** @param databaseOf another way to the database, which may be spoilt */
  static async start(databaseOf: (url: string) => Promise<string> = async (url) => url): Promise<CrashLab> {
    const place: { process: PaymentsProcess | null } = { process: null };
    const surroundings = await Surroundings.start(() => place.process?.url ?? NOWHERE);
    const { environment, databases } = surroundings;
    const orm = await openDatabase({ name: 'crash', url: databases.payments, entities: [Payment], migrations: [] });
    const bus = new pg.Pool({ connectionString: databases.bus, max: 1 });
    // A connection that breaks while nobody uses it is replaced.
    bus.on('error', () => undefined);
    const merchant = new WechatPayClient(wechatPayConfiguration(z.object(wechatPayVariables).parse(environment)));
    const reached = { ...environment, DATABASE_URL_PAYMENTS: await databaseOf(databases.payments) };
    const lab = new CrashLab(surroundings, place, reached, orm, bus, merchant);
    await lab.revive();
    return lab;
  }

  get process(): PaymentsProcess {
    if (!this.place.process) throw new Error('payments was never started');
    return this.place.process;
  }

  /** What must be settled first: only what is completed can be refunded, and here only once. */
  private get refundable(): (Purchase & { readonly paymentId: PaymentId }) | undefined {
    const refunded = new Set(this.refunds.map(({ of }) => of.paymentId));
    const fit = ({ ends, scenario, paymentId }: Purchase) =>
      ends === 'COMPLETED' && scenario === 'ok' && paymentId !== null && !refunded.has(paymentId);
    return this.purchases.find(fit) as (Purchase & { readonly paymentId: PaymentId }) | undefined;
  }

  /** Begins all of a journey, each purchase and refund until it is answered or the process is dead. */
  async travel(name: JourneyName): Promise<void> {
    await this.prepare(name);
    await this.insistOn(this.recent);
  }

  /** The same while the process dies. @returns whether it did */
  async travelTo(plan: Plan, name: JourneyName): Promise<boolean> {
    await this.prepare(name);
    await this.process.strikeAt(plan);
    const insisting = this.insistOn(this.recent);
    const died = await this.process.diesWithin();
    await insisting;
    return died;
  }

  /** Every contradiction at this moment, dead or alive. */
  contradictions(): Promise<string[]> {
    return contradictions(this.orm.em);
  }

  /** The next process takes over. @returns whether it came up; else it died on its way, where it was told to */
  async revive(plan: Plan | null = null): Promise<boolean> {
    this.place.process = this.next;
    const isUp = await this.place.process.start(plan);
    this.next = this.load();
    return isUp;
  }

  /**
   * All that was asked for is asked for again under the same keys, by those who may not have heard an answer, and ends.
   * @returns whether the process lived to see it
   */
  async settle(): Promise<boolean> {
    await this.insistOn(this.recent);
    for (const deadline = Date.now() + SETTLED_WITHIN_MS; !this.process.hasEnded; await delay(PAUSE_MS)) {
      const left = await this.undecided();
      if (left.length === 0) break;
      if (Date.now() > deadline) throw new Error(`still undecided: ${left.join(', ')}`);
    }
    return !this.process.hasEnded;
  }

  /** All that is wrong once everything is settled. */
  async wrongs(): Promise<string[]> {
    const { surroundings, orm, bus, purchases, refunds } = this;
    surroundings.lines.paypal.heal();
    surroundings.lines.wechatPay.heal();
    return wrongs(orm.em, bus, await surroundings.readBooks(), purchases, refunds);
  }

  /** How often the process of now has passed each fault point. */
  reached(): ReadonlyMap<FaultPoint, number> {
    return this.process.reached();
  }

  async stop(): Promise<void> {
    await Promise.all([this.place.process?.kill(), this.next.kill()]);
    await Promise.all([this.orm.close(), this.bus.end(), this.merchant.close()]);
    await this.surroundings.stop();
  }

  private load(): PaymentsProcess {
    this.lives += 1;
    return PaymentsProcess.load(this.environment, join(this.surroundings.folder, `reached.${this.lives}`));
  }

  private async prepare(name: JourneyName): Promise<void> {
    const { refund, spoil } = journeys[name];
    const { refundable } = this;
    const purchases = purchasesOf(name);
    const refunds: WantedRefund[] =
      refund && refundable ? [{ of: refundable, yuan: REFUND, key: randomUUID(), ends: refund, refundId: null }] : [];
    if (refund === 'REFUSED' && refundable) await this.refundElsewhere(refundable.paymentId);
    this.recent = [...purchases, ...refunds];
    this.purchases.push(...purchases);
    this.refunds.push(...refunds);
    spoil(this.surroundings.lines);
  }

  /** The merchant gives everything back, and not by us. */
  private async refundElsewhere(id: PaymentId): Promise<void> {
    const [row] = await this.orm.em.fork().execute<{ transaction_id: string; network_merchant_id: string }[]>(
      `select transaction_id, network_merchant_id from payment
         join payment_acceptance on payment_id = payment.id where payment.id = ?`,
      [id],
    );
    const all = Money.parse(PRICE, 'CNY');
    await this.merchant.refund({
      transactionId: row?.transaction_id ?? '',
      merchantId: row?.network_merchant_id ?? '',
      outRefundNo: `elsewhere_${id.slice(-20)}`,
      reason: 'Returned',
      refund: all,
      total: all,
      notifyUrl: 'http://127.0.0.1:9/nobody',
    });
  }

  private async undecided(): Promise<string[]> {
    const rows = await this.orm.em.fork().execute<{ id: string }[]>(
      `select id from payment where status in ('PROCESSING', 'PAID')
       union all select id from refund where leg_status in ('REQUESTED', 'TAKEN') union all select id from outbox`,
    );
    return rows.map(({ id }) => id);
  }

  /** As clients should: again, by the same keys, until there is an answer; or until there is nobody to give one. */
  private async insistOn(wishes: readonly Wish[]): Promise<void> {
    const transport = overHttp(`${this.process.url}/graphql`);
    const { process } = this;
    const insist = async (wish: Wish): Promise<void> => {
      while (!process.hasEnded && !(await this.fulfil(wish, transport))) await delay(PAUSE_MS);
    };
    await Promise.all(wishes.map(insist)).finally(() => transport.close());
  }

  /** @returns whether it was answered */
  private fulfil(wish: Wish, transport: SubgraphTransport): Promise<boolean> {
    return 'scenario' in wish ? this.buy(wish, transport) : this.giveBack(wish, transport);
  }

  /** @throws Error when the same keys mean something else than before */
  private async buy(purchase: Purchase, transport: SubgraphTransport): Promise<boolean> {
    const traveler = asker.traveler(maya.id);
    const started = await this.ask<{ startCheckout: { checkout: { id: string } } }>(transport, traveler, START, {
      code: storeOf(purchase.scenario).payload,
      amount: { amount: PRICE, currencyCode: 'CNY' },
      walletId: maya.walletId,
      idempotencyKey: purchase.startKey,
    });
    if (!started) return false;
    purchase.checkoutId = same(purchase.checkoutId, started.startCheckout.checkout.id);
    const confirmed = await this.ask<{ confirmCheckout: { payment: { id: PaymentId } } }>(
      transport,
      traveler,
      CONFIRM,
      {
        checkoutId: purchase.checkoutId,
        idempotencyKey: purchase.confirmKey,
      },
    );
    if (!confirmed) return false;
    purchase.paymentId = same(purchase.paymentId, confirmed.confirmCheckout.payment.id);
    return true;
  }

  /** @throws Error when the same key means something else than before */
  private async giveBack(wanted: WantedRefund, transport: SubgraphTransport): Promise<boolean> {
    const { merchantId } = storeOf(wanted.of.scenario);
    const answer = await this.ask<{ refundPayment: { refund: { id: RefundId } } }>(
      transport,
      asker.member(merchantId),
      REFUND_PAYMENT,
      {
        paymentId: wanted.of.paymentId,
        amount: { amount: wanted.yuan, currencyCode: 'CNY' },
        reason: 'Returned',
        idempotencyKey: wanted.key,
      },
    );
    if (!answer) return false;
    wanted.refundId = same(wanted.refundId, answer.refundPayment.refund.id);
    return true;
  }

  /** @returns null where there is no answer, or one that says to ask again. @throws Error what else was refused */
  private async ask<Data>(
    transport: SubgraphTransport,
    principal: Principal,
    query: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<Data | null> {
    const headers = { [PRINCIPAL_HEADER]: await this.surroundings.gateway.sign(principal) };
    const answer = await transport({ query, variables: { input }, headers }).catch(() => null);
    if (!answer) return null;
    const errors = answer.errors ?? [];
    this.refusals.push(...errors.map(({ extensions }) => extensions?.['code']));
    if (errors.length === 0) return answer.data as Data;
    if (errors.every(({ extensions }) => extensions?.['transient'] === true)) return null;
    throw new Error(JSON.stringify(errors));
  }
}

/** What was answered once is answered always. */
function same<Id extends string>(known: Id | null, answered: Id): Id {
  if (known !== null && known !== answered) throw new Error(`the same key meant ${known}, and now means ${answered}`);
  return answered;
}

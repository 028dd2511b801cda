import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AsyncCommand } from 'fast-check';
import { scenarios } from '../../local/seed.stores.js';
import { after, DAY, HOUR, MINUTE, SECOND, systemClock } from '../../subgraphs/kernel/clock.js';
import type { SubgraphResponse } from '../../subgraphs/kernel/graphql/subgraph.js';
import type { PaymentId } from '../../subgraphs/kernel/id.js';
import { Leases } from '../../subgraphs/payments/saga/lease.repository.js';
import type { Fault } from './fault.proxy.js';
import type { World } from './world.js';

/** What the wallet may play, and how a payment that the network makes ends then. */
export const walletPlays = {
  ok: 'COMPLETED',
  'duplicate-notifications': 'COMPLETED',
  'authorization-pending': 'COMPLETED',
  'capture-fails-once': 'COMPLETED',
  'capture-pending': 'COMPLETED',
  'refund-pending': 'COMPLETED',
  'refund-fails': 'COMPLETED',
  'gives-less': 'COMPLETED',
  declined: 'DECLINED WALLET_DECLINED',
  'authorization-denied': 'DECLINED WALLET_DECLINED',
  'authorization-lapses': 'IN_REVIEW AUTHORIZATION_EXPIRED',
  'capture-denied': 'IN_REVIEW CAPTURE_REFUSED',
  'capture-declined': 'IN_REVIEW CAPTURE_REFUSED',
  'holds-less': 'IN_REVIEW WALLET_AMOUNT_DIFFERS',
  'takes-less': 'IN_REVIEW CAPTURE_AMOUNT_DIFFERS',
} as const;

/** What the network may play, and how a payment whose money is held ends then; null: as the wallet plays. */
export const networkPlays = {
  ok: null,
  slow: null,
  'lost-reply': null,
  'late-reply': null,
  'duplicate-notifications': null,
  'contradictory-notifications': null,
  'paid-while-cancelled': null,
  'refund-not-enough-once': null,
  'refund-closed': null,
  refused: 'FAILED NETWORK_REFUSED',
  'slow-refused': 'FAILED NETWORK_REFUSED',
  'refused-but-notified': 'FAILED NETWORK_REFUSED',
  'cancel-busy-once': 'FAILED NETWORK_CANCELLED',
  'never-typed': 'IN_REVIEW NETWORK_OUTCOME_UNKNOWN',
  'pays-less': 'IN_REVIEW NETWORK_AMOUNT_DIFFERS',
  'pays-another': 'IN_REVIEW NETWORK_MERCHANT_DIFFERS',
} as const;

export interface Plays {
  readonly wallet: keyof typeof walletPlays;
  readonly network: keyof typeof networkPlays;
}

export interface Purchase {
  readonly checkoutId: string;
  /** Under which it is confirmed, or was. */
  key: string;
  /** Its own store, so that what is played there is played for it alone. */
  readonly at: (typeof scenarios)[number];
  readonly plays: Plays;
  /** By the run's own clock: milliseconds that it was moved on. */
  readonly openedAt: number;
  quotedAt: number;
  isCancelled: boolean;
  paymentId: PaymentId | null;
  confirmedAt: number;
}

export interface WantedRefund {
  readonly id: string;
  readonly of: Purchase;
  readonly key: string;
  readonly yuan: string | null;
}

/** What a run has asked for so far. */
export interface Model {
  readonly purchases: Purchase[];
  readonly refunds: WantedRefund[];
  /** The wallet was made to refuse once, whatever it plays. */
  mayBeDeclined: boolean;
}

/** The world that it was asked of, and its clock. */
export interface Lab {
  readonly world: World;
  readonly clock: { ahead: number };
}

/** One for each store. */
export const MOST_PURCHASES = scenarios.length;
const QUOTE_LASTS = 5 * MINUTE;
const CHECKOUT_LASTS = 30 * MINUTE;

/** What the saga was given to do is done, or waits for its time. */
export async function atRest({ world }: Lab): Promise<void> {
  const { payments, refunds } = world.payments.sagas;
  await Promise.all([payments.idle(), refunds.idle()]);
}

export abstract class Step implements AsyncCommand<Model, Lab> {
  /** @param isPatient lets the saga come to rest before the next command, which else finds it at work */
  constructor(private readonly isPatient: boolean) {}

  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, lab: Lab): Promise<void> {
    await this.act(model, lab);
    if (this.isPatient) await atRest(lab);
  }

  toString(): string {
    return `${this.said()}${this.isPatient ? '.' : ''}`;
  }

  abstract act(model: Model, lab: Lab): Promise<void>;
  abstract said(): string;
}

/** Something that is asked of one of the purchases so far. */
abstract class Of extends Step {
  constructor(
    isPatient: boolean,
    protected readonly index: number,
  ) {
    super(isPatient);
  }

  override check({ purchases }: Readonly<Model>): boolean {
    return purchases.length > 0;
  }

  protected of({ purchases }: Model): Purchase {
    const purchase = purchases[this.index % purchases.length];
    if (!purchase) throw new Error('nothing was bought');
    return purchase;
  }
}

export class Open extends Step {
  constructor(
    isPatient: boolean,
    readonly plays: Plays,
    readonly fen: number,
  ) {
    super(isPatient);
  }

  override check({ purchases }: Readonly<Model>): boolean {
    return purchases.length < MOST_PURCHASES;
  }

  async act({ purchases }: Model, { world, clock }: Lab): Promise<void> {
    const at = scenarios[purchases.length] ?? 'ok';
    world.play(at, this.plays);
    const { id } = await world.checkout(at, yuanOf(this.fen));
    const times = { openedAt: clock.ahead, quotedAt: clock.ahead, confirmedAt: 0 };
    const purchase = { checkoutId: id, key: randomUUID(), at, plays: this.plays, ...times };
    purchases.push({ ...purchase, isCancelled: false, paymentId: null });
  }

  said(): string {
    return `open(${yuanOf(this.fen)}, wallet ${this.plays.wallet}, network ${this.plays.network})`;
  }
}

/** Under the same key again and again, or under a new one. */
export class Confirm extends Of {
  constructor(
    isPatient: boolean,
    index: number,
    readonly isNewKey: boolean,
  ) {
    super(isPatient, index);
  }

  async act(model: Model, { world, clock }: Lab): Promise<void> {
    const purchase = this.of(model);
    const key = this.isNewKey ? randomUUID() : purchase.key;
    const answer = await persistently(() => world.confirm(purchase.checkoutId, key));
    const { paymentId } = purchase;
    const refusal = refusalOf(purchase, clock.ahead);
    if (paymentId && !this.isNewKey) return void expectSame(paymentIn(answer), paymentId, 'a replay');
    if (paymentId) return expectRefused(answer, 'CHECKOUT_ALREADY_CONFIRMED');
    if (refusal) return expectRefused(answer, refusal);
    if (clock.ahead - purchase.quotedAt >= QUOTE_LASTS) return expectRefused(answer, 'QUOTE_EXPIRED');
    purchase.paymentId = paymentIn(answer);
    purchase.key = key;
    purchase.confirmedAt = clock.ahead;
  }

  said(): string {
    return `confirm(${this.index}${this.isNewKey ? ', new key' : ''})`;
  }
}

/** Both at once, which is what most do. */
export class Buy extends Open {
  override async act(model: Model, lab: Lab): Promise<void> {
    await super.act(model, lab);
    await new Confirm(false, model.purchases.length - 1, false).act(model, lab);
  }

  override said(): string {
    return super.said().replace('open', 'buy');
  }
}

export class Cancel extends Of {
  async act(model: Model, { world, clock }: Lab): Promise<void> {
    const purchase = this.of(model);
    const input = { checkoutId: purchase.checkoutId };
    const answer = await persistently(() => world.ask(world.maya.principal, CANCEL, { input }));
    const refusal = purchase.isCancelled ? null : refusalOf(purchase, clock.ahead);
    if (refusal) return expectRefused(answer, refusal);
    expectTaken(answer);
    purchase.isCancelled = true;
  }

  said(): string {
    return `cancel(${this.index})`;
  }
}

export class Requote extends Of {
  async act(model: Model, { world, clock }: Lab): Promise<void> {
    const purchase = this.of(model);
    const input = { checkoutId: purchase.checkoutId };
    const answer = await persistently(() => world.ask(world.maya.principal, REQUOTE, { input }));
    const refusal = refusalOf(purchase, clock.ahead);
    if (refusal) return expectRefused(answer, refusal);
    expectTaken(answer);
    purchase.quotedAt = clock.ahead;
  }

  said(): string {
    return `requote(${this.index})`;
  }
}

/** For the merchant: a part in ten-thousandths, or all that is left. */
export class Refund extends Of {
  constructor(
    isPatient: boolean,
    index: number,
    readonly part: number | null,
  ) {
    super(isPatient, index);
  }

  override check({ purchases }: Readonly<Model>): boolean {
    return purchases.some(({ paymentId }) => paymentId !== null);
  }

  async act(model: Model, { world }: Lab): Promise<void> {
    const standings = await Promise.all(
      model.purchases.map(
        async (purchase) => purchase.paymentId && { purchase, ...(await leftOf(world, purchase.paymentId)) },
      ),
    );
    const paid = standings.filter((each) => each !== null);
    const completed = paid.filter(({ status }) => status === 'COMPLETED');
    // Most are meant for what can be given back; the others are to be refused.
    const among = completed.length > 0 ? completed : paid;
    const before = among[this.index % among.length];
    if (!before) return;
    const { purchase } = before;
    const yuan = this.part === null ? null : yuanOf(Math.max(1, Math.floor((before.buy * this.part) / 10_000)));
    const key = randomUUID();
    const { merchantId } = world.store(purchase.at);
    const ask = () => world.refund(purchase.paymentId as PaymentId, yuan, merchantId, key);
    const answer = await persistently(ask);
    const fen = yuan === null ? before.left : Math.round(Number(yuan) * 100);
    const isPossible = before.status === 'COMPLETED' && before.left > 0 && fen <= before.left;
    if (isPossible) expectTaken(answer);
    if (answer.errors) return;
    const id = refundIn(answer);
    expectSame(refundIn(await persistently(ask)), id, 'a replay');
    model.refunds.push({ id, of: purchase, key, yuan });
  }

  said(): string {
    return `refund(${this.index}, ${this.part === null ? 'all' : this.part})`;
  }
}

/** In several parts, and then all that is left: to the payer it comes to the whole price (M6). */
export class GiveBack extends Of {
  constructor(
    isPatient: boolean,
    index: number,
    readonly parts: readonly number[],
  ) {
    super(isPatient, index);
  }

  async act(model: Model, lab: Lab): Promise<void> {
    for (const part of [...this.parts, null]) {
      const refund = new Refund(true, this.index, part);
      if (refund.check(model)) await refund.run(model, lab);
    }
  }

  said(): string {
    return `giveBack(${this.index}, ${this.parts.join(', ')})`;
  }
}

/** Something that is asked again, as it was or otherwise, under the key of a refund that was taken. */
export class RefundAgain extends Step {
  constructor(
    isPatient: boolean,
    readonly index: number,
    readonly isSame: boolean,
  ) {
    super(isPatient);
  }

  override check({ refunds }: Readonly<Model>): boolean {
    return refunds.length > 0;
  }

  async act({ refunds }: Model, { world }: Lab): Promise<void> {
    const refund = refunds[this.index % refunds.length];
    if (!refund?.of.paymentId) return;
    const { of, yuan, key, id } = refund;
    const { merchantId } = world.store(of.at);
    const paymentId = of.paymentId as PaymentId;
    const answer = await persistently(() =>
      world.refund(
        paymentId,
        this.isSame ? yuan : '0.07',
        merchantId,
        key,
        this.isSame ? 'Returned' : 'Another reason',
      ),
    );
    if (this.isSame) expectSame(refundIn(answer), id, 'a replay');
    else expectRefused(answer, 'IDEMPOTENCY_KEY_REUSED');
  }

  said(): string {
    return `refundAgain(${this.index}${this.isSame ? '' : ', otherwise'})`;
  }
}

/** The next requests on one of the lines go wrong. */
export class Spoil extends Step {
  constructor(
    isPatient: boolean,
    readonly side: 'paypal' | 'wechatPay',
    readonly path: string | RegExp,
    readonly fault: Fault,
    readonly times: number,
  ) {
    super(isPatient);
  }

  async act(model: Model, { world }: Lab): Promise<void> {
    if (this.fault.kind === 'HEADER' && this.fault.value.includes('DECLINED')) model.mayBeDeclined = true;
    world.lines[this.side].spoil(this.path, this.fault, this.times);
  }

  said(): string {
    return `spoil(${this.path} ${JSON.stringify(this.fault)} × ${this.times})`;
  }
}

export class Heal extends Step {
  async act(_model: Model, { world }: Lab): Promise<void> {
    heal(world);
  }

  said(): string {
    return 'heal';
  }
}

/** One after the other, with nothing in between. */
export class Together extends Step {
  constructor(
    isPatient: boolean,
    readonly steps: readonly Step[],
  ) {
    super(isPatient);
  }

  async act(model: Model, lab: Lab): Promise<void> {
    for (const step of this.steps) if (step.check(model)) await step.act(model, lab);
  }

  said(): string {
    return `{ ${this.steps.join(' ')} }`;
  }
}

/** Notifications are refused from now on, or heard: then also those that were refused, late. */
export class Listen extends Step {
  constructor(
    isPatient: boolean,
    readonly areOpen: boolean,
  ) {
    super(isPatient);
  }

  async act(_model: Model, { world }: Lab): Promise<void> {
    world.listen(this.areOpen);
  }

  said(): string {
    return this.areOpen ? 'listen' : 'deafen';
  }
}

export class Restart extends Step {
  async act(_model: Model, { world }: Lab): Promise<void> {
    await world.restartPayments();
  }

  said(): string {
    return 'restart';
  }
}

/** Whoever works on something loses its lease to another, and that one too: all take the same step at the same moment. */
export class Crowd extends Step {
  async act(model: Model, lab: Lab): Promise<void> {
    const open = await openOf(model, lab);
    await Promise.all([...open, ...open].map((id) => takeOver(id, lab)));
  }

  said(): string {
    return 'crowd';
  }
}

/** One step by a worker of another process, which has nothing else to do. */
async function takeOver(id: string, { world, clock }: Lab): Promise<void> {
  const { payments, refunds } = world.payments.sagas;
  const work = id.startsWith('pay_') ? payments['work'] : refunds['work'];
  const { em } = world.payments;
  const leases = new Leases(em, work, randomInt(1, 2 ** 31 - 1));
  const now = () => after(systemClock(), clock.ahead);
  await em
    .fork()
    .execute(
      `update ${work.table} set lease_until = now() - interval '1 second' where id = ? and lease_until > now()`,
      [id],
    );
  if ((await leases.claim(id, now())) === null) return;
  const progress = await work.advance(id, null);
  if (progress.kind === 'WAIT') await leases.rest(id, progress, now());
  else await leases.release(id);
}

/** Time passes for everybody, and the saga looks again at what waited. */
export class Pass extends Step {
  constructor(
    isPatient: boolean,
    readonly ms: number,
  ) {
    super(isPatient);
  }

  async act(model: Model, lab: Lab): Promise<void> {
    // Nothing is on its way for as long as this.
    await quiet(lab);
    lab.clock.ahead += this.ms;
    await kick(model, lab);
  }

  said(): string {
    return `pass(${this.ms / SECOND} s)`;
  }
}

/** Kicks all of a run that is not over. @returns how many */
async function kick(model: Model, lab: Lab): Promise<number> {
  const open = await openOf(model, lab);
  const { payments, refunds } = lab.world.payments.sagas;
  for (const id of open) (id.startsWith('pay_') ? payments : refunds).kick(id);
  return open.length;
}

async function openOf({ purchases }: Model, { world }: Lab): Promise<string[]> {
  const ids = purchases.flatMap(({ paymentId }) => paymentId ?? []);
  const open = await world.payments.em.fork().execute<{ id: string }[]>(
    `select id from payment where id = any(?::text[]) and status in ('PROCESSING', 'PAID')
      union all select id from refund where payment_id = any(?::text[]) and leg_status in ('REQUESTED', 'TAKEN')`,
    [`{${ids.join(',')}}`, `{${ids.join(',')}}`],
  );
  return open.map(({ id }) => id);
}

const ROUNDS = 40;
const ROUNDS_WITHOUT_TIME = 4;
/** Longer than a payer of the scenario `slow` types. */
const PAUSE_MS = 25;

/**
 * The lines are sound and everybody listens: nothing stays undecided. At first no time passes, then ever more, up to
 * the patience of the most patient step. @returns what is undecided then
 */
export async function settle(model: Model, lab: Lab): Promise<number> {
  heal(lab.world);
  lab.world.listen(true);
  let open = await kick(model, lab);
  for (let round = 0; open > 0 && round < ROUNDS; round += 1) {
    await atRest(lab);
    if (round < ROUNDS_WITHOUT_TIME) await delay(PAUSE_MS);
    await quiet(lab);
    if (round >= ROUNDS_WITHOUT_TIME)
      lab.clock.ahead += Math.min(DAY, 31 * SECOND * 8 ** (round - ROUNDS_WITHOUT_TIME));
    open = await kick(model, lab);
  }
  await quiet(lab);
  await atRest(lab);
  return open;
}

async function quiet({ world: { lines } }: Lab): Promise<void> {
  await Promise.all([lines.paypal.quiet(), lines.wechatPay.quiet()]);
}

function heal({ lines }: World): void {
  for (const line of [lines.paypal, lines.wechatPay]) line.heal();
}

/** Why a checkout is not open any more, if so. */
function refusalOf(purchase: Purchase, now: number): string | null {
  if (purchase.paymentId) return 'CHECKOUT_ALREADY_CONFIRMED';
  if (purchase.isCancelled) return 'CHECKOUT_CANCELLED';
  return now - purchase.openedAt >= CHECKOUT_LASTS ? 'CHECKOUT_EXPIRED' : null;
}

async function leftOf(world: World, id: PaymentId): Promise<{ status: string; buy: number; left: number }> {
  const [row] = await world.payments.em
    .fork()
    .execute<{ status: string; buy: number; left: number }[]>(
      'select status, buy_minor::int as buy, (buy_minor - refunded_buy_minor)::int as left from payment where id = ?',
      [id],
    );
  if (!row) throw new Error(`${id} is not there`);
  return row;
}

function yuanOf(fen: number): string {
  return `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;
}

/** Asks as a client should: again, with the same key, while it is told that this may help. */
async function persistently(ask: () => Promise<SubgraphResponse>): Promise<SubgraphResponse> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    const isTransient = answer.errors?.every(({ extensions }) => extensions?.['transient'] === true) ?? false;
    // Not completed yet is an answer, and may never change.
    if (!isTransient || answer.errors?.[0]?.extensions?.['code'] === 'REFUND_NOT_ALLOWED' || attempt === 10)
      return answer;
    await delay(50);
  }
}

function expectRefused(answer: SubgraphResponse, code: string): void {
  const codes = (answer.errors ?? []).map(({ extensions }) => String(extensions?.['code']));
  if (codes.join() !== code) throw new Error(`${codes.join() || 'no refusal'} instead of ${code}`);
}

function expectTaken(answer: SubgraphResponse): void {
  if (answer.errors) throw new Error(`refused: ${JSON.stringify(answer.errors)}`);
}

function expectSame(found: string, expected: string, what: string): void {
  if (found !== expected) throw new Error(`${what} is ${found} instead of ${expected}`);
}

function paymentIn(answer: SubgraphResponse): PaymentId {
  expectTaken(answer);
  return (answer.data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
}

function refundIn(answer: SubgraphResponse): string {
  expectTaken(answer);
  return (answer.data as { refundPayment: { refund: { id: string } } }).refundPayment.refund.id;
}

const CANCEL = 'mutation ($input: CancelCheckoutInput!) { cancelCheckout(input: $input) { checkout { id status } } }';
const REQUOTE =
  'mutation ($input: RequoteCheckoutInput!) { requoteCheckout(input: $input) { checkout { id quote { id } } } }';

/** How far a run's clock may be moved by one command: past each of the patiences, and not. */
export const PASSES = [10 * SECOND, 2 * MINUTE, 6 * MINUTE, 11 * MINUTE, 4 * HOUR, 7 * HOUR, 25 * HOUR] as const;

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { after, DAY, HOUR, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import { openDatabase, transaction } from '../../../../subgraphs/kernel/database.js';
import { executeTogether, insertion } from '../../../../subgraphs/kernel/database.rows.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { Acceptance } from '../../../../subgraphs/payments/acceptance/acceptance.entity.js';
import { Authorization } from '../../../../subgraphs/payments/authorization/authorization.entity.js';
import { Checkout } from '../../../../subgraphs/payments/checkout/checkout.entity.js';
import { migrations } from '../../../../subgraphs/payments/migrations/migrations.js';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { PaymentEvent } from '../../../../subgraphs/payments/payment/payment-event.entity.js';
import { ReconciliationService } from '../../../../subgraphs/payments/reconciliation/reconciliation.service.js';
import type { StatementLine } from '../../../../subgraphs/payments/reconciliation/statement.js';
import { Refund } from '../../../../subgraphs/payments/refund/refund.entity.js';
import { migratedDatabase } from '../../../support/database.migrated.js';
import { silent } from '../../../support/logger.js';
import { openCheckout } from '../../../support/payment.js';

// Stated lines are given here as the connectors give them, so that each can be wrong in one way.

const DAY_ONE = '2026-06-01';
const DAY_TWO = '2026-06-02';
const NOON = new Date('2026-06-01T12:00:00+08:00');
const MIDNIGHT = new Date('2026-06-02T00:00:00+08:00');

let url: string;
let orm: MikroORM;
let now: Date;
let network: StatementLine[];
let wallet: StatementLine[];

const open = (place: string) =>
  openDatabase({
    name: 'reconciliation',
    url: place,
    entities: [Checkout, Payment, PaymentEvent, Authorization, Acceptance, Refund],
    migrations,
  });

// A database for each test: payments cannot be removed.
beforeEach(async () => {
  [now, network, wallet] = [new Date('2026-06-05T00:00:00Z'), [], []];
  url = await migratedDatabase('payments');
  orm = await open(url);
});
afterEach(() => orm.close());

function execute<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  return orm.em.fork().execute<Row[]>(sql, [...parameters]);
}

/** A payment that both sides settled then; `there` holds their lines of it. */
async function settled(at = NOON, wallets = at) {
  const payment = await transaction(orm.em, async (em) => {
    const checkout = openCheckout();
    checkout.confirm(at);
    await executeTogether(em, [insertion(em, checkout)]);
    const payment = Payment.of(checkout, at);
    const [authorization, acceptance] = [Authorization.requested(payment.id), Acceptance.prepared(payment.id)];
    authorization.held(`O${payment.id}`, `A${payment.id}`, null);
    acceptance.submitted(at);
    acceptance.accepted(null, `N${payment.id}`, at);
    authorization.captured(`C${payment.id}`, 98n);
    payment.paid(at);
    payment.completed(wallets);
    const legs = [payment, authorization, acceptance];
    await executeTogether(
      em,
      legs.map((each) => insertion(em, each)),
    );
    return payment;
  });
  const atNetwork: StatementLine = {
    kind: 'PAYMENT',
    externalId: `N${payment.id}`,
    reference: payment.id,
    amount: payment.buy,
    status: 'SETTLED',
    happenedAt: at,
    merchantId: payment.networkMerchantId,
    fee: null,
  };
  const atWallet: StatementLine = {
    ...atNetwork,
    externalId: `C${payment.id}`,
    amount: payment.sell,
    happenedAt: wallets,
    merchantId: null,
    fee: Money.of(98n, 'USD'),
  };
  return { id: payment.id, payment, atNetwork, atWallet };
}

/** The same, given back in part, and settled on both sides. */
async function refunded(payment: Payment) {
  const refund = Refund.request(payment, Money.of(5_000n, 'CNY'), 'cold', 'test', NOON);
  refund.taken(`NR${refund.id}`);
  refund.given(`WR${refund.id}`, NOON);
  await transaction(orm.em, (em) => executeTogether(em, [insertion(em, refund)]));
  const line = { kind: 'REFUND', reference: refund.id, status: 'SETTLED', happenedAt: NOON, fee: null } as const;
  return {
    id: refund.id,
    atNetwork: { ...line, externalId: `NR${refund.id}`, amount: refund.buy, merchantId: payment.networkMerchantId },
    atWallet: { ...line, externalId: `WR${refund.id}`, amount: refund.sell, merchantId: null },
  };
}

async function* stated(lines: readonly StatementLine[]): AsyncGenerator<StatementLine> {
  yield* lines;
}

async function reconcile(day = DAY_ONE): Promise<boolean> {
  const market = {
    marketCode: 'US',
    network: { lines: () => stated(network) },
    wallet: { lines: () => stated(wallet) },
  };
  return new ReconciliationService(url, silent, () => now).reconcile(market, day);
}

interface BreakRow {
  readonly id: string;
  readonly day: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly evidence: { readonly here: Record<string, unknown> | null; readonly there: unknown };
  readonly first_seen_at: string;
  readonly closed_at: string | null;
}

const breaks = () =>
  execute<BreakRow>('select *, day::text as day from reconciliation_break order by source, type, subject');
const openBreaks = async () =>
  (await breaks()).filter((row) => row.closed_at === null).map(({ source, type, subject }) => [source, type, subject]);

describe('Reconciliation', () => {
  it('finds nothing where all three sides agree, refunds included', async () => {
    const one = await settled();
    const other = await settled();
    const back = await refunded(one.payment);
    network = [one.atNetwork, other.atNetwork, back.atNetwork];
    wallet = [other.atWallet, back.atWallet, one.atWallet];
    expect(await reconcile()).toBe(true);
    expect(await breaks()).toEqual([]);
    expect(await execute('select network_lines, wallet_lines, failure from reconciliation_run')).toEqual([
      { network_lines: 3, wallet_lines: 3, failure: null },
    ]);
  });

  const usd = (minor: bigint) => Money.of(minor, 'USD');
  it.each<[string, string, (line: StatementLine) => StatementLine[]]>([
    ['NETWORK', 'MISSING_AT_NETWORK', () => []],
    ['NETWORK', 'AMOUNT_DIFFERS', (line) => [{ ...line, amount: Money.of(9_999n, 'CNY') }]],
    ['NETWORK', 'CURRENCY_DIFFERS', (line) => [{ ...line, amount: usd(10_000n) }]],
    ['NETWORK', 'MERCHANT_DIFFERS', (line) => [{ ...line, merchantId: '1900000110' }]],
    ['NETWORK', 'STATUS_DIFFERS', (line) => [{ ...line, status: 'REVERSED' }]],
    ['NETWORK', 'DUPLICATE', (line) => [line, line]],
    ['NETWORK', 'DUPLICATE', (line) => [line, { ...line, externalId: 'second' }]],
    ['NETWORK', 'DUPLICATE', (line) => [{ ...line, externalId: 'another' }]],
    ['WALLET', 'MISSING_AT_WALLET', () => []],
    ['WALLET', 'AMOUNT_DIFFERS', (line) => [{ ...line, amount: usd(1_412n) }]],
    ['WALLET', 'CURRENCY_DIFFERS', (line) => [{ ...line, amount: Money.of(1_411n, 'EUR') }]],
    ['WALLET', 'FEE_DIFFERS', (line) => [{ ...line, fee: usd(99n) }]],
    ['WALLET', 'STATUS_DIFFERS', (line) => [{ ...line, status: 'PENDING' }]],
    ['WALLET', 'STATUS_DIFFERS', (line) => [{ ...line, status: 'FAILED' }]],
    ['WALLET', 'DUPLICATE', (line) => [line, { ...line, externalId: 'second' }]],
  ])('finds at the %s side: %s', async (source, type, tamper) => {
    const one = await settled();
    const other = await settled();
    network = [...(source === 'NETWORK' ? tamper(one.atNetwork) : [one.atNetwork]), other.atNetwork];
    wallet = [...(source === 'WALLET' ? tamper(one.atWallet) : [one.atWallet]), other.atWallet];
    await reconcile();
    expect(await openBreaks()).toEqual([[source, type, one.id]]);
  });

  it('finds money that moved without us, by their number, and shows their side of it', async () => {
    const { atNetwork, atWallet } = await settled();
    network = [atNetwork, { ...atNetwork, externalId: 'N1', reference: null }];
    wallet = [atWallet, { ...atWallet, kind: 'OTHER', externalId: 'W1', reference: null }];
    await reconcile();
    expect(await openBreaks()).toEqual([
      ['NETWORK', 'MISSING_HERE', 'N1'],
      ['WALLET', 'MISSING_HERE', 'W1'],
    ]);
    const [found] = await breaks();
    expect(found?.evidence).toMatchObject({
      here: null,
      there: { externalId: 'N1', amountMinor: '10000', currency: 'CNY', status: 'SETTLED' },
    });
  });

  it('knows a payment whose answer was lost by the number that we sent along', async () => {
    const { id, atNetwork, atWallet } = await settled();
    await execute(
      "update payment_acceptance set status = 'SUBMITTED', transaction_id = null, accepted_at = null where payment_id = ?",
      [id],
    );
    [network, wallet] = [[atNetwork], [atWallet]];
    await reconcile();
    expect(await openBreaks()).toEqual([['NETWORK', 'STATUS_DIFFERS', id]]);
    expect((await breaks())[0]?.evidence).toMatchObject({
      here: { id, externalId: null },
      there: { externalId: `N${id}`, status: 'SETTLED' },
    });
  });

  it('takes a payment that was given back whole for settled, though the wallet calls it reversed', async () => {
    const { id, atNetwork, atWallet } = await settled();
    [network, wallet] = [[atNetwork], [{ ...atWallet, status: 'REVERSED' }]];
    await reconcile();
    expect(await openBreaks()).toEqual([['WALLET', 'STATUS_DIFFERS', id]]);
    await execute('update payment set refunded_buy_minor = buy_minor, refunded_sell_minor = sell_minor where id = ?', [
      id,
    ]);
    await reconcile();
    expect(await openBreaks()).toEqual([]);
  });

  it('misses refunds on either side, and nothing that was only asked for', async () => {
    const { payment, atNetwork, atWallet } = await settled();
    const { id } = await refunded(payment);
    await transaction(orm.em, (em) =>
      executeTogether(em, [insertion(em, Refund.request(payment, Money.of(1n, 'CNY'), 'cold', 'test', NOON))]),
    );
    [network, wallet] = [[atNetwork], [atWallet]];
    await reconcile();
    expect(await openBreaks()).toEqual([
      ['NETWORK', 'MISSING_AT_NETWORK', id],
      ['WALLET', 'MISSING_AT_WALLET', id],
    ]);
  });
});

describe('Near midnight', () => {
  const SKEW = 2 * MINUTE;

  /** Both days, whatever the statements say on each. */
  async function bothDays(first: StatementLine[][], second: StatementLine[][]): Promise<void> {
    [network = [], wallet = []] = first;
    await reconcile(DAY_ONE);
    [network = [], wallet = []] = second;
    await reconcile(DAY_TWO);
  }

  it.each<[string, number]>([
    ['before it, where their clock is ahead', -MINUTE],
    ['after it, where their clock is behind', MINUTE],
  ])('a payment %s is a break on neither day', async (_name, offset) => {
    const { atNetwork, atWallet } = await settled(after(MIDNIGHT, offset));
    const theirs = [[{ ...atNetwork, happenedAt: after(MIDNIGHT, -offset) }], [atWallet]];
    if (offset < 0) await bothDays([[], []], theirs);
    else await bothDays(theirs, [[], []]);
    expect(await breaks()).toEqual([]);
  });

  it('a payment is a break on neither day when its two legs lie on different ones', async () => {
    const { atNetwork, atWallet } = await settled(after(MIDNIGHT, -SKEW), after(MIDNIGHT, SKEW));
    await bothDays([[atNetwork], []], [[], [atWallet]]);
    expect(await breaks()).toEqual([]);
  });

  it('a payment that nobody states is missed on one day, once for each side', async () => {
    const { id } = await settled(after(MIDNIGHT, -MINUTE));
    await bothDays([[], []], [[], []]);
    expect((await breaks()).map(({ day, type, subject }) => [day, type, subject])).toEqual([
      [DAY_TWO, 'MISSING_AT_NETWORK', id],
      [DAY_TWO, 'MISSING_AT_WALLET', id],
    ]);
  });

  it('what was missed is closed by the statement of another day that has it', async () => {
    const { atNetwork, atWallet } = await settled(after(MIDNIGHT, -2 * HOUR));
    await bothDays([[], [atWallet]], [[{ ...atNetwork, happenedAt: MIDNIGHT }], []]);
    expect((await breaks()).map(({ day, type, closed_at }) => [day, type, closed_at !== null])).toEqual([
      [DAY_ONE, 'MISSING_AT_NETWORK', true],
    ]);
    [network, wallet] = [[], [atWallet]];
    await reconcile(DAY_ONE);
    expect(await openBreaks()).toEqual([]);
  });
});

describe('Reconciling a day again', () => {
  it('changes nothing where nothing has changed', async () => {
    await settled();
    const { atNetwork, atWallet } = await settled();
    [network, wallet] = [[{ ...atNetwork, amount: Money.of(1n, 'CNY') }], [atWallet]];
    await reconcile();
    const rows = () => execute('select *, xmin::text from reconciliation_break order by id');
    const before = await rows();
    expect(before).toHaveLength(3);
    now = after(now, DAY);
    await reconcile();
    expect(await rows()).toEqual(before);
  });

  it('closes what has vanished, with the time, and opens the same break again when it is back', async () => {
    const { id, atNetwork, atWallet } = await settled();
    [network, wallet] = [[], [atWallet]];
    await reconcile();
    const [first] = await breaks();
    network = [atNetwork];
    now = after(now, HOUR);
    await reconcile();
    const [closed] = await breaks();
    expect(closed).toMatchObject({ id: first?.id, subject: id });
    expect(new Date(closed?.closed_at ?? 0)).toEqual(now);
    network = [];
    now = after(now, HOUR);
    await reconcile();
    expect(await breaks()).toEqual([first]);
  });

  it('keeps the earlier result, and says why, when a statement breaks off', async () => {
    const { atNetwork, atWallet } = await settled();
    [network, wallet] = [[], [atWallet]];
    await reconcile();
    const before = await breaks();
    const market = {
      marketCode: 'US',
      network: {
        async *lines() {
          yield atNetwork;
          throw new Error('the line broke');
        },
      },
      wallet: { lines: () => stated(wallet) },
    };
    expect(await new ReconciliationService(url, silent, () => now).reconcile(market, DAY_ONE)).toBe(false);
    expect(await breaks()).toEqual(before);
    expect(await execute('select network_lines, failure from reconciliation_run')).toEqual([
      { network_lines: 0, failure: 'the line broke' },
    ]);
    expect(await new ReconciliationService(url, silent, () => now).unsettledDays('US', '2026-05-30')).toEqual([
      DAY_ONE,
    ]);
  });

  it('is done by one at a time', async () => {
    const { atNetwork, atWallet } = await settled();
    [network, wallet] = [[atNetwork], [atWallet]];
    const reached = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = {
      marketCode: 'US',
      network: {
        async *lines() {
          reached.resolve();
          await release.promise;
          yield atNetwork;
        },
      },
      wallet: { lines: () => stated(wallet) },
    };
    const first = new ReconciliationService(url, silent, () => now).reconcile(slow, DAY_ONE);
    await reached.promise;
    expect(await reconcile()).toBe(false);
    release.resolve();
    expect(await first).toBe(true);
    expect(await breaks()).toEqual([]);
  });
});

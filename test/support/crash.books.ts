import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { z } from 'zod';
import type { Currency } from '../../subgraphs/kernel/money/currency.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { findDiscrepancies } from '../../subgraphs/payments/ledger/books.repository.js';
import type { Purchase, WantedRefund } from './crash.journeys.js';
import { bookedFor, expectedFor, type OutsideBooks, outsideBooks } from './outside-books.js';

/** The simulators themselves tell more than what `/dev/books` shows. */
const told = z.object({
  paypal: z.object(outsideBooks.shape.paypal.shape),
  wechatPay: z.object(outsideBooks.shape.wechatPay.shape),
});

interface PaymentRow {
  readonly id: string;
  readonly status: string;
  readonly buy_minor: string;
  readonly buy_currency: Currency;
  readonly sell_minor: string;
  readonly sell_currency: Currency;
  readonly events: string[];
}

/** What can be asked of the rows at any moment, also while the process is dead. */
const ALWAYS = [
  `select 'a key without a result: ' || scope || ' ' || key as problem from idempotency_record where result is null`,
  `select 'a key whose ' || effect.key || ' is not there: ' || effect.value as problem
     from idempotency_record, jsonb_each_text(result) effect
    where not exists (select 1 from payment where id = effect.value union all
                      select 1 from checkout where id = effect.value union all
                      select 1 from refund where id = effect.value)`,
  // A payment that came to nothing has given back what it had reserved, once; every other one has it still.
  `select 'M4: ' || coalesce(used, 0) || ' used, ' || coalesce(spent, 0) || ' spent' as problem
     from (select sum(used_minor) as used from limit_usage) usage,
          (select sum(sell_minor) as spent from payment where status not in ('DECLINED', 'FAILED')) payments
    where coalesce(used, 0) <> coalesce(spent, 0)`,
  `select 'M8: the events of ' || payment_id || ' have a gap' as problem from payment_event
    group by payment_id having count(*) <> max(sequence) or min(sequence) <> 1`,
  `select 'M10: ' || payment_id || ' was given free while the network may still pay' as problem
     from payment_authorization a join payment_acceptance n using (payment_id)
    where a.status = 'VOIDED' and n.status <> 'REFUSED'`,
];

/** Every contradiction within payments' own books, whatever is still under way. */
export async function contradictions(em: EntityManager): Promise<string[]> {
  const found = await findDiscrepancies(em.fork());
  const rows = await em.fork().execute<{ problem: string }[]>(ALWAYS.map((query) => `(${query})`).join(' union all '));
  return [...found.map(({ invariant, subject }) => `${invariant}: ${subject}`), ...rows.map(({ problem }) => problem)];
}

/** All that is wrong once nothing is under way any more: with our books, with theirs, and with what was told. */
export async function wrongs(
  em: EntityManager,
  bus: pg.Pool,
  books: unknown,
  purchases: readonly Purchase[],
  refunds: readonly WantedRefund[],
): Promise<string[]> {
  const rows = await em.fork().execute<PaymentRow[]>(
    `select id, status, buy_minor::text, buy_currency, sell_minor::text, sell_currency,
            array(select id from payment_event where payment_id = payment.id order by sequence) as events from payment`,
  );
  const payments = new Map(rows.map((row) => [row.id, row]));
  const legs = await legsOf(em);
  const outside = told.parse(books);
  return [
    ...(await contradictions(em)),
    ...(await counts(em, purchases, refunds)),
    ...purchases.flatMap((purchase) => {
      const row = payments.get(purchase.paymentId ?? '');
      if (!row) return [`${purchase.paymentId} is not there`];
      const refund = refunds.find(({ of }) => of === purchase);
      return [...ending(purchase, row), ...(refund ? endingOf(refund, legs) : []), ...compared(row, refund, outside)];
    }),
    ...strangers(outside, payments),
    ...(await untold(bus, rows)),
  ];
}

function ending({ scenario, ends }: Purchase, { id, status }: PaymentRow): string[] {
  return status === ends ? [] : [`${id} (${scenario}) ended ${status}, not ${ends}`];
}

function endingOf({ refundId, ends }: WantedRefund, legs: ReadonlyMap<string, string>): string[] {
  const leg = legs.get(refundId ?? '');
  return leg === ends ? [] : [`${refundId} ended ${leg}, not ${ends}`];
}

async function legsOf(em: EntityManager): Promise<ReadonlyMap<string, string>> {
  const rows = await em.fork().execute<{ id: string; leg_status: string }[]>('select id, leg_status from refund');
  return new Map(rows.map(({ id, leg_status }) => [id, leg_status]));
}

/** Asked for again under its key, nothing is there twice (M9). */
async function counts(
  em: EntityManager,
  purchases: readonly Purchase[],
  refunds: readonly WantedRefund[],
): Promise<string[]> {
  const [row] = await em.fork().execute<Record<string, number>[]>(
    `select (select count(*)::int from checkout) as checkouts, (select count(*)::int from payment) as payments,
            (select count(*)::int from refund) as refunds, (select count(*)::int from outbox) as unsent`,
  );
  const wanted = { checkouts: purchases.length, payments: purchases.length, refunds: refunds.length, unsent: 0 };
  const found = JSON.stringify(row);
  return found === JSON.stringify(wanted) ? [] : [`${found} instead of ${JSON.stringify(wanted)}`];
}

/** Captured once where it was accepted, and never otherwise; given back once by the merchant and once to the payer. */
function compared(row: PaymentRow, refund: WantedRefund | undefined, outside: OutsideBooks): string[] {
  const sell = Money.of(BigInt(row.sell_minor), row.sell_currency);
  const buy = Money.of(BigInt(row.buy_minor), row.buy_currency);
  const expected = expectedOutside(row.status, sell, buy, refund);
  const { refunds, ...found } = bookedFor(row.id, outside);
  // What the payer gets of a part is the ledger's to say; here, that it came once or not at all.
  const wanted = JSON.stringify({ ...expected, refunds: refund?.ends === 'GIVEN' ? 1 : 0 });
  const seen = JSON.stringify({ ...found, refunds: refunds.length });
  return seen === wanted ? [] : [`${row.id}: ${seen} outside, not ${wanted}`];
}

function expectedOutside(status: string, sell: Money, buy: Money, refund: WantedRefund | undefined) {
  const { refunds: _none, ...expected } = expectedFor({ status, total: wire(sell), amount: wire(buy) });
  // In review because the wallet does not give what it holds: the merchant is paid, nothing is captured or let go.
  if (status === 'IN_REVIEW')
    return { ...expected, authorizations: [`${sell} CREATED`], transactions: [`${buy} SUCCESS`] };
  if (!refund) return expected;
  const networkRefunds = [refund.ends === 'REFUSED' ? `${buy} SUCCESS` : `${refund.yuan} ${buy.currency} SUCCESS`];
  return refund.ends === 'GIVEN'
    ? { ...expected, captures: [`${sell} PARTIALLY_REFUNDED`], networkRefunds }
    : { ...expected, networkRefunds };
}

function wire(money: Money) {
  return { amount: money.toDecimal(), currencyCode: money.currency };
}

/** Nothing outside is of a payment that we do not know. */
function strangers({ paypal, wechatPay }: OutsideBooks, payments: ReadonlyMap<string, unknown>): string[] {
  return [...paypal.orders, ...paypal.authorizations, ...paypal.captures, ...paypal.refunds, ...wechatPay.transactions]
    .filter(({ paymentId }) => !payments.has(paymentId))
    .map(({ id }) => `${id} outside is of no payment of ours`);
}

/** The bus has every event of a payment, once, in its order. */
async function untold(bus: pg.Pool, rows: readonly PaymentRow[]): Promise<string[]> {
  const { rows: told } = await bus.query<{ subject: string; ids: string[] }>(
    `select subject, array_agg(id order by position) as ids from bus_event where subject like 'payment.%' group by subject`,
  );
  const bySubject = new Map(told.map(({ subject, ids }) => [subject, ids.join()]));
  return rows
    .filter(({ id, events }) => bySubject.get(`payment.${id}`) !== events.join())
    .map(({ id, events }) => `M8: the bus has ${bySubject.get(`payment.${id}`)} of ${id}, not ${events}`);
}

import { z } from 'zod';
import type { PaymentId } from '../../subgraphs/kernel/id.js';
import type { Currency } from '../../subgraphs/kernel/money/currency.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { bookedFor, type OutsideBooks, outsideBooks } from './outside-books.js';
import type { World } from './world.js';

/** The simulators themselves tell more than what `/dev/books` shows. */
const told = z.object({
  paypal: z.object(outsideBooks.shape.paypal.shape),
  wechatPay: z.object(outsideBooks.shape.wechatPay.shape),
});

/** What all sides believe of one payment. */
export interface Standing {
  readonly status: string;
  readonly reason: string | null;
  /** `HELD/SUBMITTED`. */
  readonly legs: string;
  /** What the payer was to give and the merchant to get, as `14.11 USD` and `100.00 CNY`. */
  readonly sell: string;
  readonly buy: string;
  readonly events: readonly string[];
  /** Of the ledger: what is posted to the payer's and the merchant's debit or credit, refunds off, and what is held. */
  readonly ledger: { readonly wallet: string; readonly merchant: string; readonly pending: readonly string[] };
  /** `GIVEN`, or `OWED REASON`, in the order of their requests. */
  readonly refunds: readonly string[];
  readonly outside: ReturnType<typeof bookedFor>;
}

interface Row {
  readonly status: string;
  readonly reason: string | null;
  readonly legs: string;
  readonly sell_minor: string;
  readonly sell_currency: Currency;
  readonly buy_minor: string;
  readonly buy_currency: Currency;
  readonly events: string[];
  readonly refunds: string[];
  readonly wallet: string;
  readonly merchant: string;
  readonly pending: string[];
}

const NET = (
  leg: string,
) => `(select coalesce(sum(case when refund_id is null then amount_minor else -amount_minor end), 0)
    from posting where payment_id = payment.id and leg = '${leg}')`;

const STANDING = `select payment.status, payment.reason, a.status || '/' || n.status as legs,
  sell_minor, sell_currency, buy_minor, buy_currency, ${NET('wallet')} as wallet, ${NET('merchant')} as merchant,
  array(select type from payment_event where payment_id = payment.id order by sequence) as events,
  array(select leg from hold where payment_id = payment.id and status = 'PENDING' and leg in ('wallet', 'merchant') order by leg desc) as pending,
  array(select concat_ws(' ', leg_status, failure_reason) from refund where payment_id = payment.id order by id) as refunds
  from payment join payment_authorization a on a.payment_id = payment.id join payment_acceptance n on n.payment_id = payment.id
 where payment.id = ?`;

export async function booksOutside(world: World): Promise<OutsideBooks> {
  const read = () => Promise.all([world.books('paypal'), world.books('wechatPay')]);
  // A connection that was idle for long may be closed under the question: it is asked again.
  const [paypal, wechatPay] = await world.eventually(10_000, () => read().catch(() => null));
  return told.parse({ paypal, wechatPay });
}

export async function standingOf(world: World, id: PaymentId, books?: OutsideBooks): Promise<Standing> {
  const [row] = await world.payments.em.fork().execute<Row[]>(STANDING, [id]);
  if (!row) throw new Error(`there is no payment ${id}`);
  const sold = (minor: string) => Money.of(BigInt(minor), row.sell_currency).toString();
  const bought = (minor: string) => Money.of(BigInt(minor), row.buy_currency).toString();
  return {
    status: row.status,
    reason: row.reason,
    legs: row.legs,
    sell: sold(row.sell_minor),
    buy: bought(row.buy_minor),
    events: row.events,
    ledger: { wallet: sold(row.wallet), merchant: bought(row.merchant), pending: row.pending },
    refunds: row.refunds,
    outside: bookedFor(id, books ?? (await booksOutside(world))),
  };
}

import type { MikroORM } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { openDatabase } from '../../subgraphs/kernel/database.js';
import { type Discrepancy, findDiscrepancies } from '../../subgraphs/payments/ledger/books.repository.js';
import { Payment } from '../../subgraphs/payments/payment/payment.entity.js';
import type { RunningGraph } from './graph.js';
import type { PaymentAnswer } from './shopping.js';

const entry = z.looseObject({
  id: z.string(),
  paymentId: z.string(),
  amount: z.string(),
  currency: z.string(),
  status: z.string(),
});
const page = z.array(entry);
export const outsideBooks = z.strictObject({
  paypal: z.strictObject({ orders: page, authorizations: page, captures: page, refunds: page }),
  wechatPay: z.strictObject({ transactions: page, refunds: page }),
});

export type OutsideBooks = z.infer<typeof outsideBooks>;

/** `/dev/books`: what the other sides believe. */
export async function readBooks(graph: RunningGraph): Promise<OutsideBooks> {
  return outsideBooks.parse(await (await fetch(`${graph.url}/dev/books`)).json());
}

/** What of the books is about one payment, as `amount currency status`: easy to read where it is wrong. */
export function bookedFor(paymentId: string, { paypal, wechatPay }: OutsideBooks) {
  const of = (entries: z.infer<typeof page>) =>
    entries
      .filter((each) => each.paymentId === paymentId)
      .map(({ amount, currency, status }) => `${amount} ${currency} ${status}`)
      .sort();
  return {
    authorizations: of(paypal.authorizations),
    captures: of(paypal.captures),
    refunds: of(paypal.refunds),
    transactions: of(wechatPay.transactions),
    networkRefunds: of(wechatPay.refunds),
  };
}

/**
 * What the books must say of a final payment without refunds. COMPLETED: charged once, by exactly its total; paid once,
 * by exactly its amount. Anything else: nothing was charged, nothing is held, the merchant has nothing.
 */
export function expectedFor({ status, total, amount }: Pick<PaymentAnswer, 'status' | 'total' | 'amount'>) {
  const [sell, buy] = [`${total.amount} ${total.currencyCode}`, `${amount.amount} ${amount.currencyCode}`];
  const nothing = { authorizations: [], captures: [], refunds: [], transactions: [], networkRefunds: [] };
  switch (status) {
    case 'COMPLETED':
      return {
        ...nothing,
        authorizations: [`${sell} CAPTURED`],
        captures: [`${sell} COMPLETED`],
        transactions: [`${buy} SUCCESS`],
      };
    case 'FAILED':
      return { ...nothing, authorizations: [`${sell} VOIDED`], transactions: [`${buy} FAIL`] };
    default:
      return nothing;
  }
}

/** Every contradiction in the ledger of a running graph, read from its own database. */
export async function discrepanciesOf(graph: RunningGraph): Promise<Discrepancy[]> {
  const orm: MikroORM = await openDatabase({
    name: 'journey',
    url: graph.databaseUrl('payments'),
    entities: [Payment],
    migrations: [],
  });
  try {
    return await findDiscrepancies(orm.em.fork());
  } finally {
    await orm.close();
  }
}

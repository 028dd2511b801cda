import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { openDatabase } from '../../subgraphs/kernel/database.js';
import type { PaymentId } from '../../subgraphs/kernel/id.js';
import { Acceptance } from '../../subgraphs/payments/acceptance/acceptance.entity.js';
import { Authorization } from '../../subgraphs/payments/authorization/authorization.entity.js';
import { type Discrepancy, findDiscrepancies } from '../../subgraphs/payments/ledger/books.repository.js';
import { Payment } from '../../subgraphs/payments/payment/payment.entity.js';
import { readLegs } from '../../subgraphs/payments/payment/payment.repository.js';
import { PaymentEvent } from '../../subgraphs/payments/payment/payment-event.entity.js';
import { sendToReview } from '../../subgraphs/payments/saga/review.service.js';
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
  return inPayments(graph, (em) => findDiscrepancies(em));
}

/** Stops a payment of a running graph for a person, as its saga would. @returns whether it was not over before */
export async function reviewOf(graph: RunningGraph, id: PaymentId): Promise<boolean> {
  return inPayments(graph, async (em) => {
    await sendToReview(em, id, 'NETWORK_OUTCOME_UNKNOWN', new Date());
    return (await readLegs(em, id)).payment.status === 'IN_REVIEW';
  });
}

/** In the graph's own database, beside it. */
async function inPayments<Found>(graph: RunningGraph, work: (em: EntityManager) => Promise<Found>): Promise<Found> {
  const orm = await openDatabase({
    name: 'journey',
    url: graph.databaseUrl('payments'),
    entities: [Payment, PaymentEvent, Authorization, Acceptance],
    migrations: [],
  });
  try {
    return await work(orm.em.fork());
  } finally {
    await orm.close();
  }
}

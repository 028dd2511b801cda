import { NotFoundError } from '../kernel/error.js';
import { buildSubgraph, type ReferenceResolver, type SubgraphSchema } from '../kernel/graphql/subgraph.schema.js';
import { parseId } from '../kernel/id.js';
import { CheckoutResolver } from './checkout/checkout.resolver.js';
import type { PaymentsContext } from './context.js';
import { LedgerAuditResolver } from './ledger/audit.resolver.js';
import {
  MerchantPaymentsResolver,
  PaymentEventDeliveryResolver,
  PaymentEventResolver,
  PaymentResolver,
  TravelerPaymentsResolver,
} from './payment/payment.resolver.js';
import { PaymentEventDeliveryType } from './payment/payment.type.js';
import { ReconciliationEvidenceResolver, ReconciliationResolver } from './reconciliation/reconciliation.resolver.js';
import { RefundResolver } from './refund/refund.resolver.js';
import { ResolutionResolver } from './review/resolution.resolver.js';
import { ReviewCaseResolver } from './review/review-case.resolver.js';

const payment: ReferenceResolver<PaymentsContext> = async ({ id = '' }, { loaders, principal }) => {
  const found = await loaders.payment.load(parseId('pay', id));
  return found?.isVisibleTo(principal) ? found : null;
};

/** An event is delivered with the rights of who listens, checked for each one. */
const delivery: ReferenceResolver<PaymentsContext> = async ({ id = '' }, { loaders, principal }) => {
  const event = await loaders.event.load(parseId('evt', id));
  const of = event && (await loaders.payment.load(event.paymentId));
  if (!event || !of?.isVisibleTo(principal)) throw new NotFoundError();
  return event;
};

const itself: ReferenceResolver<PaymentsContext> = ({ id = '' }) => ({ id });

/** The schema of payments, without a database behind it. */
export function buildPaymentsSchema(): Promise<SubgraphSchema> {
  return buildSubgraph<PaymentsContext>(
    [
      CheckoutResolver,
      PaymentResolver,
      PaymentEventResolver,
      PaymentEventDeliveryResolver,
      TravelerPaymentsResolver,
      MerchantPaymentsResolver,
      RefundResolver,
      LedgerAuditResolver,
      ReviewCaseResolver,
      ResolutionResolver,
      ReconciliationResolver,
      ReconciliationEvidenceResolver,
    ],
    { Payment: payment, PaymentEventDelivery: delivery, Traveler: itself, Merchant: itself },
    [PaymentEventDeliveryType],
  );
}

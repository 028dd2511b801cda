import type { Clock } from '../kernel/clock.js';
import type { SubgraphName } from '../kernel/configuration.js';
import { SubgraphClient } from '../kernel/graphql/subgraph.client.js';
import { CheckoutService } from './checkout/checkout.service.js';
import { CodeClient } from './checkout/code.client.js';
import { ConfirmationService } from './checkout/confirmation.service.js';
import { PayerClient } from './checkout/payer.client.js';
import { QuoteClient } from './checkout/quote.client.js';
import type { PaymentsContext } from './context.js';
import type { Databases } from './databases.js';
import { LedgerAuditService } from './ledger/audit.service.js';
import type { PaymentsOptions } from './options.js';
import { PaymentService } from './payment/payment.service.js';
import { FindingsService } from './reconciliation/findings.service.js';
import { RefundService } from './refund/refund.service.js';
import { ResolutionService } from './review/resolution.service.js';
import { ReviewCaseService } from './review/review-case.service.js';
import type { Sagas } from './workers.js';

/** What a request is answered with, whoever asks. */
export type Services = Omit<PaymentsContext, 'principal' | 'loaders'>;

export function createServices(
  options: PaymentsOptions,
  { orm: { em }, proofs }: Databases,
  { payments: paymentWorker, refunds: refundWorker }: Sagas,
  now: Clock,
): Services {
  const { wallets, networks } = options.outside;
  const ask = (name: Exclude<SubgraphName, 'payments'>) =>
    new SubgraphClient(name, options.others[name], options.signer);
  const [codes, payers] = [new CodeClient(ask('merchants')), new PayerClient(ask('users'))];
  return {
    checkouts: new CheckoutService(em, codes, payers, new QuoteClient(ask('fx')), now),
    confirmations: new ConfirmationService(em, codes, payers, paymentWorker, now),
    payments: new PaymentService(em),
    refunds: new RefundService(em, refundWorker, now),
    audits: new LedgerAuditService(proofs.orm.em, now),
    reviewCases: new ReviewCaseService(em, wallets, networks),
    resolutions: new ResolutionService(em, networks, paymentWorker, now),
    findings: new FindingsService(em),
    now,
  };
}

import type { Clock } from '../kernel/clock.js';
import type { Principal } from '../kernel/principal.js';
import type { CheckoutService } from './checkout/checkout.service.js';
import type { ConfirmationService } from './checkout/confirmation.service.js';
import type { LedgerAuditService } from './ledger/audit.service.js';
import type { PaymentsLoaders } from './loaders.js';
import type { PaymentService } from './payment/payment.service.js';
import type { FindingsService } from './reconciliation/findings.service.js';
import type { RefundService } from './refund/refund.service.js';
import type { ResolutionService } from './review/resolution.service.js';
import type { ReviewCaseService } from './review/review-case.service.js';

/** What a resolver of payments can reach: one per request. */
export interface PaymentsContext {
  readonly principal: Principal;
  readonly checkouts: CheckoutService;
  readonly confirmations: ConfirmationService;
  readonly payments: PaymentService;
  readonly refunds: RefundService;
  readonly audits: LedgerAuditService;
  readonly reviewCases: ReviewCaseService;
  readonly resolutions: ResolutionService;
  readonly findings: FindingsService;
  readonly loaders: PaymentsLoaders;
  readonly now: Clock;
}

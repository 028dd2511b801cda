import type { OperatorId } from '../../kernel/id.js';
import type { Principal } from '../../kernel/principal.js';

/** What an operator's token needs for payments in review, for the proofs of the books and for reconciliation. */
const REVIEW_SCOPE = 'payments:review';

/** @throws ForbiddenError UNAUTHENTICATED, FORBIDDEN for anyone but an operator with the scope payments:review */
export function requireReviewer(principal: Principal): OperatorId {
  const id = principal.requireOperator();
  principal.requireScope(REVIEW_SCOPE);
  return id;
}

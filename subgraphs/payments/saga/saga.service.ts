import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { isDatabaseError } from '../../kernel/database.js';
import { InvariantViolation } from '../../kernel/error.js';
import type { PaymentId } from '../../kernel/id.js';
import type { Logger } from '../../kernel/telemetry.js';
import type { AcceptanceService } from '../acceptance/acceptance.service.js';
import type { AuthorizationService } from '../authorization/authorization.service.js';
import { type Legs, readLegs } from '../payment/payment.repository.js';
import { sendToReview } from './review.service.js';
import { nextStep, OVER, type Progress } from './saga.states.js';

/** Takes a payment one step further. Every step may be repeated and may be the last one before the process dies. */
export class PaymentSaga {
  constructor(
    private readonly em: EntityManager,
    private readonly authorizations: AuthorizationService,
    private readonly acceptances: AcceptanceService,
    private readonly logger: Logger,
    private readonly now: Clock,
  ) {}

  /**
   * @param known what the step before has left, where this follows it at once
   * @throws UnavailableError when another subgraph of ours does not answer: the step is repeated later
   */
  async advance(id: PaymentId, known: Legs | null): Promise<Progress<Legs>> {
    try {
      return await this.step(known ?? (await readLegs(this.em.fork(), id)));
    } catch (thrown) {
      if (!isContradiction(thrown)) throw thrown;
      // Trying again would only fail again: what we were told cannot be written down beside what we know.
      this.logger.error({ err: thrown, id }, 'a payment contradicts itself');
      return sendToReview(this.em, id, 'CONTRADICTION', this.now());
    }
  }

  private async step(legs: Legs): Promise<Progress<Legs>> {
    switch (nextStep(legs.payment.status, legs.authorization.status, legs.acceptance.status)) {
      case 'AUTHORIZE':
        return this.authorizations.authorize(legs);
      case 'SUBMIT':
        return this.acceptances.submit(legs);
      case 'INQUIRE':
        return this.acceptances.inquire(legs);
      case 'CAPTURE':
        return this.authorizations.capture(legs);
      case 'VOID':
        return this.authorizations.void(legs);
      case 'NOTHING':
        return OVER;
    }
  }
}

/** A broken invariant, a value that must be unique and is not, a check that fails. */
function isContradiction(thrown: unknown): boolean {
  return thrown instanceof InvariantViolation || isDatabaseError(thrown, '23505') || isDatabaseError(thrown, '23514');
}

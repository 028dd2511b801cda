import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { isDatabaseError } from '../../kernel/database.retry.js';
import { InvariantViolation, UnavailableError } from '../../kernel/error.js';
import type { PaymentId } from '../../kernel/id.js';
import type { Logger } from '../../kernel/telemetry.js';
import type { AcceptanceService } from '../acceptance/acceptance.service.js';
import type { AuthorizationService } from '../authorization/authorization.service.js';
import { type Legs, readLegs } from '../payment/payment.repository.js';
import { reasonToGiveUp } from './patience.js';
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
    const legs = known ?? (await readLegs(this.em.fork(), id));
    try {
      const progress = await this.step(legs);
      if (progress.kind !== 'WAIT') return progress;
      return (await this.givenUp(legs, progress.failed)) ?? progress;
    } catch (thrown) {
      const givenUp = thrown instanceof UnavailableError ? await this.givenUp(legs, true) : null;
      if (givenUp) return givenUp;
      if (!isContradiction(thrown)) throw thrown;
      // Trying again would only fail again: what we were told cannot be written down beside what we know.
      this.logger.error({ err: thrown, id }, 'a payment contradicts itself');
      return sendToReview(this.em, id, 'CONTRADICTION', this.now());
    }
  }

  /** Where the wallet's yes has just been written down with the word that the network is asked, it is. */
  private async askOnce(progress: Progress<Legs>): Promise<Progress<Legs>> {
    const known = progress.kind === 'MOVED' ? progress.known : null;
    return known?.acceptance.status === 'SUBMITTED' ? this.acceptances.ask(known) : progress;
  }

  /** Nothing stays undecided for ever: what is without an answer for too long becomes a person's. */
  private async givenUp(legs: Legs, failed: boolean): Promise<Progress<never> | null> {
    const reason = reasonToGiveUp(legs, failed, this.now());
    return reason ? sendToReview(this.em, legs.payment.id, reason, this.now()) : null;
  }

  private async step(legs: Legs): Promise<Progress<Legs>> {
    switch (nextStep(legs.payment.status, legs.authorization.status, legs.acceptance.status)) {
      case 'AUTHORIZE':
        return this.askOnce(await this.authorizations.authorize(legs));
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

import type { EntityManager } from '@mikro-orm/postgresql';
import type { PaymentId } from '../../kernel/id.js';
import type { AcceptanceService } from '../acceptance/acceptance.service.js';
import type { AuthorizationService } from '../authorization/authorization.service.js';
import { readLegs } from '../payment/payment.repository.js';
import { nextStep, OVER, type Progress } from './saga.states.js';

/** Takes a payment one step further. Every step may be repeated and may be the last one before the process dies. */
export class PaymentSaga {
  constructor(
    private readonly em: EntityManager,
    private readonly authorizations: AuthorizationService,
    private readonly acceptances: AcceptanceService,
  ) {}

  /** @throws UnavailableError when another subgraph of ours does not answer: the step is repeated later */
  async advance(id: PaymentId): Promise<Progress> {
    const legs = await readLegs(this.em.fork(), id);
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

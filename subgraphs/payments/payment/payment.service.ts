import type { EntityManager } from '@mikro-orm/postgresql';
import { NotFoundError } from '../../kernel/error.js';
import type { MerchantId, PaymentId, TravelerId } from '../../kernel/id.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { Principal } from '../../kernel/principal.js';
import { Payment, READ_SCOPE } from './payment.entity.js';
import { type PaymentFilter, pageOfPayments } from './payment.repository.js';

/** Who may see which payments. */
export class PaymentService {
  constructor(private readonly em: EntityManager) {}

  /** @throws NotFoundError when there is none, or it is not theirs to see */
  async get(principal: Principal, id: PaymentId): Promise<Payment> {
    const payment = await this.em.fork().findOne(Payment, id);
    if (!payment?.isVisibleTo(principal)) throw new NotFoundError();
    return payment;
  }

  /** @throws NotFoundError when the principal is neither that traveler nor an operator */
  async pageOfTraveler(
    principal: Principal,
    travelerId: TravelerId,
    filter: PaymentFilter,
    page: PageRequest,
  ): Promise<Page<Payment>> {
    if (!principal.isTraveler(travelerId) && !principal.isOperator()) throw new NotFoundError();
    return pageOf(page, await pageOfPayments(this.em.fork(), { travelerId }, filter, page));
  }

  /** @throws NotFoundError when the principal may not act for that merchant, ForbiddenError without the scope */
  async pageOfMerchant(
    principal: Principal,
    merchantId: MerchantId,
    filter: PaymentFilter,
    page: PageRequest,
  ): Promise<Page<Payment>> {
    if (!principal.mayActFor(merchantId) && !principal.isOperator()) throw new NotFoundError();
    if (!principal.isOperator()) principal.requireScope(READ_SCOPE);
    return pageOf(page, await pageOfPayments(this.em.fork(), { merchantId }, filter, page));
  }
}

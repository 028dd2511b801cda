import type { EntityManager } from '@mikro-orm/postgresql';
import { NotFoundError } from '../../kernel/error.js';
import type { MerchantId, PaymentId, TravelerId } from '../../kernel/id.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { Principal } from '../../kernel/principal.js';
import { Payment, READ_SCOPE } from './payment.entity.js';
import { type PaymentFilter, readPaymentPages } from './payment.repository.js';

/** Which of somebody's payments are asked for. */
export interface HistoryQuery {
  readonly filter: PaymentFilter;
  readonly page: PageRequest;
}

/** Who may see which payments. */
export class PaymentService {
  constructor(private readonly em: EntityManager) {}

  /** @throws NotFoundError when there is none, or it is not theirs to see */
  async get(principal: Principal, id: PaymentId): Promise<Payment> {
    const payment = await this.em.fork().findOne(Payment, id);
    if (!payment?.isVisibleTo(principal)) throw new NotFoundError();
    return payment;
  }

  /** A page of payments for each of these travelers, newest first. Ask first whether they may be seen. */
  async pagesOfTravelers(ids: readonly TravelerId[], query: HistoryQuery): Promise<Map<TravelerId, Page<Payment>>> {
    return this.pages('trv', ids, query, (payment) => payment.travelerId);
  }

  /** The same for merchants. */
  async pagesOfMerchants(ids: readonly MerchantId[], query: HistoryQuery): Promise<Map<MerchantId, Page<Payment>>> {
    return this.pages('mer', ids, query, (payment) => payment.merchantId);
  }

  private async pages<Owner extends string>(
    kind: 'trv' | 'mer',
    owners: readonly Owner[],
    { filter, page }: HistoryQuery,
    ownerOf: (payment: Payment) => Owner,
  ): Promise<Map<Owner, Page<Payment>>> {
    const read = Map.groupBy(await readPaymentPages(this.em.fork(), kind, owners, filter, page), ownerOf);
    return new Map(owners.map((owner) => [owner, pageOf(page, read.get(owner) ?? [])]));
  }
}

/** @throws NotFoundError when the principal is neither that traveler nor an operator */
export function requireHistoryOfTraveler(principal: Principal, travelerId: TravelerId): void {
  if (!principal.isTraveler(travelerId) && !principal.isOperator()) throw new NotFoundError();
}

/** @throws NotFoundError when the principal may not act for that merchant, ForbiddenError without the scope */
export function requireHistoryOfMerchant(principal: Principal, merchantId: MerchantId): void {
  if (!principal.mayActFor(merchantId) && !principal.isOperator()) throw new NotFoundError();
  if (!principal.isOperator()) principal.requireScope(READ_SCOPE);
}

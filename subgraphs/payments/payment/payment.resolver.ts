import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { NotFoundError } from '../../kernel/error.js';
import {
  type Connection,
  ConnectionArgs,
  connectionOf,
  Paged,
  pageOf,
  pageRequest,
} from '../../kernel/graphql/connection.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { idPattern, parseId } from '../../kernel/id.js';
import type { Page } from '../../kernel/page.js';
import type { PaymentsContext } from '../context.js';
import { MerchantReference, QuoteReference, TravelerReference, WalletReference } from '../references.js';
import type { Refund } from '../refund/refund.entity.js';
import { RefundConnection } from '../refund/refund.type.js';
import type { Payment } from './payment.entity.js';
import { requireHistoryOfMerchant, requireHistoryOfTraveler } from './payment.service.js';
import {
  PaymentConnection,
  PaymentEventDeliveryType,
  PaymentEventGraphType,
  PaymentFilterInput,
  PaymentType,
} from './payment.type.js';
import type { PaymentEvent } from './payment-event.entity.js';

@Resolver(() => PaymentType)
export class PaymentResolver {
  @Query(() => PaymentType, { nullable: true, description: 'A payment that you may see.' })
  async payment(
    @Arg('id', () => ID, { description: 'The id of the payment.' }) id: string,
    @Ctx() { payments, principal }: PaymentsContext,
  ): Promise<Payment> {
    return payments.get(principal.requireKnown(), parseId('pay', id));
  }

  @FieldResolver(() => Boolean)
  isFinal(@Root() payment: Payment): boolean {
    return payment.isFinal();
  }

  @FieldResolver(() => String, { nullable: true })
  declineReason(@Root() payment: Payment, @Ctx() { principal }: PaymentsContext): string | null {
    return payment.declineReasonFor(principal);
  }

  @FieldResolver(() => MoneyType)
  amount(@Root() payment: Payment): MoneyType {
    return MoneyType.of(payment.buy);
  }

  @FieldResolver(() => MoneyType)
  total(@Root() payment: Payment): MoneyType {
    return MoneyType.of(payment.sell);
  }

  @FieldResolver(() => MoneyType)
  refundedAmount(@Root() payment: Payment): MoneyType {
    return MoneyType.of(payment.refundedBuy);
  }

  @FieldResolver(() => MerchantReference, { description: 'Who is paid.' })
  merchant(@Root() payment: Payment): MerchantReference {
    return { id: payment.merchantId };
  }

  @FieldResolver(() => QuoteReference, { description: 'The locked price that was accepted.' })
  quote(@Root() payment: Payment): QuoteReference {
    return { id: payment.quoteId };
  }

  @FieldResolver(() => TravelerReference, { nullable: true, description: 'Who pays; only the payer sees it.' })
  traveler(@Root() payment: Payment, @Ctx() { principal }: PaymentsContext): TravelerReference | null {
    return payment.isOfPayer(principal) ? { id: payment.travelerId } : null;
  }

  @FieldResolver(() => WalletReference, { nullable: true, description: 'What is charged; only the payer sees it.' })
  wallet(@Root() payment: Payment, @Ctx() { principal }: PaymentsContext): WalletReference | null {
    return payment.isOfPayer(principal) ? { id: payment.walletId } : null;
  }

  @FieldResolver(() => [PaymentEventGraphType], { description: 'All that happened so far, in order.' })
  events(@Root() payment: Payment, @Ctx() { loaders }: PaymentsContext): Promise<PaymentEvent[]> {
    return loaders.eventsOf.load(payment.id);
  }

  @Paged()
  @FieldResolver(() => RefundConnection, { description: 'Its refunds, newest first.' })
  async refunds(
    @Root() payment: Payment,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { loaders }: PaymentsContext,
  ): Promise<Connection<Refund>> {
    // At most fifty a payment: read together for all payments of a request, then cut here.
    const rows = await loaders.refundsOf.load(payment.id);
    const page = pageRequest(args, idPattern('ref'));
    const within = rows.filter(({ id }) => (!page.after || id < page.after) && (!page.before || id > page.before));
    const read = (page.backward ? within.reverse() : within).slice(0, page.limit + 1);
    return connectionOf(
      pageOf(page, read),
      (refund) => refund.id,
      (refund) => refund,
    );
  }
}

@Resolver(() => PaymentEventGraphType)
export class PaymentEventResolver {
  @FieldResolver(() => Boolean)
  terminal(@Root() event: PaymentEvent): boolean {
    return event.isTerminal();
  }
}

@Resolver(() => PaymentEventDeliveryType)
export class PaymentEventDeliveryResolver {
  @FieldResolver(() => Boolean)
  terminal(@Root() event: PaymentEvent): boolean {
    return event.isTerminal();
  }

  @FieldResolver(() => PaymentType, { description: 'The payment as it stands now.' })
  async payment(@Root() event: PaymentEvent, @Ctx() { loaders }: PaymentsContext): Promise<Payment> {
    const payment = await loaders.payment.load(event.paymentId);
    if (!payment) throw new NotFoundError();
    return payment;
  }
}

@Resolver(() => TravelerReference)
export class TravelerPaymentsResolver {
  @Paged()
  @FieldResolver(() => PaymentConnection, {
    description: 'What this traveler paid, newest first. Errors: NOT_FOUND, INVALID_PAGE, INVALID_CURSOR.',
  })
  async payments(
    @Root() traveler: TravelerReference,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => PaymentFilterInput, { nullable: true, description: 'Which of them.' })
    filter: PaymentFilterInput | null,
    @Ctx() { loaders, principal }: PaymentsContext,
  ): Promise<Connection<Payment>> {
    requireHistoryOfTraveler(principal, traveler.id);
    const query = { filter: filter ?? {}, page: pageRequest(args, idPattern('pay')) };
    return connectionOfPayments(await loaders.paymentsOfTraveler(query).load(traveler.id));
  }
}

@Resolver(() => MerchantReference)
export class MerchantPaymentsResolver {
  @Paged()
  @FieldResolver(() => PaymentConnection, {
    description:
      'What this merchant was paid, newest first: for its members. Errors: FORBIDDEN, NOT_FOUND, INVALID_PAGE, INVALID_CURSOR.',
  })
  async payments(
    @Root() merchant: MerchantReference,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('filter', () => PaymentFilterInput, { nullable: true, description: 'Which of them.' })
    filter: PaymentFilterInput | null,
    @Ctx() { loaders, principal }: PaymentsContext,
  ): Promise<Connection<Payment>> {
    requireHistoryOfMerchant(principal, merchant.id);
    const query = { filter: filter ?? {}, page: pageRequest(args, idPattern('pay')) };
    return connectionOfPayments(await loaders.paymentsOfMerchant(query).load(merchant.id));
  }
}

/** The cursor of a payment is its id. */
function connectionOfPayments(page: Page<Payment>): Connection<Payment> {
  return connectionOf(
    page,
    (payment) => payment.id,
    (payment) => payment,
  );
}

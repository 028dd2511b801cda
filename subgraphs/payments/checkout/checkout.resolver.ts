import { Arg, Ctx, Directive, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { parseId } from '../../kernel/id.js';
import type { PaymentsContext } from '../context.js';
import type { Payment } from '../payment/payment.entity.js';
import { MerchantReference, QuoteReference, WalletReference } from '../references.js';
import type { Checkout } from './checkout.entity.js';
import type { CheckoutStatus } from './checkout.states.js';
import {
  CancelCheckoutInput,
  CancelCheckoutPayload,
  CheckoutStatusType,
  CheckoutType,
  ConfirmCheckoutInput,
  ConfirmCheckoutPayload,
  RequoteCheckoutInput,
  RequoteCheckoutPayload,
  StartCheckoutInput,
  StartCheckoutPayload,
} from './checkout.type.js';

@Resolver(() => CheckoutType)
export class CheckoutResolver {
  @Query(() => CheckoutType, { nullable: true, description: 'A checkout of yours.' })
  async checkout(
    @Arg('id', () => ID, { description: 'The id of the checkout.' }) id: string,
    @Ctx() { checkouts, principal }: PaymentsContext,
  ): Promise<Checkout> {
    return checkouts.getOf(principal.requireTraveler(), parseId('chk', id));
  }

  // Asks the network for the code, and two other services.
  @Directive('@cost(weight: 100)')
  @Mutation(() => StartCheckoutPayload, {
    description:
      'Resolves a code and locks the price, with every part of it. Errors: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_ID, INVALID_MONEY, ' +
      'AMOUNT_REQUIRED, AMOUNT_NOT_ALLOWED, INVALID_CODE, CODE_EXPIRED, MARKET_NOT_LIVE, WALLET_NOT_USABLE, SPENDING_LIMIT_EXCEEDED, ' +
      'INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED, RATE_UNAVAILABLE, NETWORK_UNAVAILABLE.',
  })
  async startCheckout(
    @Arg('input', () => StartCheckoutInput, { description: 'What it starts from.' }) input: StartCheckoutInput,
    @Ctx() { checkouts, principal }: PaymentsContext,
  ): Promise<{ checkout: Checkout }> {
    const { code, amount, walletId, idempotencyKey } = input;
    const travelerId = principal.requireTraveler();
    const command = { travelerId, code, amount: amount ?? null, walletId: parseId('wal', walletId), idempotencyKey };
    return { checkout: await checkouts.start(command) };
  }

  @Mutation(() => RequoteCheckoutPayload, {
    description:
      'Locks a new price when the old one has expired, or before. Errors: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_ID, ' +
      'CHECKOUT_EXPIRED, CHECKOUT_CANCELLED, CHECKOUT_ALREADY_CONFIRMED, SPENDING_LIMIT_EXCEEDED, RATE_UNAVAILABLE.',
  })
  async requoteCheckout(
    @Arg('input', () => RequoteCheckoutInput, { description: 'Which checkout.' }) { checkoutId }: RequoteCheckoutInput,
    @Ctx() { checkouts, principal }: PaymentsContext,
  ): Promise<{ checkout: Checkout }> {
    return { checkout: await checkouts.requote(principal.requireTraveler(), parseId('chk', checkoutId)) };
  }

  @Mutation(() => CancelCheckoutPayload, {
    description:
      'Gives a checkout up. Errors: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_ID, CHECKOUT_EXPIRED, CHECKOUT_ALREADY_CONFIRMED.',
  })
  async cancelCheckout(
    @Arg('input', () => CancelCheckoutInput, { description: 'Which checkout.' }) { checkoutId }: CancelCheckoutInput,
    @Ctx() { checkouts, principal }: PaymentsContext,
  ): Promise<{ checkout: Checkout }> {
    return { checkout: await checkouts.cancel(principal.requireTraveler(), parseId('chk', checkoutId)) };
  }

  @Mutation(() => ConfirmCheckoutPayload, {
    description:
      'Accepts the price: the checkout becomes a payment, once. Errors: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_ID, CHECKOUT_EXPIRED, ' +
      'CHECKOUT_CANCELLED, CHECKOUT_ALREADY_CONFIRMED, QUOTE_EXPIRED, SPENDING_LIMIT_EXCEEDED, WALLET_NOT_USABLE, MARKET_NOT_LIVE, ' +
      'CODE_EXPIRED and INVALID_CODE when the code was paid, cancelled or forgotten meanwhile, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.',
  })
  async confirmCheckout(
    @Arg('input', () => ConfirmCheckoutInput, { description: 'Which checkout.' }) input: ConfirmCheckoutInput,
    @Ctx() { confirmations, principal }: PaymentsContext,
  ): Promise<{ payment: Payment }> {
    const { checkoutId, idempotencyKey } = input;
    const travelerId = principal.requireTraveler();
    const command = { travelerId, checkoutId: parseId('chk', checkoutId), idempotencyKey };
    return { payment: await confirmations.confirm(command) };
  }

  @FieldResolver(() => CheckoutStatusType)
  status(@Root() checkout: Checkout, @Ctx() { now }: PaymentsContext): CheckoutStatus {
    return checkout.statusAt(now());
  }

  @FieldResolver(() => MoneyType)
  amount(@Root() checkout: Checkout): MoneyType {
    return MoneyType.of(checkout.buy);
  }

  @FieldResolver(() => MoneyType)
  total(@Root() checkout: Checkout): MoneyType {
    return MoneyType.of(checkout.sell);
  }

  @FieldResolver(() => MerchantReference, { description: 'Who will be paid.' })
  merchant(@Root() checkout: Checkout): MerchantReference {
    return { id: checkout.merchantId };
  }

  @FieldResolver(() => WalletReference, { description: 'What will be charged.' })
  wallet(@Root() checkout: Checkout): WalletReference {
    return { id: checkout.walletId };
  }

  @FieldResolver(() => QuoteReference, { description: 'The locked price.' })
  quote(@Root() checkout: Checkout): QuoteReference {
    return { id: checkout.quoteId };
  }
}

import { Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, connectionOf, Paged, pageRequest } from '../../kernel/graphql/connection.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { idPattern } from '../../kernel/id.js';
import type { Money } from '../../kernel/money/money.js';
import type { PaymentsContext } from '../context.js';
import type { Payment } from '../payment/payment.entity.js';
import { PaymentType } from '../payment/payment.type.js';
import type { ReviewCaseService } from './review-case.service.js';
import {
  AcceptanceEvidenceType,
  AuthorizationEvidenceType,
  NetworkStatementType,
  ReviewCaseConnection,
  ReviewCaseType,
  WalletStatementType,
} from './review-case.type.js';
import { requireReviewer } from './reviewer.js';

type ReviewCase = Parameters<ReviewCaseService['walletSays']>[0];

@Resolver(() => ReviewCaseType)
export class ReviewCaseResolver {
  @Paged()
  @Query(() => ReviewCaseConnection, {
    description:
      'Payments that wait for a person, newest first. For operators with the scope payments:review. Errors: UNAUTHENTICATED, FORBIDDEN, ' +
      'INVALID_PAGE, INVALID_CURSOR.',
  })
  async paymentsInReview(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { reviewCases, principal }: PaymentsContext,
  ): Promise<Connection<ReviewCase>> {
    requireReviewer(principal);
    return connectionOf(
      await reviewCases.page(pageRequest(args, idPattern('pay'))),
      ({ payment }) => payment.id,
      (each) => each,
    );
  }

  @FieldResolver(() => String)
  reason(@Root() { payment }: ReviewCase): string {
    return payment.reason ?? 'CONTRADICTION';
  }

  @FieldResolver(() => PaymentType, { description: 'The payment, with all that happened to it.' })
  payment(@Root() { payment }: ReviewCase): Payment {
    return payment;
  }

  @FieldResolver(() => AuthorizationEvidenceType, { description: 'The leg at the wallet, as we know it.' })
  authorization(@Root() { payment, authorization }: ReviewCase): object {
    return { ...fieldsOf(authorization), amount: MoneyType.of(payment.sell) };
  }

  @FieldResolver(() => AcceptanceEvidenceType, { description: 'The leg at the network, as we know it.' })
  acceptance(@Root() { payment, acceptance }: ReviewCase): object {
    const { networkMerchantId, buy } = payment;
    return { ...fieldsOf(acceptance), networkMerchantId, amount: MoneyType.of(buy) };
  }

  @FieldResolver(() => WalletStatementType, { nullable: true })
  async walletSays(@Root() of: ReviewCase, @Ctx() { reviewCases }: PaymentsContext): Promise<object | null> {
    const said = await reviewCases.walletSays(of);
    return said && { ...said, amount: shown(said.amount) };
  }

  @FieldResolver(() => NetworkStatementType, { nullable: true })
  async networkSays(@Root() of: ReviewCase, @Ctx() { reviewCases }: PaymentsContext): Promise<object | null> {
    const said = await reviewCases.networkSays(of);
    return said && { ...said, amount: shown(said.amount) };
  }
}

function shown(amount: Money | null): MoneyType | null {
  return amount && MoneyType.of(amount);
}

/** The columns of a leg, without what makes it an entity. */
function fieldsOf<Leg extends object>(leg: Leg): Leg {
  return { ...leg };
}

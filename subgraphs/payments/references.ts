import { Directive, Field, ID, ObjectType } from 'type-graphql';
import type { MerchantId, QuoteId, TravelerId, WalletId } from '../kernel/id.js';

/** Nouns of other subgraphs, known here by their id alone. */

@Directive('@key(fields: "id")')
@ObjectType('Traveler', { description: 'Who pays.' })
export class TravelerReference {
  @Field(() => ID, { description: 'The id of the traveler.' })
  id!: TravelerId;
}

@Directive('@key(fields: "id")')
@ObjectType('Merchant', { description: 'Who is paid.' })
export class MerchantReference {
  @Field(() => ID, { description: 'The id of the merchant.' })
  id!: MerchantId;
}

@Directive('@key(fields: "id", resolvable: false)')
@ObjectType('Wallet', { description: "A traveler's account at a wallet provider." })
export class WalletReference {
  @Field(() => ID, { description: 'The id of the wallet.' })
  id!: WalletId;
}

@Directive('@key(fields: "id", resolvable: false)')
@ObjectType('Quote', { description: 'A locked price.' })
export class QuoteReference {
  @Field(() => ID, { description: 'The id of the quote.' })
  id!: QuoteId;
}

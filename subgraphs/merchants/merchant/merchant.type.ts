import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { CountryCodeScalar } from '../../kernel/graphql/scalars.js';

// Facts for everyone, which seldom change. What others add to a merchant is theirs: `codes` and `payments` have no hint.
@Directive('@cacheControl(maxAge: 60)')
@Directive('@key(fields: "id")')
@ObjectType('Merchant', { description: 'Who is paid.' })
export class MerchantType {
  @Field(() => ID, { description: 'The id of the merchant.' })
  id!: string;

  @Field(() => String, { description: 'The name in Latin letters.' })
  name!: string;

  @Field(() => String, { description: 'The name as on the sign, in the language of the place.' })
  localName!: string;

  @Field(() => String, {
    description: 'What the merchant sells: the merchant category code of ISO 18245, such as `5812`.',
  })
  categoryCode!: string;

  @Field(() => String, { description: 'The city in English.' })
  city!: string;

  @Field(() => CountryCodeScalar, { description: 'The country.' })
  countryCode!: string;
}

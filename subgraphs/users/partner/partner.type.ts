import { Field, ID, ObjectType } from 'type-graphql';
import { connectionType } from '../../kernel/graphql/connection.js';

@ObjectType('Partner', { description: 'An app that was granted sight of payments. Only the partner sees it.' })
export class PartnerType {
  @Field(() => ID, { description: 'The id of the partner.' })
  id!: string;

  @Field(() => String, { description: 'The name of the app.' })
  name!: string;

  @Field(() => [String], { description: 'What the app may do, such as `payments:read`.' })
  scopes!: string[];
}

@ObjectType('PartnerGrant', { description: 'A merchant or traveler whose payments the partner may see.' })
export class PartnerGrantType {
  @Field(() => Date, { description: 'Since when.' })
  grantedAt!: Date;
}

export const PartnerGrantConnection = connectionType('PartnerGrant', () => PartnerGrantType);

import { Directive, Field, ID, ObjectType } from 'type-graphql';

@Directive('@key(fields: "id")')
@ObjectType('Traveler', {
  description:
    'Who pays. Everything but the id is null to everyone except the traveler and operators, and for an erased traveler.',
})
export class TravelerType {
  @Field(() => ID, { description: 'The pseudonym by which payments know the traveler.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'How to address the traveler.' })
  displayName!: string | null;

  @Field(() => String, { nullable: true, description: 'The name as in the passport.' })
  legalName!: string | null;

  @Field(() => String, { nullable: true, description: 'Where the traveler gets mail.' })
  email!: string | null;
}

import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { OperatorId, ResolutionId } from '../../kernel/id.js';

export enum ResolutionActionType {
  COMPLETE_AFTER_CAPTURE = 'COMPLETE_AFTER_CAPTURE',
}

registerEnumType(ResolutionActionType, {
  name: 'ResolutionAction',
  description: 'What to do with a payment in review.',
  valuesConfig: {
    COMPLETE_AFTER_CAPTURE: {
      description: 'The network says that it paid the merchant, and the wallet holds the money: charge it.',
    },
  },
});

export enum VerdictType {
  APPROVED = 'APPROVED',
  REJECTED = 'REJECTED',
}

registerEnumType(VerdictType, {
  name: 'ResolutionVerdict',
  description: 'What the second operator said.',
  valuesConfig: {
    APPROVED: { description: 'It was done.' },
    REJECTED: { description: 'It was not done.' },
  },
});

@ObjectType('Resolution', {
  description: 'What one operator proposes to do with a payment in review, and another one decides.',
})
export class ResolutionType {
  @Field(() => ID, { description: 'The id of the resolution.' })
  id!: ResolutionId;

  @Field(() => ResolutionActionType, { description: 'What to do.' })
  action!: ResolutionActionType;

  @Field(() => String, { description: 'Why, in the words of who proposed it.' })
  note!: string;

  @Field(() => ID, { description: 'The operator who proposed it.' })
  proposedBy!: OperatorId;

  @Field(() => Date, { description: 'When.' })
  proposedAt!: Date;

  @Field(() => VerdictType, { nullable: true, description: 'What was decided; null while it is open.' })
  verdict!: VerdictType | null;

  @Field(() => ID, { nullable: true, description: 'The operator who decided: never the same.' })
  decidedBy!: OperatorId | null;

  @Field(() => Date, { nullable: true, description: 'When.' })
  decidedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why, in the words of who decided.' })
  decisionNote!: string | null;
}

@InputType({ description: 'What to do with a payment in review.' })
export class ProposeResolutionInput {
  @Field(() => ID, { description: 'The payment.' })
  paymentId!: string;

  @Field(() => ResolutionActionType, { description: 'What to do.' })
  action!: ResolutionActionType;

  @Field(() => String, { description: 'Why: 1 to 500 characters, without personal data.' })
  note!: string;

  @Field(() => String, { description: 'A new random text for each proposal, the same one on a retry.' })
  idempotencyKey!: string;
}

@InputType({ description: 'What to say to a proposed resolution.' })
export class DecideResolutionInput {
  @Field(() => ID, { description: 'The resolution.' })
  resolutionId!: string;

  @Field(() => String, { description: 'Why: 1 to 500 characters, without personal data.' })
  note!: string;

  @Field(() => String, { description: 'A new random text for each decision, the same one on a retry.' })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The resolution as it stands.' })
export class ResolutionPayload {
  @Field(() => ResolutionType, { description: 'The resolution.' })
  resolution!: ResolutionType;
}

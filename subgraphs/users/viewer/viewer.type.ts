import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { ForbiddenError } from '../../kernel/error.js';
import type { Principal, PrincipalKind } from '../../kernel/principal.js';

export type ViewerKind = Exclude<PrincipalKind, 'ANONYMOUS' | 'SERVICE'>;

export const ViewerKindEnum = {
  TRAVELER: 'TRAVELER',
  MERCHANT: 'MERCHANT',
  PARTNER: 'PARTNER',
  OPERATOR: 'OPERATOR',
} satisfies Record<ViewerKind, ViewerKind>;

registerEnumType(ViewerKindEnum, {
  name: 'ViewerKind',
  description: 'What the viewer is to us.',
  valuesConfig: {
    TRAVELER: { description: 'They pay.' },
    MERCHANT: { description: 'They work for merchants, who are paid.' },
    PARTNER: { description: 'An app that was granted sight of payments.' },
    OPERATOR: { description: 'They run this service.' },
  },
});

@ObjectType('Viewer', { description: 'Who asks, as their token says.' })
export class ViewerType {
  @Field(() => ViewerKindEnum, { description: 'What they are to us.' })
  kind!: ViewerKind;

  @Field(() => [String], { description: 'The scopes of their token.' })
  scopes!: string[];

  /** @throws ForbiddenError UNAUTHENTICATED for strangers, FORBIDDEN for services of ours */
  static of(principal: Principal): ViewerType {
    const { kind, scopes } = principal.requireKnown();
    if (!isViewer(kind)) throw new ForbiddenError('A service is nobody to look at.');
    return Object.assign(new ViewerType(), { kind, scopes: [...scopes] });
  }
}

function isViewer(kind: PrincipalKind): kind is ViewerKind {
  return Object.hasOwn(ViewerKindEnum, kind);
}

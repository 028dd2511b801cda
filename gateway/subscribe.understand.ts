import { GraphQLError, getArgumentValues, getVariableValues } from 'graphql';
import type { Principal } from '../subgraphs/kernel/principal.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { AuthorizedOperation } from './admission.restriction.js';
import { formatThrown } from './errors.js';
import type { Values } from './fetch.transport.js';
import type { Result } from './subscribe.answer.js';
import type { SubscriptionEngine } from './subscribe.generation.js';
import type { SubscriptionPlan, SubscriptionText } from './subscribe.plan.js';
import { checkPrincipal, subjectFor } from './subscribe.source.js';

/** A subscription that may not be: in the client's words. */
export class Refused extends Error {
  constructor(readonly result: Result) {
    super('this subscription is refused');
  }
}

/** Whose rights count, and in whose name it waits to be planned. */
export interface Asker {
  readonly principal: Principal;
  readonly asker?: string;
}

/** What a subscription means by one supergraph. */
export interface Understood {
  /** The same for all who sent it. */
  readonly text: SubscriptionText;
  /** Of what the asker may have. */
  readonly plan: SubscriptionPlan;
  /** The variables that make a difference to what an event's answer is, also where only a refusal depends on them. */
  readonly answering: readonly string[];
  /** Puts nulls and errors where they may not have something. */
  readonly rights: AuthorizedOperation;
  /** Of its one field. */
  readonly args: Values;
  /** Where on the bus its events are. */
  readonly subject: string;
}

/**
 * Everything about a subscription that can be said without asking anybody.
 * @throws Refused, DomainError or GraphQLError with a public code
 */
export async function understand(
  { loaded, plans, authorizer }: SubscriptionEngine,
  text: SubscriptionText,
  variables: Values,
  { principal, asker }: Asker,
  logger: Logger,
): Promise<Understood> {
  const refused = (problems: readonly unknown[]) =>
    new Refused({ errors: problems.map((problem) => formatThrown(problem, logger)) });
  const whole = await plans.get(text, asker);
  if (!('source' in whole)) throw refused(whole);
  const rights = authorizer.authorize(text.document, text.operationName, principal);
  // Without its one field there is nothing to listen to.
  if (!rights.document) throw refused(rights.complete({}, variables).errors ?? []);
  const left = { ...text, query: `${rights.key}\n${text.query}`, document: rights.document, isValid: true };
  const plan = rights.key ? await plans.get(left, asker) : whole;
  if (!('source' in plan)) throw refused(plan);
  const definitions = plan.operation.variableDefinitions ?? [];
  const { coerced, errors } = getVariableValues(loaded.api, definitions, { ...variables });
  const [problem] = errors ?? [];
  if (problem) throw new GraphQLError(problem.message, { extensions: { code: 'BAD_USER_INPUT' } });
  const args = getArgumentValues(plan.field, plan.fieldNode, coerced);
  checkPrincipal(plan.source, principal);
  const subject = subjectFor(plan.source, args, principal);
  return { text: whole.text, plan, answering: whole.answering, rights, args, subject };
}

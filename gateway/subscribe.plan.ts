import { buildOperationContext } from '@apollo/gateway';
import type { QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { InvalidError, messageOf } from '../subgraphs/kernel/error.js';
import type { Planner } from './plan.js';
import type { EventSource } from './subscribe.source.js';
import type { LoadedSupergraph } from './supergraph.js';

/** Stands for the subscription's own subgraph in a plan: an event answers it. No real subgraph has this name. */
export const EVENT_SERVICE = '__event';

/** A subscription that needs no more planning: one for all who send the same text. */
export interface SubscriptionPlan {
  readonly source: EventSource;
  readonly operation: OperationDefinitionNode;
  readonly field: GraphQLField<unknown, unknown>;
  readonly fieldNode: FieldNode;
  /** Gives an event the shape that the rest of the plan expects, aliases included. */
  readonly primary: {
    readonly document: DocumentNode;
    readonly variables: readonly string[];
    readonly schema: GraphQLSchema;
  };
  readonly eventPlan: QueryPlan;
  readonly operationContext: ReturnType<typeof buildOperationContext>;
}

const MOST_PLANS = 1_000;

/** Validates and plans subscriptions, each text once. */
export class SubscriptionPlans {
  private readonly plans = new LRUCache<string, SubscriptionPlan | readonly Error[]>({ max: MOST_PLANS });
  private readonly eventSchemas = new Map<string, GraphQLSchema>();

  constructor(
    private readonly loaded: LoadedSupergraph,
    private readonly planner: Planner,
    private readonly sources: ReadonlyMap<string, EventSource>,
  ) {
    for (const { subgraph } of sources.values()) this.eventSchemas.set(subgraph, this.schemaOf(subgraph));
  }

  /** The plan, or what is wrong with the operation. */
  get(text: string, document: DocumentNode, operationName?: string): SubscriptionPlan | readonly Error[] {
    const key = `${operationName ?? ''}\n${text}`;
    const known = this.plans.get(key);
    if (known) return known;
    const plan = this.build(document, operationName);
    this.plans.set(key, plan);
    return plan;
  }

  private build(document: DocumentNode, operationName?: string): SubscriptionPlan | readonly Error[] {
    try {
      // No Apollo pipeline runs for a subscription. graphql-js throws here for @include and @skip on the root field.
      const problems = validate(this.loaded.api, document, specifiedRules);
      if (problems.length > 0) return problems.map(withValidationCode);
      const { node } = this.planner.plan(document, operationName);
      if (node?.kind !== 'Subscription') return [unplannable('It selects no field of the subscription type.')];
      return this.complete(node, document, operationName);
    } catch (thrown) {
      return [thrown instanceof InvalidError ? thrown : unplannable(messageOf(thrown))];
    }
  }

  private complete(
    { primary, rest }: SubscriptionNode,
    document: DocumentNode,
    operationName?: string,
  ): SubscriptionPlan {
    const operationContext = buildOperationContext({
      schema: this.loaded.api,
      operationDocument: document,
      ...(operationName && { operationName }),
    });
    const event = parse(primary.operation);
    const fieldNode = rootFieldOf(event);
    const field = fieldNode && this.loaded.api.getSubscriptionType()?.getFields()[fieldNode.name.value];
    if (!fieldNode || !field) throw unplannable('It selects no field of the subscription type.');
    const source = this.sources.get(field.name);
    const schema = source && this.eventSchemas.get(source.subgraph);
    if (!source || !schema) throw unplannable('Nothing here publishes its events.');
    return {
      source,
      operation: operationContext.operation,
      field,
      fieldNode,
      primary: { document: event, variables: primary.variableUsages ?? [], schema },
      eventPlan: {
        kind: 'QueryPlan',
        node: {
          kind: 'Sequence',
          nodes: [{ ...primary, serviceName: EVENT_SERVICE, variableUsages: [] }, ...(rest ? [rest] : [])],
        },
      },
      operationContext,
    };
  }

  private schemaOf(subgraph: string): GraphQLSchema {
    const found = this.loaded.supergraph.subgraphs().get(subgraph);
    if (!found) throw new Error(`the supergraph has no subgraph ${subgraph}`);
    return found.schema.toGraphQLJSSchema();
  }
}

/** The planner writes fragments out, so the one field stands there by itself. */
function rootFieldOf(document: DocumentNode): FieldNode | undefined {
  const [definition] = document.definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) return undefined;
  return definition.selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
}

function unplannable(why: string): InvalidError {
  return new InvalidError('SUBSCRIPTION_NOT_SUPPORTED', `This subscription cannot be served: ${why}`);
}

function withValidationCode({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { nodes, source, positions, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
}

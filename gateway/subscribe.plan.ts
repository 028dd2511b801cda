import type { SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { DomainError, messageOf } from '../subgraphs/kernel/error.js';
import { unplannable, validateDocument } from './admission.validation.js';
import { type CompiledOperation, compileOperation } from './execute.compile.js';
import { compileRewrites, type Rewrite } from './execute.rewrite.js';
import { compileStep, type StepCompilation } from './execute.step.js';
import { OURSELVES, type Planner } from './plan.js';
import { Overrides } from './plan.override.js';
import { type Naming, nameByContent } from './prepare.names.js';
import { type SingleOperation, singleOperation } from './prepare.operation.js';
import type { Turns } from './prepare.turns.js';
import type { EventSource } from './subscribe.source.js';
import type { LoadedSupergraph } from './supergraph.js';

/** A subscription's text, as it came. */
export interface SubscriptionText {
  readonly query: string;
  readonly document: DocumentNode;
  readonly operationName?: string;
  /** It is what is left of a valid one: variables may stand in it that nothing uses. */
  readonly isValid?: boolean;
}

/** A subscription that needs no more planning: one for all who send the same text. */
export interface SubscriptionPlan {
  /** No other plan has it, also of another supergraph. */
  readonly id: number;
  /** As the first one sent it who asked for it. */
  readonly text: SubscriptionText;
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
  /** The variables that make a difference to what an event's answer is: not those that only say which events come. */
  readonly answering: readonly string[];
  /** Changes the event into what the rest of the plan expects. */
  readonly rewrite: Rewrite | null;
  /** All but the event itself. */
  readonly compiled: CompiledOperation;
}

const MOST_PLANS = 1_000;

let plansMade = 0;

/** Validates and plans subscriptions, each text once. */
export class SubscriptionPlans {
  private readonly plans = new LRUCache<string, SubscriptionPlan | readonly Error[]>({ max: MOST_PLANS });
  private readonly eventSchemas = new Map<string, GraphQLSchema>();
  private readonly overrides: Overrides | null;

  constructor(
    private readonly loaded: LoadedSupergraph,
    private readonly planner: Planner,
    private readonly steps: StepCompilation,
    private readonly sources: ReadonlyMap<string, EventSource>,
    private readonly development: boolean,
    private readonly turns: Turns,
  ) {
    this.overrides = Overrides.of(loaded.supergraph);
  }

  /** The subscriptions that the supergraph has. */
  get fields(): readonly { readonly name: string; readonly hasEvents: boolean }[] {
    const names = Object.keys(this.loaded.api.getSubscriptionType()?.getFields() ?? {});
    return names.map((name) => ({ name, hasEvents: this.sources.has(name) }));
  }

  /**
   * The plan, or what is wrong with the operation.
   * @param asker whose turn it takes
   * @throws DomainError when it cannot be planned now
   */
  async get(text: SubscriptionText, asker = OURSELVES): Promise<SubscriptionPlan | readonly Error[]> {
    // Once for as long as the stream lasts: all of its events are answered from the same subgraphs.
    const head = this.overrides?.draw() ?? '';
    const named = `${text.operationName ?? ''}\n${text.query}`;
    const key = head ? JSON.stringify([head, named]) : named;
    const known = this.plans.get(key);
    if (known) return known;
    // Thousands may come at once with one text: by their turn most of them find it done.
    await this.turns.take(asker);
    return this.plans.get(key) ?? this.build(key, text, asker, head);
  }

  private async build(
    key: string,
    text: SubscriptionText,
    asker: string,
    head: string,
  ): Promise<SubscriptionPlan | readonly Error[]> {
    const built = await this.attempt(text, asker, head);
    // All who sent it at once share one.
    const made = this.plans.get(key) ?? built;
    this.plans.set(key, made);
    return made;
  }

  private async attempt(
    text: SubscriptionText,
    asker: string,
    head: string,
  ): Promise<SubscriptionPlan | readonly Error[]> {
    const { document, operationName } = text;
    try {
      // No Apollo pipeline runs for a subscription.
      const { development } = this;
      const problems = text.isValid ? [] : validateDocument(this.loaded.api, document, { development });
      if (problems.length > 0) return problems;
      const single = singleOperation(document, operationName);
      const naming = nameByContent(this.loaded.api, single.document);
      const { node } = await this.planner.plan(head + print(naming.document), asker);
      if (node?.kind !== 'Subscription') return [unplannable('It selects no field of the subscription type.')];
      return this.complete(text, node, single, naming);
    } catch (thrown) {
      if (!(thrown instanceof DomainError)) return [unplannable(messageOf(thrown))];
      if (thrown.code === 'SUBSCRIPTION_NOT_SUPPORTED') return [thrown];
      // Of this moment, not of the text.
      throw thrown;
    }
  }

  private complete(
    text: SubscriptionText,
    { primary, rest }: SubscriptionNode,
    { document, operation, fragments }: SingleOperation,
    naming: Naming,
  ): SubscriptionPlan {
    const event = parse(primary.operation);
    const fieldNode = rootFieldOf(event);
    const field = fieldNode && this.loaded.api.getSubscriptionType()?.getFields()[fieldNode.name.value];
    if (!fieldNode || !field) throw unplannable('It selects no field of the subscription type.');
    const source = this.sources.get(field.name);
    if (!source) throw unplannable('Nothing here publishes its events.');
    const schema = this.schemaOf(source.subgraph);
    plansMade += 1;
    return {
      id: plansMade,
      text,
      source,
      operation,
      field,
      fieldNode,
      primary: { document: event, variables: primary.variableUsages ?? [], schema },
      answering: answeringVariables(this.loaded.api, document),
      rewrite: compileRewrites(primary.outputRewrites, this.steps.types),
      compiled: compileOperation(
        { schema: this.loaded.api, operation, fragments, ...naming },
        rest ? compileStep(rest, this.steps) : null,
      ),
    };
  }

  /** Taken out of the supergraph for the first subscription: it takes as long as reading all of it, which a start waits for. */
  private schemaOf(subgraph: string): GraphQLSchema {
    const known = this.eventSchemas.get(subgraph);
    if (known) return known;
    const found = this.loaded.supergraph.subgraphs().get(subgraph);
    if (!found) throw new Error(`the supergraph has no subgraph ${subgraph}`);
    const schema = found.schema.toGraphQLJSSchema();
    this.eventSchemas.set(subgraph, schema);
    return schema;
  }
}

/** The planner writes fragments out, so the one field stands there by itself. */
function rootFieldOf(document: DocumentNode): FieldNode | undefined {
  const [definition] = document.definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) return undefined;
  return definition.selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
}

/** All variables but those that stand only in the arguments of the subscription's own field. */
function answeringVariables(api: GraphQLSchema, document: DocumentNode): string[] {
  const names = new Set<string>();
  const types = new TypeInfo(api);
  const root = api.getSubscriptionType();
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Argument: () => (types.getParentType() === root && !types.getDirective() ? false : undefined),
      Variable: ({ name }) => void names.add(name.value),
    }),
  );
  return [...names].sort();
}

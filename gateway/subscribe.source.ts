import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
  valueFromASTUntyped,
} from 'graphql';
import { z } from 'zod';
import { ForbiddenError, InvalidError } from '../subgraphs/kernel/error.js';
import type { StartAt } from '../subgraphs/kernel/event/event-bus.js';
import type { Principal } from '../subgraphs/kernel/principal.js';

/** Where a subscription field's events come from, as `@eventSource` in the supergraph says. */
export interface EventSource {
  readonly field: string;
  /** The subgraph that owns the field. It is never served: its answers are the events. */
  readonly subgraph: string;
  /** A bus subject with `{argument}` and `{principal.subject}` in it. */
  readonly subject: string;
  readonly start: 'BEGINNING' | 'LATEST' | 'LIVE';
  /** A query that the subscriber must be able to run without an error; its variables are the field's arguments. */
  readonly guard: Guard | null;
  /** Only this kind of principal may subscribe. */
  readonly principal: string | null;
}

export interface Guard {
  readonly query: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;

const directiveSchema = z.object({
  subject: z.string().regex(/^[A-Za-z0-9_.{}-]+$/),
  start: z.enum(['BEGINNING', 'LATEST', 'LIVE']).default('LIVE'),
  guard: z.string().nullish(),
  principal: z.enum(['TRAVELER', 'MERCHANT', 'PARTNER', 'OPERATOR']).nullish(),
});

/**
 * Reads every `@eventSource` of a supergraph, by field name.
 * @throws Error when one cannot work: an unknown argument in its subject, a guard that is no valid query
 */
export function readEventSources(full: GraphQLSchema, api: GraphQLSchema): ReadonlyMap<string, EventSource> {
  const fields = Object.values(full.getSubscriptionType()?.getFields() ?? {});
  const sources = fields.map((field) => readEventSource(field, full, api)).filter((source) => source !== null);
  return new Map(sources.map((source) => [source.field, source]));
}

function readEventSource(
  field: GraphQLField<unknown, unknown>,
  full: GraphQLSchema,
  api: GraphQLSchema,
): EventSource | null {
  const written = directiveOf(field, 'eventSource');
  if (!written) return null;
  const { subject, start, guard, principal } = directiveSchema.parse(written);
  for (const [, place] of subject.matchAll(PLACE))
    if (place !== 'principal.subject' && !field.args.some((argument) => argument.name === place))
      throw new Error(`@eventSource of ${field.name}: its subject names {${place}}, which is no argument`);
  return {
    field: field.name,
    subgraph: ownerOf(field, full),
    subject,
    start,
    guard: guard ? readGuard(field.name, guard, api) : null,
    principal: principal ?? null,
  };
}

function readGuard(field: string, query: string, api: GraphQLSchema): Guard {
  const document = parse(query);
  const [problem] = validate(api, document, specifiedRules);
  if (problem) throw new Error(`@eventSource of ${field}: its guard is not valid: ${problem.message}`);
  const [definition] = document.definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION || definition.operation !== 'query')
    throw new Error(`@eventSource of ${field}: its guard is not one query`);
  const variables = (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
  return { query, document, operation: definition, variables };
}

/** The subgraph whose field this is: the one of its `@join__field`, or of its type when only one defines that. */
function ownerOf(field: GraphQLField<unknown, unknown>, full: GraphQLSchema): string {
  const type = full.getSubscriptionType();
  const graph = directiveOf(field, 'join__field')?.['graph'] ?? (type && directiveOf(type, 'join__type')?.['graph']);
  const graphs = full.getType('join__Graph');
  const value = graphs && 'getValue' in graphs ? graphs.getValue(String(graph)) : null;
  const name = value && directiveOf(value, 'join__graph')?.['name'];
  if (typeof name !== 'string') throw new Error(`@eventSource of ${field.name}: no subgraph owns it`);
  return name;
}

function directiveOf(element: { astNode?: { directives?: readonly unknown[] } | null }, name: string): Values | null {
  const directives = (element.astNode?.directives ?? []) as readonly import('graphql').ConstDirectiveNode[];
  const directive = directives.find((candidate) => candidate.name.value === name);
  if (!directive) return null;
  return Object.fromEntries(
    (directive.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
}

const PLACE = /\{([^}]*)\}/g;
// What may stand between two dots of a subject: anything else could reach another's subject, or a whole family of them.
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** An argument that cannot be part of a subject. Whoever knows what it should be may have a better word for it. */
export class UnfitArgument extends InvalidError {
  constructor(
    argument: string,
    readonly source: EventSource,
    readonly args: Values,
  ) {
    super('INVALID_ID', `The argument \`${argument}\` is not an id of ours.`, { argument });
  }
}

/** @throws UnfitArgument INVALID_ID */
export function subjectFor(source: EventSource, args: Values, principal: Principal): string {
  return source.subject.replace(PLACE, (_match, place: string) => {
    const token = place === 'principal.subject' ? principal.subject : args[place];
    if (typeof token !== 'string' || !TOKEN.test(token)) throw new UnfitArgument(place, source, args);
    return token;
  });
}

/** @throws ForbiddenError UNAUTHENTICATED for a stranger, FORBIDDEN for another kind */
export function checkPrincipal(source: EventSource, principal: Principal): void {
  if (!source.principal) return;
  principal.requireKnown();
  if (principal.kind !== source.principal)
    throw new ForbiddenError(`Only a ${source.principal.toLowerCase()} can subscribe to this.`);
}

const CURSOR = /^v1:(\d{1,18}):[\w-]{8}$/;

/**
 * Where on the bus an event stands, as clients see it, for one subject only: a stream that began at another's place
 * would leave out events, and nobody would see it.
 */
export function encodeCursor(subject: string, position: string): string {
  const mark = createHash('sha256').update(subject).digest('base64url').slice(0, 8);
  return Buffer.from(`v1:${position}:${mark}`, 'utf8').toString('base64url');
}

/** @throws InvalidError INVALID_CURSOR, also for the cursor of another subject */
export function startFor(source: EventSource, args: Values, subject: string): StartAt {
  const { after } = args;
  if (after === undefined || after === null) return source.start;
  const text = typeof after === 'string' && after.length <= 200 ? Buffer.from(after, 'base64url').toString('utf8') : '';
  const [, position] = CURSOR.exec(text) ?? [];
  if (position === undefined || encodeCursor(subject, position) !== after)
    throw new InvalidError('INVALID_CURSOR', 'This cursor is not one of ours.');
  return { after: position };
}

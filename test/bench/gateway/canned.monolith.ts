import { Supergraph } from '@apollo/federation-internals';
import { type ExecutionResult, execute, type GraphQLFieldResolver, parse } from 'graphql';
import { type Kind, leaves, links, roots } from './canned.world.js';

interface Thing {
  readonly kind: Kind;
  readonly key: number;
}

/** The same graph unsplit, run by graphql-js: what every contender must answer. */
export class Monolith {
  private readonly schema;

  constructor(supergraph: string) {
    this.schema = Supergraph.build(supergraph).apiSchema().toGraphQLJSSchema();
  }

  async answer(query: string, variables: Readonly<Record<string, unknown>>): Promise<ExecutionResult> {
    return execute({ schema: this.schema, document: parse(query), variableValues: variables, fieldResolver: resolve });
  }
}

const resolve: GraphQLFieldResolver<Thing | undefined, unknown> = (thing, args, _context, { fieldName }) => {
  if (!thing) return found(roots[fieldName], args);
  const leaf = leaves[thing.kind][fieldName];
  return leaf ? leaf.value(thing.key) : found(links[thing.kind][fieldName], thing.key);
};

function found<From>(
  link: { to: Kind; one?: (from: From) => number; many?: (from: From) => readonly number[] } | undefined,
  from: From,
): Thing | readonly Thing[] | undefined {
  if (!link) return undefined;
  const { to, one, many } = link;
  return many ? many(from).map((key) => ({ kind: to, key })) : one && { kind: to, key: one(from) };
}

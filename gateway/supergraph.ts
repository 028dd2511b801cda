import { type Schema, Supergraph } from '@apollo/federation-internals';
import { buildASTSchema, type GraphQLSchema } from 'graphql';
import { supportedFeatures } from './admission.features.js';
import { nextTurn } from './plan.js';

/** A supergraph file, understood. */
export interface LoadedSupergraph {
  readonly sdl: string;
  readonly supergraph: Supergraph;
  /** What clients see, in the planner's own terms and in graphql-js's. */
  readonly apiSchema: Schema;
  readonly api: GraphQLSchema;
  /** With everything that only the planner sees. */
  readonly full: GraphQLSchema;
  readonly subgraphs: readonly { readonly name: string; readonly url: string }[];
}

/**
 * Reads a supergraph. Fails closed: a feature that is marked as needed for security or execution and that nothing here
 * enforces (`@policy` …) is refused, not ignored.
 * @throws a GraphQL error that says what is wrong with the file
 */
export function loadSupergraph(sdl: string): LoadedSupergraph {
  const parts = inParts(sdl);
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/** The same, and the operations under way have their turn in between. */
export async function loadSupergraphInTurns(sdl: string): Promise<LoadedSupergraph> {
  const parts = inParts(sdl);
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
    await nextTurn();
  }
}

function* inParts(sdl: string): Generator<void, LoadedSupergraph> {
  const supergraph = Supergraph.build(sdl, { supportedFeatures: supportedFeatures(), validateSupergraph: true });
  yield;
  const apiSchema = supergraph.apiSchema();
  yield;
  const api = schemaOf(apiSchema);
  yield;
  const full = schemaOf(supergraph.schema);
  const subgraphs = supergraph.subgraphsMetadata().map(({ name, url }) => ({ name, url }));
  return { sdl, supergraph, apiSchema, api, full, subgraphs };
}

/** In graphql-js's terms, which would validate a second time what was valid in the planner's. */
function schemaOf(schema: Schema): GraphQLSchema {
  const { schemaDefinition } = schema;
  const isWhole = [schemaDefinition, ...schema.types()].every(
    (part) => part.hasNonExtensionElements() || !part.hasExtensionElements(),
  );
  // Types of which only extensions are written are unknown to graphql-js: the planner's own way completes them.
  return isWhole ? buildASTSchema(schema.toAST(), { assumeValidSDL: true }) : schema.toGraphQLJSSchema();
}

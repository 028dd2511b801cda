import 'reflect-metadata';
import { setImmediate as turn } from 'node:timers/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { type DocumentNode, type GraphQLSchema, parse } from 'graphql';
import { buildSchema, type ClassType, createResolversMap, type NonEmptyArray } from 'type-graphql';
import { DateTimeScalar } from './scalars.js';

// 2.9 is the newest version that both the Guild's and Apollo's composer take.
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@shareable", "@external", "@requires", "@provides", "@inaccessible", "@tag", "@authenticated", "@requiresScopes",
  "@cost", "@listSize", "@composeDirective"
])\n`;

// Apollo's hints, which federation itself does not carry: they are composed as a directive of our own. The enum lives in
// the directive's namespace, so it stays out of what clients see.
const CACHE_CONTROL = `extend schema
  @link(url: "https://sojourn.example/cacheControl/v1.0", import: ["@cacheControl"])
  @composeDirective(name: "@cacheControl")
"""
How many seconds what a type or a field says may be kept, and by whom. PUBLIC: it is the same for everyone who may ask.
An object without a hint is not kept; a scalar is as its object.
"""
directive @cacheControl(
  maxAge: Int
  scope: cacheControl__Scope
  inheritMaxAge: Boolean
) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
enum cacheControl__Scope { PUBLIC PRIVATE }\n`;

/** Finds the thing that a key names, or null. Call the loader before any `await`, or it cannot batch. */
export type ReferenceResolver<Context> = (
  reference: { __typename: string } & Record<string, string>,
  context: Context,
) => unknown;

export interface SubgraphSchema {
  readonly schema: GraphQLSchema;
  readonly typeDefs: DocumentNode;
}

/**
 * Builds a federation 2 subgraph from type-graphql classes; only what `resolvers` and `orphanedTypes` reach is part of it.
 * @param references type name → how a reference to it is resolved
 */
export async function buildSubgraph<Context>(
  resolvers: NonEmptyArray<ClassType<object>>,
  references: Readonly<Record<string, ReferenceResolver<Context>>>,
  orphanedTypes: readonly ClassType<object>[] = [],
): Promise<SubgraphSchema> {
  const base = await buildSchema({
    resolvers,
    orphanedTypes: [...orphanedTypes],
    scalarsMap: [{ type: Date, scalar: DateTimeScalar }],
    validate: false,
    // The federation directives are unknown until buildSubgraphSchema.
    skipCheck: true,
  });
  // Half of it is done: what waits has its turn.
  await turn();
  const sdl = printSchemaWithDirectives(base);
  const typeDefs = parse(LINK + (sdl.includes('@cacheControl(') ? CACHE_CONTROL : '') + sdl);
  const map: Record<string, Record<string, unknown>> = { ...createResolversMap(base) } as never;
  for (const [type, resolve] of Object.entries(references)) map[type] = { ...map[type], __resolveReference: resolve };
  await turn();
  const schema = buildSubgraphSchema([{ typeDefs, resolvers: map as never }]);
  await turn();
  return { schema, typeDefs };
}

import { Supergraph } from '@apollo/federation-internals';
import { composeServices, compositionHasErrors, type ServiceDefinition } from '@theguild/federation-composition';
import { type DefinitionNode, type DocumentNode, lexicographicSortSchema, parse, print, printSchema } from 'graphql';

/** Thrown when the subgraphs do not fit together. Says why, line by line. */
export class CompositionError extends Error {
  override readonly name = 'CompositionError';
}

/** @throws CompositionError */
export function composeSupergraph(services: readonly ServiceDefinition[]): string {
  const result = composeServices([...services]);
  if (compositionHasErrors(result)) throw new CompositionError(result.errors.map((error) => error.message).join('\n'));
  return printSorted(parse(result.supergraphSdl));
}

/** What clients see of a supergraph. @throws when Apollo's own reader does not take the file */
export function apiSchemaOf(supergraphSdl: string): string {
  const api = Supergraph.build(supergraphSdl, { validateSupergraph: true }).apiSchema();
  return `${printSchema(lexicographicSortSchema(api.toGraphQLJSSchema()))}\n`;
}

/** Definitions in the order of their names: moving a class in the code must not move its lines in the file. */
export function printSorted(document: DocumentNode): string {
  const definitions = document.definitions.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  return `${print({ ...document, definitions })}\n`;
}

function keyOf(definition: DefinitionNode): string {
  const name = 'name' in definition ? (definition.name?.value ?? '') : '';
  const rank = definition.kind.startsWith('Schema') ? 0 : definition.kind === 'DirectiveDefinition' ? 1 : 2;
  return `${rank}${name}`;
}

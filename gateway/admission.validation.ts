import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  specifiedRules,
  validate,
} from 'graphql';
import { InvalidError } from '../subgraphs/kernel/error.js';

const PRODUCTION_RULES = [...specifiedRules, NoSchemaIntrospectionCustomRule];

/**
 * What is wrong with a document, in errors for its client: GRAPHQL_VALIDATION_FAILED, SUBSCRIPTION_NOT_SUPPORTED. In production nobody is told of the schema: there is no
 * introspection, under whatever alias and in whatever fragment, and no hint at names that are like a wrong one.
 */
export function validateDocument(
  api: GraphQLSchema,
  document: DocumentNode,
  { development }: { readonly development: boolean },
): readonly Error[] {
  const rules = development ? specifiedRules : PRODUCTION_RULES;
  try {
    return validate(api, document, rules, { hideSuggestions: !development }).map(withCode);
  } catch (thrown) {
    // graphql-js throws instead of answering at @include and @skip on a subscription's root field.
    if (!(thrown instanceof GraphQLError)) throw thrown;
    return [unplannable(thrown.message)];
  }
}

function withCode({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { nodes, source, positions, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
}

/** What a client is told of a subscription that is valid and cannot be served. */
export function unplannable(why: string): InvalidError {
  return new InvalidError('SUBSCRIPTION_NOT_SUPPORTED', `This subscription cannot be served: ${why}`);
}

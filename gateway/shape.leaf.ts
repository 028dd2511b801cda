import { type GraphQLEnumType, type GraphQLLeafType, isEnumType } from 'graphql';

const MOST_INT = 2_147_483_647;

/** Whether a subgraph's value is one of the specification's own scalar types; of others only the client knows. */
const BUILT_IN: Readonly<Record<string, (value: unknown) => boolean>> = {
  Int: (value) => Number.isInteger(value) && Math.abs(value as number) <= MOST_INT + ((value as number) < 0 ? 1 : 0),
  Float: (value) => typeof value === 'number',
  Boolean: (value) => typeof value === 'boolean',
  String: (value) => typeof value === 'string',
  ID: (value) => typeof value === 'string' || Number.isInteger(value),
};

/** Completes a scalar or an enum. A value that clients must not see, or that is none of the type, is `invalid`. */
export function leafOf<Context>(
  type: GraphQLLeafType,
  where: string,
  invalid: (where: string, context: Context) => null,
): (value: unknown, context: Context) => unknown {
  const holds = isEnumType(type) ? enumValue(type) : BUILT_IN[type.name];
  if (!holds) return (value) => value ?? null;
  return (value, context) => {
    if (value === null || value === undefined) return null;
    return holds(value) ? value : invalid(where, context);
  };
}

function enumValue(type: GraphQLEnumType): (value: unknown) => boolean {
  const names = new Set(type.getValues().map(({ name }) => name));
  return (value) => names.has(value as string);
}

import {
  type ArgumentNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  getNamedType,
  isInputObjectType,
  Kind,
  type ValueNode,
} from 'graphql';
import { InvalidError } from '../subgraphs/kernel/error.js';
import type { Variables } from './admission.selections.js';

/** What something costs with these variables. */
export type Cost = (variables: Variables) => number;

export const FREE: Cost = () => 0;

/** All of them together. */
export function sumOf(costs: readonly Cost[]): Cost {
  const paid = costs.filter((cost) => cost !== FREE);
  const [only] = paid;
  if (!only) return FREE;
  return paid.length === 1 ? only : (variables) => paid.reduce((sum, cost) => sum + cost(variables), 0);
}

type InputDefinition = GraphQLArgument | GraphQLInputField;

/** The `@cost` of an argument or input field, else that of its type; null where neither says. */
export type WeightOf = (definition: InputDefinition) => number | null;

/** What the arguments of a field cost: each input object 1, what else has no `@cost` nothing. */
export function argumentsCost(
  field: GraphQLField<unknown, unknown>,
  given: readonly ArgumentNode[],
  weightOf: WeightOf,
): Cost {
  return sumOf(
    given.map(({ name, value }) => {
      const definition = field.args.find((argument) => argument.name === name.value);
      return definition ? literalCost(value, definition, weightOf) : FREE;
    }),
  );
}

function literalCost(value: ValueNode, definition: InputDefinition, weightOf: WeightOf): Cost {
  const type: GraphQLNamedType = getNamedType(definition.type);
  const weight = weightOf(definition);
  if (value.kind === Kind.VARIABLE) return (variables) => valueCost(variables[value.name.value], definition, weightOf);
  if (value.kind === Kind.NULL) return FREE;
  if (value.kind === Kind.LIST)
    return plus(
      weight ?? 0,
      value.values.map((item) => literalCost(item, definition, weightOf)),
    );
  if (value.kind !== Kind.OBJECT || !isInputObjectType(type)) return plus(weight ?? 0, []);
  const fields = type.getFields();
  const inner = value.fields.map(({ name, value: given }) => {
    const field = fields[name.value];
    return field ? literalCost(given, field, weightOf) : FREE;
  });
  return plus(weight ?? 1, inner);
}

function valueCost(value: unknown, definition: InputDefinition, weightOf: WeightOf): number {
  const type: GraphQLNamedType = getNamedType(definition.type);
  const weight = weightOf(definition);
  if (value === null || value === undefined) return 0;
  if (Array.isArray(value))
    return value.reduce<number>((sum, item) => sum + valueCost(item, definition, weightOf), weight ?? 0);
  if (typeof value !== 'object' || !isInputObjectType(type)) return weight ?? 0;
  const fields = type.getFields();
  return Object.entries(value).reduce((sum, [name, given]) => {
    const field = fields[name];
    return field ? sum + valueCost(given, field, weightOf) : sum;
  }, weight ?? 1);
}

function plus(weight: number, costs: readonly Cost[]): Cost {
  const inner = sumOf(costs);
  if (inner === FREE) return weight === 0 ? FREE : () => weight;
  return (variables) => weight + inner(variables);
}

/** What `@listSize` says of a field. */
export interface ListSize {
  readonly assumedSize: number | null;
  readonly slicingArguments: readonly string[];
  readonly requireOneSlicingArgument: boolean;
}

/** How long a list is at most; null when nothing says it. */
export type Size = (variables: Variables) => number | null;

/**
 * How long the list of a field is at most: as long as the largest of its slicing arguments, else as assumed. A slicing
 * argument is a number, or a list that has one item for each one returned; `input.page.first` names one within another.
 * @throws InvalidError BAD_USER_INPUT, when asked, for a field that needs exactly one of them
 */
export function sizeOf(
  field: GraphQLField<unknown, unknown>,
  given: readonly ArgumentNode[],
  { assumedSize, slicingArguments, requireOneSlicingArgument }: ListSize,
): Size {
  const slicing = slicingArguments.map((path) => slicingArgument(field, given, path.split('.')));
  return (variables) => {
    const sizes = slicing.map((size) => size(variables)).filter((size) => size !== null);
    if (requireOneSlicingArgument && slicing.length > 0 && sizes.length !== 1) throw notOne(field, slicingArguments);
    // A size below nothing would pay for other fields.
    return sizes.length > 0 ? Math.max(0, ...sizes) : assumedSize;
  };
}

function slicingArgument(field: GraphQLField<unknown, unknown>, given: readonly ArgumentNode[], path: string[]): Size {
  const [name, ...inner] = path;
  const argument = given.find((each) => each.name.value === name);
  const byDefault = field.args.find((each) => each.name === name)?.defaultValue;
  return (variables) => sizeIn(argument ? valueAt(argument.value, variables) : byDefault, inner);

  function sizeIn(value: unknown, [next, ...rest]: string[]): number | null {
    if (next !== undefined)
      return typeof value === 'object' && value !== null ? sizeIn((value as Variables)[next], rest) : null;
    if (Array.isArray(value)) return value.length;
    return typeof value === 'number' ? value : null;
  }
}

/** A literal as a value, variables filled in: numbers, lists and objects, which is all that sizes are made of. */
function valueAt(value: ValueNode, variables: Variables): unknown {
  switch (value.kind) {
    case Kind.VARIABLE:
      return variables[value.name.value];
    case Kind.INT:
      return Number(value.value);
    case Kind.LIST:
      return value.values.map((item) => valueAt(item, variables));
    case Kind.OBJECT:
      return Object.fromEntries(value.fields.map((field) => [field.name.value, valueAt(field.value, variables)]));
    default:
      return null;
  }
}

function notOne({ name }: { readonly name: string }, slicingArguments: readonly string[]): InvalidError {
  const choice = slicingArguments.map((argument) => `\`${argument}\``).join(', ');
  return new InvalidError('BAD_USER_INPUT', `Say how much \`${name}\` returns by exactly one of ${choice}.`, {
    field: name,
  });
}

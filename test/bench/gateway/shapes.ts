import { type OperationName, operationNames, operations } from './operations.js';

/** One request of a series. */
export interface Asked {
  readonly operationName: OperationName;
  readonly variables: Readonly<Record<string, number | string>>;
}

/** A way to load a gateway. */
export interface LoadShape {
  readonly title: string;
  /** How many keys a request uses up. */
  readonly stride: number;
  /** How many requests until the operations come around again. */
  readonly period: number;
  /** The request that begins at this key. */
  ask(key: number, index: number): Asked;
}

const page =
  (first: number) =>
  (from: number): Asked => ({ operationName: 'Page', variables: { from, first } });

/** An operation with its variables, from one key. */
export function askFor(operationName: OperationName, key: number): Asked {
  if (operationName === 'Page') return page(3)(key);
  return { operationName, variables: operationName === 'Users' ? { from: key } : { id: String(key) } };
}

/**
 * Every shape but `identical` sends variables that never repeat in a whole run, about things that were never asked for
 * before: no cache of results can help, and no two requests are equal.
 */
export const shapes = {
  one: {
    title: 'One fetch',
    stride: 1,
    period: 1,
    ask: (key) => askFor('User', key),
  },
  three: {
    title: 'Three levels, four fetches, 3 rows; variables never repeat',
    stride: 4,
    period: 1,
    ask: page(3),
  },
  hundred: {
    title: 'Three levels, four fetches, 100 rows; variables never repeat',
    stride: 100,
    period: 1,
    ask: page(100),
  },
  ten: {
    title: 'Ten clients asking different operations in turns',
    stride: 4,
    period: operationNames.length,
    ask: (key, index) => askFor(operationNames[index % operationNames.length] ?? 'Page', key),
  },
  identical: {
    title: 'Identical requests: three levels, four fetches, 3 rows',
    stride: 0,
    period: 1,
    ask: page(3),
  },
} as const satisfies Record<string, LoadShape>;

export type ShapeName = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as ShapeName[];

const openings = new Map(
  operationNames.map((name) => [
    name,
    `{"operationName":"${name}","query":${JSON.stringify(operations[name])},"variables":`,
  ]),
);

export function bodyOf({ operationName, variables }: Asked): string {
  return `${openings.get(operationName)}${JSON.stringify(variables)}}`;
}

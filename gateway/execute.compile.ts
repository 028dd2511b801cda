import type { OperationDefinitionNode } from 'graphql';
import type { Step } from './execute.step.js';
import { compileIntrospection, type Introspection } from './introspection.js';
import type { Naming } from './prepare.names.js';
import { conditionVariables } from './shape.fields.js';
import { compileShape, type Shape, type ShapeInput } from './shape.js';

/** An operation that needs no more looking at: one for all texts that differ in literals and white space only. */
export interface CompiledOperation {
  readonly operation: OperationDefinitionNode;
  /** Null where nothing is to be fetched. */
  readonly step: Step | null;
  readonly introspection: Introspection | null;
  /** @param conditions the operation's variables, with their defaults */
  shapeFor(conditions: Readonly<Record<string, unknown>>): Shape;
  /** The client's variables under the names that they have in what is fetched. */
  variables: Naming['variables'];
}

type CompileInput = ShapeInput & Pick<Naming, 'variables'>;

/** So many combinations of conditions are kept of one operation: beyond, somebody plays with them. */
const MOST_SHAPES = 64;

export function compileOperation(input: CompileInput, step: Step | null): CompiledOperation {
  const { schema, operation, fragments } = input;
  const names = conditionVariables([
    operation.selectionSet,
    ...[...fragments.values()].map((fragment) => fragment.selectionSet),
  ]);
  const shapes = new Map<string, Shape>();
  return {
    operation,
    step,
    variables: input.variables,
    introspection: compileIntrospection(schema, operation, fragments),
    shapeFor: (conditions) => {
      const key = names.map((name) => (conditions[name] === true ? '1' : '0')).join('');
      const known = shapes.get(key);
      if (known) return known;
      if (shapes.size >= MOST_SHAPES) shapes.clear();
      const shape = compileShape(input, conditions);
      shapes.set(key, shape);
      return shape;
    },
  };
}

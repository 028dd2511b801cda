import type { PlanNode } from '@apollo/query-planner';
import type { FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { compileStep, type Step, type StepCompilation } from './execute.step.js';
import { compileIntrospection, type Introspection } from './introspection.js';
import { conditionVariables } from './shape.fields.js';
import { compileShape, type Shape } from './shape.js';

/** An operation that needs no more looking at: one for all texts that differ in literals and white space only. */
export interface CompiledOperation {
  readonly operation: OperationDefinitionNode;
  /** Null where nothing is to be fetched. */
  readonly step: Step | null;
  readonly introspection: Introspection | null;
  /** @param conditions the operation's variables, with their defaults */
  shapeFor(conditions: Readonly<Record<string, unknown>>): Shape;
}

/** So many combinations of conditions are kept of one operation: beyond, somebody plays with them. */
const MOST_SHAPES = 64;

/** @throws Error for a plan that nothing here executes */
export function compileOperation(
  api: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  plan: PlanNode | undefined,
  steps: StepCompilation,
): CompiledOperation {
  const names = conditionVariables([
    operation.selectionSet,
    ...[...fragments.values()].map((fragment) => fragment.selectionSet),
  ]);
  const shapes = new Map<string, Shape>();
  return {
    operation,
    step: plan ? compileStep(plan, steps) : null,
    introspection: compileIntrospection(api, operation, fragments),
    shapeFor: (conditions) => {
      const key = names.map((name) => (conditions[name] === true ? '1' : '0')).join('');
      const known = shapes.get(key);
      if (known) return known;
      if (shapes.size >= MOST_SHAPES) shapes.clear();
      const shape = compileShape(api, operation, fragments, conditions);
      shapes.set(key, shape);
      return shape;
    },
  };
}

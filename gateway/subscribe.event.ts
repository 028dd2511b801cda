import { execute } from 'graphql';
import type { BusEvent } from '../subgraphs/kernel/event/event-bus.js';
import { copyOf, type Row } from './execute.row.js';
import type { Values } from './fetch.transport.js';
import type { ShapedAnswer } from './shape.js';
import type { SubscriptionPlan } from './subscribe.plan.js';
import { encodeCursor } from './subscribe.source.js';

/** The event in the shape of the plan's first fetch: aliases, arguments and `__typename` as the planner wrote them. */
export async function answerOf(event: BusEvent, plan: SubscriptionPlan, variables: Values): Promise<ShapedAnswer> {
  const { document, variables: used, schema } = plan.primary;
  const payload = { ...event.payload, cursor: encodeCursor(event.subject, event.position) };
  const given = plan.compiled.variables(variables);
  const variableValues = Object.fromEntries(
    used.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
  );
  // graphql-js runs a subscription operation as a plain query over the root value.
  const { data, errors } = await execute({
    schema,
    document,
    variableValues,
    rootValue: { [plan.field.name]: payload },
  });
  plan.rewrite?.(data);
  return { data: data ? copyOf(data as Row) : null, errors: errors ?? [] };
}

import {
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  getArgumentValues,
  getVariableValues,
} from 'graphql';
import { NotFoundError, UnavailableError } from '../subgraphs/kernel/error.js';
import type { BusEvent, EventBus } from '../subgraphs/kernel/event/event-bus.js';
import { currentRequest, type Logger } from '../subgraphs/kernel/telemetry.js';
import type { Authorizer } from './admission.authorization.js';
import type { AdmittedOperation } from './admission.js';
import type { AuthorizedOperation } from './admission.restriction.js';
import { askerOf, type GatewayContext } from './context.js';
import { formatThrown } from './errors.js';
import type { Execution } from './execute.js';
import { copyOf, type Row } from './execute.row.js';
import type { Host } from './host.js';
import type { GatewayMetrics, StreamTransport } from './metrics.js';
import type { ShapedAnswer } from './shape.js';
import { throughOutage } from './subscribe.outage.js';
import type { SubscriptionPlan, SubscriptionPlans } from './subscribe.plan.js';
import { checkPrincipal, type EventSource, encodeCursor, startFor, subjectFor } from './subscribe.source.js';
import { type Result, SubscriptionStream } from './subscribe.stream.js';
import type { LoadedSupergraph } from './supergraph.js';

export interface SubscriptionsOptions {
  readonly loaded: LoadedSupergraph;
  readonly authorizer: Authorizer;
  readonly plans: SubscriptionPlans;
  readonly execution: Execution;
  /** Runs the guards. */
  readonly host: Host;
  readonly bus: EventBus;
  /** How many streams one asker may have open at once. */
  readonly mostPerAsker: number;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Where one subscription goes. */
export interface Subscriber {
  readonly context: GatewayContext;
  readonly address: string;
  readonly transport: StreamTransport;
}

type Values = Readonly<Record<string, unknown>>;

/** Event-driven subscriptions: an event from the bus answers the subscription's own field, the subgraphs the rest. */
export class Subscriptions {
  private readonly open = new Set<SubscriptionStream>();
  private readonly perAsker = new Map<string, number>();

  constructor(private readonly options: SubscriptionsOptions) {}

  /** Begins one. Never throws: what forbids it is a single result with the errors. */
  async subscribe(admitted: AdmittedOperation, subscriber: Subscriber): Promise<SubscriptionStream | Result> {
    const name = admitted.operation.name?.value;
    try {
      const begun = await this.begin(admitted, subscriber);
      this.options.metrics.subscribed(name, !(begun instanceof SubscriptionStream));
      return begun;
    } catch (thrown) {
      this.options.metrics.subscribed(name, true);
      return this.failure(thrown);
    }
  }

  /** Ends every stream with a word: they can resume at another gateway. */
  interruptAll(): void {
    for (const stream of this.open) stream.interrupt();
  }

  private async begin(admitted: AdmittedOperation, subscriber: Subscriber): Promise<SubscriptionStream | Result> {
    const { context } = subscriber;
    const { principal } = context.identity;
    const { query, document, operationName, variables = {} } = admitted;
    const whole = await this.options.plans.get(query, document, operationName);
    if (!('source' in whole)) return { errors: whole.flatMap((problem) => this.failure(problem).errors ?? []) };
    const rights = this.options.authorizer.authorize(document, operationName, principal);
    // Without its one field there is nothing to listen to.
    if (!rights.document) return this.formatted(asShaped(rights.complete({}, variables)));
    const plan = rights.key
      ? await this.options.plans.get(`${rights.key}\n${query}`, rights.document, operationName)
      : whole;
    if (!('source' in plan)) return { errors: plan.flatMap((problem) => this.failure(problem).errors ?? []) };
    const args = this.argumentsOf(plan, variables);
    checkPrincipal(plan.source, principal);
    const subject = subjectFor(plan.source, args, principal);
    const start = startFor(plan.source, args, subject);
    const refusal = await this.guard(plan.source, args, context);
    if (refusal) return refusal;
    const leave = this.enter(subscriber);
    try {
      const events = await this.options.bus.subscribe(subject, start);
      const stream = new SubscriptionStream({
        events,
        resolve: (event, stopping) => this.resolve(event, plan, rights, variables, context, stopping),
        format: (thrown) => this.failure(thrown),
        expiresAt: context.identity.expiresAt,
        now: this.options.now,
        onEnd: (ended) => {
          this.open.delete(ended);
          leave();
        },
      });
      this.open.add(stream);
      // The client may have left while the guard ran.
      if (context.signal?.aborted) await stream.return();
      return stream;
    } catch (thrown) {
      leave();
      throw thrown;
    }
  }

  private argumentsOf(plan: SubscriptionPlan, variables: Values): Values {
    const { api } = this.options.loaded;
    const hideSuggestions = { hideSuggestions: true };
    const coerced = getVariableValues(api, plan.operation.variableDefinitions ?? [], { ...variables }, hideSuggestions);
    const [problem] = coerced.errors ?? [];
    if (problem) throw new GraphQLError(problem.message, { extensions: { code: 'BAD_USER_INPUT' } });
    return getArgumentValues(plan.field, plan.fieldNode, coerced.coerced);
  }

  /** Runs the guard with the subscriber's own rights: its error is the subscription's. Fails closed. */
  private async guard({ guard }: EventSource, args: Values, context: GatewayContext): Promise<Result | null> {
    if (!guard) return null;
    const variables = Object.fromEntries(guard.variables.map((name) => [name, args[name]]));
    const { data, errors } = await this.options.host.run({ query: guard.query, variables }, context);
    // Their places lie in a document that the client never sent.
    if (errors?.length) return { errors: errors.map(({ message, extensions }) => ({ message, extensions })) };
    if (!data || Object.values(data).some((value) => value === null)) throw new NotFoundError();
    return null;
  }

  /** @throws UnavailableError RATE_LIMITED when this asker has too many streams open */
  private enter({ context, address, transport }: Subscriber): () => void {
    const asker = askerOf(context.identity, address);
    const count = this.perAsker.get(asker) ?? 0;
    if (count >= this.options.mostPerAsker)
      throw new UnavailableError('RATE_LIMITED', 'You have too many subscriptions open.', {
        most: this.options.mostPerAsker,
      });
    this.perAsker.set(asker, count + 1);
    this.options.metrics.streamOpened(transport);
    return () => {
      const left = (this.perAsker.get(asker) ?? 1) - 1;
      if (left > 0) this.perAsker.set(asker, left);
      else this.perAsker.delete(asker);
      this.options.metrics.streamClosed(transport);
    };
  }

  /** One event as this subscriber may see it. Each event is asked for anew: no rights or rows of an earlier one. */
  private resolve(
    event: BusEvent,
    plan: SubscriptionPlan,
    rights: AuthorizedOperation,
    variables: Values,
    context: GatewayContext,
    stopping: AbortSignal,
  ): Promise<Result> {
    const { requestId, identity, signal } = context;
    return currentRequest.run({ requestId }, async () => {
      const started = performance.now();
      const asked = async () => {
        const begun = await answerOf(event, plan, variables);
        const asker = { requestId, identity, signal };
        const answer = await this.options.execution.continue(plan.compiled, begun, variables, asker);
        return this.formatted(asShaped(rights.complete(answer, variables)));
      };
      const result = await throughOutage(asked, stopping);
      this.options.metrics.delivered(plan.operation.name?.value, Boolean(result.errors), performance.now() - started);
      return result;
    });
  }

  private formatted({ data, errors }: ShapedAnswer): FormattedExecutionResult {
    if (errors.length === 0) return { data };
    return { errors: errors.map((error) => formatThrown(error, this.options.logger)), data };
  }

  private failure(thrown: unknown): Result {
    return { errors: [formatThrown(thrown, this.options.logger)] };
  }
}

function asShaped({ data = null, errors = [] }: ExecutionResult): ShapedAnswer {
  return { data, errors };
}

/** The event in the shape of the plan's first fetch: aliases, arguments and `__typename` as the planner wrote them. */
async function answerOf(event: BusEvent, plan: SubscriptionPlan, variables: Values): Promise<ShapedAnswer> {
  const { document, variables: used, schema } = plan.primary;
  const payload = { ...event.payload, cursor: encodeCursor(event.subject, event.position) };
  const variableValues = Object.fromEntries(
    used.filter((name) => variables[name] !== undefined).map((name) => [name, variables[name]]),
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

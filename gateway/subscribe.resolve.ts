import type { ExecutionResult, FormattedExecutionResult } from 'graphql';
import type { BusEvent } from '../subgraphs/kernel/event/event-bus.js';
import { currentRequest, type Logger } from '../subgraphs/kernel/telemetry.js';
import type { GatewayContext } from './context.js';
import { formatThrown } from './errors.js';
import type { GatewayMetrics } from './metrics.js';
import { Answer } from './subscribe.answer.js';
import { answerOf } from './subscribe.event.js';
import type { GroupQuestion } from './subscribe.group.js';
import { throughOutage } from './subscribe.outage.js';
import { Turnstile } from './subscribe.turnstile.js';
import { codesIn, type Tracer, traceErrors } from './trace.js';

// Below what one subgraph is asked at once: an event with thousands of groups must leave room for queries.
const MOST_AT_ONCE = 500;

/** Whose question may change, as the supergraph does. */
export interface Asker {
  readonly question: GroupQuestion;
}

/** Makes events into what subscribers see: the event answers their plan's first fetch, the subgraphs the rest. */
export class EventResolution {
  private readonly turnstile = new Turnstile(MOST_AT_ONCE);

  constructor(
    private readonly metrics: GatewayMetrics,
    private readonly logger: Logger,
    private readonly tracer: Tracer | undefined,
  ) {}

  /**
   * One event for all who ask the same with the same rights. Each is asked for anew: no rights, rows or errors of an
   * earlier one. Never throws: what goes wrong is this event's error, and no other's. Null where an outage would swallow
   * it, and lasts.
   */
  async answer(event: BusEvent, asker: Asker, asking: GatewayContext): Promise<Answer | null> {
    const result = await throughOutage(
      // Asked again, it is asked by the supergraph of then.
      () => this.turnstile.through(() => this.resolve(event, asker.question, asking)),
      asking.signal,
    );
    this.metrics.resolved(asker.question.understood.plan.operation.name?.value, !result || Boolean(result.errors));
    return result && new Answer(result);
  }

  private resolve(
    event: BusEvent,
    { understood: { plan, rights }, generation, variables }: GroupQuestion,
    asking: GatewayContext,
  ): Promise<FormattedExecutionResult> {
    const span = this.tracer?.begin('event', { 'graphql.operation.name': plan.operation.name?.value ?? '' });
    return currentRequest.run({ requestId: asking.requestId }, async () => {
      try {
        const traced = span ? { ...asking, span } : asking;
        const result = await generation.use(async ({ execution }) =>
          execution.continue(plan.compiled, await answerOf(event, plan, variables), variables, traced),
        );
        const formatted = this.formatted(rights.complete(result, variables));
        if (span) traceErrors(span, codesIn(formatted.errors));
        return formatted;
      } catch (thrown) {
        span?.fail('INTERNAL_SERVER_ERROR');
        return { errors: [formatThrown(thrown, this.logger)] };
      } finally {
        span?.end();
      }
    });
  }

  /** Counts what was given to so many subscribers, and how long it took where it was live. */
  delivered({ understood }: GroupQuestion, answer: Answer, subscribers: number, live: BusEvent | null): void {
    this.metrics.delivered(understood.plan.operation.name?.value, answer.failed, subscribers);
    if (live) this.metrics.lagged(Date.now() - live.publishedAt);
  }

  private formatted({ data = null, errors = [] }: ExecutionResult): FormattedExecutionResult {
    if (errors.length === 0) return { data };
    return { errors: errors.map((error) => formatThrown(error, this.logger)), data };
  }
}

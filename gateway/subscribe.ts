import { InvalidError } from '../subgraphs/kernel/error.js';
import type { EventBus, StartAt } from '../subgraphs/kernel/event/event-bus.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { AdmittedOperation } from './admission.js';
import { askerOf, type GatewayContext } from './context.js';
import { formatThrown } from './errors.js';
import type { GatewayMetrics, StreamEnding, StreamTransport } from './metrics.js';
import { Answer, type Result } from './subscribe.answer.js';
import { endInTurns } from './subscribe.drain.js';
import { Expiries } from './subscribe.expiry.js';
import { Feeds } from './subscribe.feed.js';
import { Generation, type SubscriptionEngine } from './subscribe.generation.js';
import type { GroupQuestion, SubscriptionGroup } from './subscribe.group.js';
import { askGuard, refuseByGuard } from './subscribe.guard.js';
import { type StreamCount, StreamLimit } from './subscribe.limit.js';
import { EventResolution } from './subscribe.resolve.js';
import { encodeCursor, startFor } from './subscribe.source.js';
import { interrupted, type StreamOwner, type SubscriptionStream } from './subscribe.stream.js';
import { Turnstile } from './subscribe.turnstile.js';
import { Refused, understand } from './subscribe.understand.js';
import type { Tracer } from './trace.js';

export interface SubscriptionsOptions {
  /** Serves them until there is another one. */
  readonly engine: SubscriptionEngine;
  /** Null: no subscription can be served. */
  readonly bus: EventBus | null;
  /** How many streams one asker may have open at once. */
  readonly mostPerAsker: number;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly tracer?: Tracer;
  readonly now: () => number;
}

/** Where one subscription goes. */
export interface Subscriber {
  readonly context: GatewayContext;
  readonly address: string;
  readonly transport: StreamTransport;
}

// Each may have to ask a guard.
const MOVES_AT_ONCE = 100;

/** Event-driven subscriptions: an event from the bus answers the subscription's own field, the subgraphs the rest. */
export class Subscriptions implements StreamOwner {
  private readonly open = new Set<SubscriptionStream>();
  private readonly limit: StreamLimit;
  private readonly expiries: Expiries;
  private readonly feeds: Feeds | null;
  private generation: Generation;
  private adopted: Promise<void> = Promise.resolve();
  private isDraining = false;

  constructor(private readonly options: SubscriptionsOptions) {
    const { bus, metrics, logger } = options;
    this.limit = new StreamLimit(options.mostPerAsker);
    this.expiries = new Expiries(options.now);
    this.generation = new Generation(options.engine);
    this.feeds =
      bus && new Feeds({ bus, metrics, logger, resolution: new EventResolution(metrics, logger, options.tracer) });
  }

  /** Begins one. Never throws: what forbids it is a single result with the errors. */
  async subscribe(admitted: AdmittedOperation, subscriber: Subscriber): Promise<SubscriptionStream | Result> {
    const name = admitted.operation.name?.value;
    try {
      const begun = await this.begin(admitted, subscriber);
      this.options.metrics.subscribed(name, false);
      return begun;
    } catch (thrown) {
      this.options.metrics.subscribed(name, true);
      return this.failure(thrown);
    }
  }

  /**
   * Serves all subscriptions by another supergraph from now on. Streams that are open go on where their field has still
   * the same subject and their asker may still have it; the others end with an error that says why. Resolves when
   * nothing is under way with the one before.
   */
  adopt(next: SubscriptionEngine): Promise<void> {
    const adopting = this.adopted.then(() => this.replaceBy(new Generation(next)));
    this.adopted = adopting.catch(() => undefined);
    return adopting;
  }

  /**
   * Takes no new ones, and ends the streams with a word: their clients can go on at another gateway. Those of sockets end
   * with their socket, so that their clients come back by themselves.
   */
  async drain(): Promise<void> {
    this.isDraining = true;
    const overHttp = [...this.open].filter(({ subscriber }) => subscriber.transport !== 'graphql-ws');
    await endInTurns(overHttp, (stream) => stream.interrupt('drained'));
  }

  /** When nobody is there any more. */
  close(): void {
    for (const stream of this.open) stream.interrupt('drained');
    this.expiries.close();
  }

  now(): number {
    return this.options.now();
  }

  answerTo(thrown: unknown): Answer {
    return new Answer(this.failure(thrown));
  }

  cursorOf({ feed }: SubscriptionGroup, position: bigint): string {
    return encodeCursor(feed.subject, String(position));
  }

  ended(stream: SubscriptionStream, ending: StreamEnding): void {
    const { group, subscriber } = stream;
    this.open.delete(stream);
    this.expiries.remove(stream);
    group.members.delete(stream);
    if (group.aborted) group.feed.remove(group);
    this.feeds?.release(group.feed);
    this.limit.leave(subscriber.count);
    this.options.metrics.streamClosed(subscriber.transport, ending);
  }

  private async begin(admitted: AdmittedOperation, subscriber: Subscriber): Promise<SubscriptionStream> {
    const { generation, feeds } = this;
    if (!feeds) throw withoutEvents();
    const { context } = subscriber;
    const { asker } = context;
    const { principal } = context.identity;
    const variables = admitted.variables ?? {};
    const text = { query: admitted.query, document: admitted.document, operationName: admitted.operationName };
    const { understood, start } = await generation.use(async (engine) => {
      const understood = await understand(engine, text, variables, { principal, asker }, this.options.logger).catch(
        (thrown: unknown) => refuseByGuard(engine.host, thrown, context),
      );
      const { plan, args, subject } = understood;
      const start = startFor(plan.source, args, subject);
      await askGuard(engine.host, plan.source, args, context);
      return { understood, start };
    });
    const count = this.limit.enter(askerOf(context.identity, subscriber.address));
    let stream: SubscriptionStream | null = null;
    try {
      const question = { understood, generation, variables, principal };
      stream = await this.enter(feeds, question, start, subscriber, count);
    } finally {
      if (!stream) this.limit.leave(count);
    }
    // The supergraph changed meanwhile.
    return stream ?? this.begin(admitted, subscriber);
  }

  private async enter(
    feeds: Feeds,
    question: GroupQuestion,
    start: StartAt,
    { context, transport }: Subscriber,
    count: StreamCount,
  ): Promise<SubscriptionStream | null> {
    const feed = await feeds.hold(question.understood.subject);
    let stream: SubscriptionStream | null = null;
    try {
      const past = await feed.past(start);
      if (question.generation !== this.generation) return null;
      if (this.isDraining || feed.isClosed) throw interrupted();
      const { identity, requestId, signal } = context;
      const taken = typeof start === 'object' ? BigInt(start.after) : null;
      stream = feed.groupFor(question).enter({ identity, requestId, transport, count }, past, taken, this);
      this.open.add(stream);
      this.expiries.add(stream);
      this.options.metrics.streamOpened(transport);
      // The client may have left while the guard ran.
      if (signal?.aborted) stream.leave();
      return stream;
    } finally {
      if (!stream) feeds.release(feed);
    }
  }

  private async replaceBy(next: Generation): Promise<void> {
    const previous = this.generation;
    this.generation = next;
    const moves = new Turnstile(MOVES_AT_ONCE);
    await Promise.all((this.feeds?.groups() ?? []).map((group) => moves.through(() => this.move(group, next))));
    await previous.settled();
  }

  /** Plans a group's subscription again. Its members share their rights, so what one may have, all may. */
  private async move(group: SubscriptionGroup, generation: Generation): Promise<void> {
    const { understood: before, variables, principal } = group.question;
    const [member] = group.members;
    if (!member) return;
    try {
      const understood = await generation.use(async (engine) => {
        const understood = await understand(engine, before.text, variables, { principal }, this.options.logger);
        const { source } = understood.plan;
        if (understood.subject !== group.feed.subject) throw noLonger('its events are published elsewhere.');
        const { identity, requestId } = member.subscriber;
        if (source.guard?.query !== before.plan.source.guard?.query)
          await askGuard(engine.host, source, understood.args, { identity, requestId, signal: group });
        return understood;
      });
      group.feed.change(group, { understood, generation, variables, principal });
    } catch (thrown) {
      const last = this.answerTo(reworded(thrown));
      for (const each of [...group.members]) each.refuse('replaced', last);
    }
  }

  private failure(thrown: unknown): Result {
    return thrown instanceof Refused ? thrown.result : { errors: [formatThrown(thrown, this.options.logger)] };
  }
}

/** What was an answer to a question is now the end of a stream: it says what happened. */
function reworded(thrown: unknown): unknown {
  const [problem] = thrown instanceof Refused ? (thrown.result.errors ?? []) : [];
  const code = problem?.extensions?.['code'];
  if (problem && (code === 'GRAPHQL_VALIDATION_FAILED' || code === 'SUBSCRIPTION_NOT_SUPPORTED'))
    return noLonger(problem.message);
  return thrown;
}

function withoutEvents(): InvalidError {
  return new InvalidError(
    'SUBSCRIPTION_NOT_SUPPORTED',
    'This subscription cannot be served: there are no events here.',
  );
}

function noLonger(why: string): InvalidError {
  return new InvalidError('SUBSCRIPTION_NOT_SUPPORTED', `The schema changed, and this subscription with it: ${why}`);
}

import { DomainError, messageOf } from '../subgraphs/kernel/error.js';
import type { BusEvent, EventBus, Follower, Following, StartAt } from '../subgraphs/kernel/event/event-bus.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { fingerprintOf } from './context.js';
import type { GatewayMetrics } from './metrics.js';
import { type GroupQuestion, SubscriptionGroup } from './subscribe.group.js';
import { OwnPast } from './subscribe.past.js';
import type { EventResolution } from './subscribe.resolve.js';
import { interrupted } from './subscribe.stream.js';
import { Turnstile } from './subscribe.turnstile.js';

export interface FeedsOptions {
  readonly bus: EventBus;
  readonly resolution: EventResolution;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

// Thousands come back at once after a restart. Fewer than the bus has connections: who publishes needs some too.
const QUESTIONS_AT_ONCE = 4;

/** The subjects that somebody here listens to: each is followed on the bus once, however many listen. */
export class Feeds {
  private readonly open = new Map<string, Feed>();
  /** What is asked of the bus. */
  private readonly questions = new Turnstile(QUESTIONS_AT_ONCE);

  constructor(readonly options: FeedsOptions) {}

  /**
   * The feed of a subject, held until it is released. Nothing that is published afterwards is missed.
   * @throws UnavailableError STREAM_INTERRUPTED where the bus cannot be asked
   */
  async hold(subject: string): Promise<Feed> {
    const feed = this.open.get(subject) ?? this.begin(subject);
    feed.holds += 1;
    try {
      await feed.attached;
      return feed;
    } catch (thrown) {
      this.release(feed);
      throw thrown;
    }
  }

  release(feed: Feed): void {
    feed.holds -= 1;
    if (feed.holds === 0) this.close(feed);
  }

  /**
   * @param newest where it is all that is wanted, and known
   * @throws InvalidError INVALID_CURSOR, UnavailableError STREAM_INTERRUPTED where the bus cannot be asked
   */
  async past(subject: string, start: StartAt, newest: BusEvent | null): Promise<OwnPast> {
    const read = (from: StartAt) => this.ask(() => this.options.bus.past(subject, from));
    return new OwnPast(newest ? only(newest) : await read(start), read, this.questions, this.options.logger);
  }

  /** @throws UnavailableError STREAM_INTERRUPTED where the bus cannot be asked */
  follow(feed: Feed): Promise<Following> {
    return this.ask(() => this.options.bus.follow(feed.subject, feed));
  }

  /** Whoever subscribes while the bus is away is told so as those are whose streams it ended: to come again. */
  private async ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await this.questions.through(question);
    } catch (thrown) {
      if (thrown instanceof DomainError) throw thrown;
      this.options.logger.warn({ cause: messageOf(thrown) }, 'the bus cannot be asked');
      throw interrupted();
    }
  }

  groups(): SubscriptionGroup[] {
    return [...this.open.values()].flatMap((feed) => [...feed.groups.values()]);
  }

  private begin(subject: string): Feed {
    const feed = new Feed(subject, this);
    this.open.set(subject, feed);
    this.options.metrics.feedOpened();
    return feed;
  }

  /** Nobody holds it, or it has ended. */
  close(feed: Feed): void {
    if (this.open.get(feed.subject) !== feed) return;
    this.open.delete(feed.subject);
    this.options.metrics.feedClosed();
    feed.close();
  }
}

/** One subject's live events, handed to all its groups. */
export class Feed implements Follower {
  readonly groups = new Map<string, SubscriptionGroup>();
  holds = 0;
  /** Resolves when nothing is missed any more. */
  readonly attached: Promise<void>;
  private following: Following | null = null;
  /** The newest event that came while somebody listened. */
  private newest: BusEvent | null = null;
  isClosed = false;

  constructor(
    readonly subject: string,
    private readonly feeds: Feeds,
  ) {
    this.attached = this.attach();
  }

  /** The group that asks this, made where there is none. */
  groupFor(question: GroupQuestion): SubscriptionGroup {
    const key = keyOf(question);
    const known = this.groups.get(key);
    if (known) return known;
    const group = new SubscriptionGroup(this, key, question, this.feeds.options.resolution);
    this.groups.set(key, group);
    return group;
  }

  /** From the next event on, a group asks something else. */
  change(group: SubscriptionGroup, question: GroupQuestion): void {
    if (!this.groups.delete(group.key)) return;
    // Another one that asks the same may be there already: they stay two.
    let key = keyOf(question);
    while (this.groups.has(key)) key += '+';
    group.ask(question, key);
    this.groups.set(key, group);
  }

  remove(group: SubscriptionGroup): void {
    if (this.groups.get(group.key) === group) this.groups.delete(group.key);
  }

  /**
   * What lies before the next live event; null where nothing of it is wanted.
   * @throws InvalidError INVALID_CURSOR, UnavailableError STREAM_INTERRUPTED where the bus cannot be asked
   */
  async past(start: StartAt): Promise<OwnPast | null> {
    if (start === 'LIVE') return null;
    return this.feeds.past(this.subject, start, start === 'LATEST' ? this.newest : null);
  }

  take(event: BusEvent): void {
    this.newest = event;
    const position = BigInt(event.position);
    for (const group of this.groups.values()) group.take(event, position);
  }

  /** A bus that stops is going down: the clients resume elsewhere, or later. */
  lost(): void {
    this.feeds.close(this);
    for (const group of [...this.groups.values()])
      for (const member of [...group.members]) member.interrupt('interrupted');
  }

  close(): void {
    this.isClosed = true;
    this.following?.stop();
  }

  private async attach(): Promise<void> {
    this.following = await this.feeds.follow(this);
    if (this.isClosed) this.following.stop();
  }
}

/** Equal for questions that have the same answer to each event. */
function keyOf({ understood, variables, principal }: GroupQuestion): string {
  const { plan, answering } = understood;
  // A variable that is not there is another thing than one that is null.
  const relevant = answering.map((name) => (Object.hasOwn(variables, name) ? [variables[name]] : []));
  return `${plan.id} ${fingerprintOf(principal)} ${relevant.length > 0 ? JSON.stringify(relevant) : ''}`;
}

async function* only(event: BusEvent): AsyncGenerator<BusEvent, undefined> {
  yield event;
}

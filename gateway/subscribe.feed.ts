import { messageOf } from '../subgraphs/kernel/error.js';
import type { BusEvent, EventBus, EventStream, StartAt } from '../subgraphs/kernel/event/event-bus.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { fingerprintOf } from './context.js';
import type { GatewayMetrics } from './metrics.js';
import { type GroupQuestion, SubscriptionGroup } from './subscribe.group.js';
import { OwnPast } from './subscribe.past.js';
import type { EventResolution } from './subscribe.resolve.js';
import { Turnstile } from './subscribe.turnstile.js';

export interface FeedsOptions {
  readonly bus: EventBus;
  readonly resolution: EventResolution;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

// Fewer than the bus has connections: who publishes needs some too.
const PASTS_AT_ONCE = 4;

/** The subjects that somebody here listens to: one live stream of the bus for each, however many listen. */
export class Feeds {
  private readonly open = new Map<string, Feed>();
  private readonly reads = new Turnstile(PASTS_AT_ONCE);

  constructor(private readonly options: FeedsOptions) {}

  /**
   * The feed of a subject, held until it is released. Nothing that is published afterwards is missed.
   * @throws what the bus throws
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

  groups(): SubscriptionGroup[] {
    return [...this.open.values()].flatMap((feed) => [...feed.groups.values()]);
  }

  private begin(subject: string): Feed {
    const feed = new Feed(subject, this.options, this.reads, () => this.close(feed));
    this.open.set(subject, feed);
    this.options.metrics.feedOpened();
    return feed;
  }

  private close(feed: Feed): void {
    if (this.open.get(feed.subject) !== feed) return;
    this.open.delete(feed.subject);
    this.options.metrics.feedClosed();
    feed.close();
  }
}

/** One subject's live events, handed to all its groups. */
export class Feed {
  readonly groups = new Map<string, SubscriptionGroup>();
  holds = 0;
  /** Resolves when nothing is missed any more. */
  attached: Promise<void>;
  private stream: EventStream | null = null;
  /** The newest event that came while somebody listened. */
  private newest: BusEvent | null = null;
  private isClosed = false;

  constructor(
    readonly subject: string,
    private readonly options: FeedsOptions,
    private readonly reads: Turnstile,
    private readonly onEnd: () => void,
  ) {
    this.attached = this.attach();
  }

  /** The group that asks this, made where there is none. */
  groupFor(question: GroupQuestion): SubscriptionGroup {
    const key = keyOf(question);
    const known = this.groups.get(key);
    if (known) return known;
    const group = new SubscriptionGroup(this, key, question, this.options.resolution);
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

  /** What lies before the next live event; null where nothing of it is wanted. @throws InvalidError INVALID_CURSOR */
  async past(start: StartAt): Promise<OwnPast | null> {
    if (start === 'LIVE') return null;
    const read = (from: StartAt) => this.options.bus.past(this.subject, from);
    const events = start === 'LATEST' && this.newest ? only(this.newest) : await read(start);
    return new OwnPast(events, read, this.reads, this.options.logger);
  }

  close(): void {
    this.isClosed = true;
    void this.stream?.return();
  }

  private async attach(): Promise<void> {
    this.stream = await this.options.bus.subscribe(this.subject, 'LIVE');
    if (this.isClosed) void this.stream.return();
    else void this.follow(this.stream);
  }

  private async follow(stream: EventStream): Promise<void> {
    try {
      for await (const event of stream) {
        this.newest = event;
        const position = BigInt(event.position);
        for (const group of this.groups.values()) group.take(event, position);
      }
    } catch (thrown) {
      this.options.logger.warn({ subject: this.subject, cause: messageOf(thrown) }, 'the bus ended a stream');
    }
    if (this.isClosed) return;
    // A bus that ends a stream by itself is going down: the clients resume elsewhere, or later.
    this.onEnd();
    for (const group of [...this.groups.values()])
      for (const member of [...group.members]) member.interrupt('interrupted');
  }
}

/** Equal for questions that have the same answer to each event. */
function keyOf({ plan, variables, principal }: GroupQuestion): string {
  // A variable that is not there is another thing than one that is null.
  const relevant = plan.answering.map((name) => (Object.hasOwn(variables, name) ? [variables[name]] : []));
  return `${plan.id} ${fingerprintOf(principal)} ${relevant.length > 0 ? JSON.stringify(relevant) : ''}`;
}

async function* only(event: BusEvent): AsyncGenerator<BusEvent, undefined> {
  yield event;
}

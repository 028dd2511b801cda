import { randomUUID } from 'node:crypto';
import type { BusEvent } from '../subgraphs/kernel/event/event-bus.js';
import type { Principal } from '../subgraphs/kernel/principal.js';
import type { GatewayContext } from './context.js';
import type { Values } from './fetch.transport.js';
import type { Answer } from './subscribe.answer.js';
import type { Feed } from './subscribe.feed.js';
import type { Generation } from './subscribe.generation.js';
import type { OwnPast } from './subscribe.past.js';
import type { EventResolution } from './subscribe.resolve.js';
import {
  interrupted,
  MOST_WAITING,
  type StreamOwner,
  type StreamSubscriber,
  SubscriptionStream,
} from './subscribe.stream.js';
import type { Understood } from './subscribe.understand.js';

/** One event on its way to the members of a group. The last link of a chain is empty: what comes next fills it. */
export class Link {
  event: BusEvent | null = null;
  position = 0n;
  answer: Answer | null = null;
  next: Link | null = null;

  /** @param number counts along the chain */
  constructor(readonly number: number) {}
}

/** What the members of a group ask of each event. */
export interface GroupQuestion {
  readonly understood: Understood;
  /** The supergraph by which it is understood. */
  readonly generation: Generation;
  readonly variables: Values;
  readonly principal: Principal;
}

/** So many are written to before others have their turn. */
const SLICE = 256;

/**
 * The subscribers of one subject who ask the same with the same rights. An event is resolved once for all of them, anew
 * for each event, one event after the other. Events and their answers wait in one chain: a slow member costs nothing but
 * its place in it, and a link that everybody has passed is forgotten.
 */
export class SubscriptionGroup {
  readonly members = new Set<SubscriptionStream>();
  /** The empty link. */
  end = new Link(0);
  /** The first that is not answered yet. */
  unanswered = this.end;
  private isWorking = false;
  private pastUnderWay: Map<string, Promise<Answer | null>> | null = null;

  constructor(
    readonly feed: Feed,
    /** Under which the feed knows it. */
    public key: string,
    public question: GroupQuestion,
    private readonly resolution: EventResolution,
  ) {}

  enter(
    subscriber: StreamSubscriber,
    past: OwnPast | null,
    taken: bigint | null,
    owner: StreamOwner,
  ): SubscriptionStream {
    const member = new SubscriptionStream(this, subscriber, past, taken, owner);
    this.members.add(member);
    return member;
  }

  /** From the next event on. */
  ask(question: GroupQuestion, key: string): void {
    this.question = question;
    this.key = key;
  }

  /** Nobody waits for an answer any more. */
  get aborted(): boolean {
    return this.members.size === 0;
  }

  /** An event of the feed. */
  take(event: BusEvent, position: bigint): void {
    const link = this.end;
    const next = new Link(link.number + 1);
    link.event = event;
    link.position = position;
    link.next = next;
    this.end = next;
    // Resolving is slower than events come: everybody waits.
    if (next.number - this.unanswered.number > MOST_WAITING) for (const member of this.members) member.checkWaiting();
    if (!this.isWorking) void this.work();
  }

  /** An event of a member's own past. @throws UnavailableError STREAM_INTERRUPTED */
  async answerToPast(event: BusEvent): Promise<Answer> {
    const answer = await this.shared(event);
    if (!answer) throw interrupted();
    this.resolution.delivered(this.question, answer, 1, null);
    return answer;
  }

  /** Once for all members who ask for it at the same time. */
  private shared(event: BusEvent): Promise<Answer | null> {
    const { understood, generation } = this.question;
    // Who asks after something was changed must not get an answer that was begun before.
    const key = `${event.position} ${understood.plan.id} ${generation.mutationsEnded}`;
    const known = this.pastUnderWay?.get(key);
    if (known) return known;
    this.pastUnderWay ??= new Map();
    const answering = this.resolution.answer(event, this, this.asking()).finally(() => {
      this.pastUnderWay?.delete(key);
      if (this.pastUnderWay?.size === 0) this.pastUnderWay = null;
    });
    this.pastUnderWay.set(key, answering);
    return answering;
  }

  private async work(): Promise<void> {
    this.isWorking = true;
    for (let link = this.unanswered; link.event && link.next && !this.aborted; link = this.unanswered) {
      link.answer = await this.resolution.answer(link.event, this, this.asking());
      // An outage that lasts would swallow the event: its subscribers come back before it.
      if (!link.answer) {
        for (const member of [...this.members]) member.interrupt('interrupted');
        break;
      }
      this.unanswered = link.next;
      await this.deliver();
      this.resolution.delivered(this.question, link.answer, this.members.size, link.event);
    }
    this.isWorking = false;
  }

  private async deliver(): Promise<void> {
    let written = 0;
    for (const member of this.members) {
      member.advance();
      written += 1;
      if (written % SLICE === 0) await nextTurn();
    }
  }

  /** A single member's fetches are found under its own request id; of several none would be right for the others. */
  private asking(): GatewayContext {
    const { question, members } = this;
    const [first] = members;
    const requestId = first && members.size === 1 ? first.subscriber.requestId : randomUUID();
    return { identity: { principal: question.principal, expiresAt: null }, requestId, signal: this };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import { messageOf } from '../subgraphs/kernel/error.js';
import type { BusEvent, StartAt } from '../subgraphs/kernel/event/event-bus.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { SubscriptionStream } from './subscribe.stream.js';
import type { Turnstile } from './subscribe.turnstile.js';

/** Reads a subject's events from a place on. */
export type PastReading = (start: StartAt) => Promise<AsyncGenerator<BusEvent, undefined>>;

/** What one subscriber has missed: read from the bus as fast as its client takes it, until it meets the live events. */
export class OwnPast {
  constructor(
    private events: AsyncGenerator<BusEvent, undefined>,
    private readonly readAfter: PastReading,
    private readonly questions: Turnstile,
    private readonly logger: Logger,
  ) {}

  async readFor(stream: SubscriptionStream): Promise<void> {
    try {
      await this.readToEnd(stream);
      while (!stream.isEnded && !stream.joinLive()) {
        const after = stream.takenUpTo;
        this.events = await this.readAfter(after === null ? 'BEGINNING' : { after: String(after) });
        await this.readToEnd(stream);
      }
    } catch (thrown) {
      // Going on with what is live would leave a gap that nobody sees.
      this.logger.warn({ cause: messageOf(thrown) }, 'the past of a subscription could not be read');
      stream.interrupt('interrupted', 'The past could not be read. Resume after your last cursor.');
    }
  }

  private async readToEnd(stream: SubscriptionStream): Promise<void> {
    const { events } = this;
    try {
      while (!stream.isEnded) {
        const { value: event, done } = await this.questions.through(() => events.next());
        if (done || stream.isEnded) return;
        await stream.takePast(await stream.group.answerToPast(event), BigInt(event.position));
      }
    } finally {
      void events.return(undefined).catch(() => undefined);
    }
  }
}

import type { ConsumerMessages } from '@nats-io/jetstream';
import { type LiveReader, LiveReaders } from './event-live.js';
import type { NatsReader } from './event-reader.nats.js';

/**
 * Reads what is published once for all who listen in this process, and only while somebody listens: a consumer for each
 * would cost the server, and us, a hundred times as much.
 */
export class NatsLive {
  private readonly readers = new LiveReaders();
  private reading: Promise<ConsumerMessages> | null = null;
  /** Those who listen, or are about to. */
  private listening = 0;
  private closed = false;

  constructor(private readonly reader: NatsReader) {}

  /**
   * Attaches what `make` makes of the newest message's sequence. Nothing that is published afterwards is missed.
   * @throws what the server says
   */
  async attach<Reader extends LiveReader>(subject: string, make: (newest: bigint) => Reader): Promise<Reader> {
    this.listening += 1;
    try {
      this.reading ??= this.begin();
      await this.reading;
      const reader = make(await this.reader.newest());
      this.readers.attach(subject, reader);
      if (this.closed) reader.end();
      return reader;
    } catch (thrown) {
      this.leave();
      throw thrown;
    }
  }

  readonly detach = (subject: string, reader: LiveReader): void => {
    this.readers.detach(subject, reader);
    this.leave();
  };

  close(): void {
    this.closed = true;
    this.readers.end();
  }

  private leave(): void {
    this.listening -= 1;
    if (this.listening > 0) return;
    void this.reading?.then((messages) => messages.stop()).catch(() => undefined);
    this.reading = null;
  }

  private async begin(): Promise<ConsumerMessages> {
    const messages = await this.reader.tail();
    void this.read(messages);
    return messages;
  }

  private async read(messages: ConsumerMessages): Promise<void> {
    try {
      for await (const message of messages) {
        // Most are for nobody here: they are not even decoded.
        const event = this.readers.has(this.reader.subjectOf(message)) ? this.reader.eventOf(message) : null;
        if (event) this.readers.push(event);
      }
    } catch {
      // Told below to everybody whom it concerns.
    }
    const isCurrent = (await this.reading?.catch(() => null)) === messages;
    if (!isCurrent) return;
    // The server gave the consumer up for good: to go on would leave a gap.
    this.reading = null;
    this.readers.end();
  }
}

import type { ServerResponse } from 'node:http';
import type { Outcome } from './operation.js';
import { Answer } from './subscribe.answer.js';
import type { Beating, Heartbeats } from './subscribe.heartbeat.js';
import { type Sink, SubscriptionStream } from './subscribe.stream.js';

/** How a protocol writes results into one HTTP answer. */
export interface StreamFormat {
  readonly contentType: string;
  readonly opening: string;
  readonly heartbeat: string;
  readonly heartbeatMs: number;
  /** @param json one result */
  result(json: string): string;
  readonly closing: string;
}

/** Begins an answer that goes on until its stream ends or its client leaves. Resolves when it has begun. */
export async function writeStream(
  response: ServerResponse,
  format: StreamFormat,
  heartbeats: Heartbeats,
  begin: () => Promise<Outcome>,
): Promise<void> {
  const writer = new StreamWriter(response, format, heartbeats);
  try {
    writer.write(await begin());
  } catch (thrown) {
    response.end();
    throw thrown;
  }
}

/** Writes answers as they come, and no faster than the client reads. Its stream ends at once when the client leaves. */
class StreamWriter implements Sink, Beating {
  private stream: SubscriptionStream | null = null;
  private isEnded = false;
  private isOverdue = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly format: StreamFormat,
    private readonly heartbeats: Heartbeats,
  ) {
    response.writeHead(200, {
      'content-type': format.contentType,
      'cache-control': 'no-store',
      // Proxies of the nginx family would otherwise hold events back.
      'x-accel-buffering': 'no',
    });
    response.write(format.opening);
    heartbeats.add(this, format.heartbeatMs);
    response.once('close', () => this.closed());
  }

  write(outcome: Outcome): void {
    if (outcome instanceof SubscriptionStream) {
      this.stream = outcome;
      if (this.response.destroyed) outcome.leave();
      else outcome.flowTo(this);
    } else this.end(new Answer(outcome));
  }

  take(answer: Answer): boolean {
    // It will be closed in a moment, and says so.
    if (this.response.destroyed) return true;
    if (this.response.write(answer.framedBy(this.format))) return true;
    this.response.once('drain', () => this.stream?.resume());
    return false;
  }

  end(last: Answer | null): void {
    if (this.isEnded || this.response.destroyed) return;
    this.isEnded = true;
    if (last) this.response.write(last.framedBy(this.format));
    this.response.end(this.format.closing);
  }

  beat(): void {
    const { response } = this;
    if (response.destroyed) return;
    if (this.isEnded) {
      // A client that has not taken the end from one beat to the next will not take it any more.
      if (this.isOverdue) response.destroy();
      this.isOverdue = true;
      return;
    }
    // One that does not read needs no proof that we live.
    if (!response.writableNeedDrain) response.write(this.format.heartbeat);
  }

  private closed(): void {
    this.heartbeats.remove(this, this.format.heartbeatMs);
    this.stream?.leave();
  }
}

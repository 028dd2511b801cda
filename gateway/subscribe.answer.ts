import type { FormattedExecutionResult } from 'graphql';
import type { StreamFormat } from './stream.writer.js';

/** What each transport writes to its client: in the client's terms, already formatted. */
export type Result = FormattedExecutionResult;

/** One result for all who get it: written as JSON once, and put into the frame of each protocol once. */
export class Answer {
  readonly json: string;
  readonly failed: boolean;
  private frames: Map<StreamFormat, Buffer> | null = null;

  constructor(result: Result) {
    this.json = JSON.stringify(result);
    this.failed = (result.errors?.length ?? 0) > 0;
  }

  framedBy(format: StreamFormat): Buffer {
    this.frames ??= new Map();
    const known = this.frames.get(format);
    if (known) return known;
    const frame = Buffer.from(format.result(this.json), 'utf8');
    this.frames.set(format, frame);
    return frame;
  }
}

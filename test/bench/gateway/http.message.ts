/** Called for each whole message. `body` is only valid during the call: its memory is used again. */
export type OnMessage = (head: string, body: Buffer) => void;

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

/**
 * Cuts a connection's bytes into HTTP/1.1 messages, requests or responses, with Content-Length or chunked bodies. The load
 * generator and the canned subgraphs share one core with each other, not with what is measured; node:http on both ends
 * would make that core the slower one.
 */
export class MessageReader {
  private kept: Buffer[] = [];
  private keptBytes = 0;
  /** So many bytes must be there before it is worth looking again. */
  private wanted = 0;

  constructor(private readonly onMessage: OnMessage) {}

  push(chunk: Buffer): void {
    if (this.keptBytes === 0) {
      this.read(chunk);
      return;
    }
    this.keep(chunk);
    if (this.keptBytes < this.wanted) return;
    const whole = Buffer.concat(this.kept);
    this.kept = [];
    this.keptBytes = 0;
    this.wanted = 0;
    this.read(whole);
  }

  private read(bytes: Buffer): void {
    let start = 0;
    while (start < bytes.length) {
      const end = this.readOne(bytes, start);
      if (end === null) {
        this.keep(bytes.subarray(start));
        return;
      }
      start = end;
    }
  }

  /** @returns where the message ends; null when it is not all there */
  private readOne(bytes: Buffer, start: number): number | null {
    const headEnd = bytes.indexOf(HEAD_END, start, 'latin1');
    if (headEnd < 0) return null;
    const head = bytes.toString('latin1', start, headEnd);
    const bodyStart = headEnd + HEAD_END.length;
    const length = LENGTH.exec(head)?.[1];
    if (length === undefined && CHUNKED.test(head)) {
      const body = unchunk(bytes, bodyStart);
      if (!body) return null;
      this.onMessage(head, body.content);
      return body.end;
    }
    const end = bodyStart + Number(length ?? 0);
    if (end > bytes.length) {
      this.wanted = end - start;
      return null;
    }
    this.onMessage(head, bytes.subarray(bodyStart, end));
    return end;
  }

  /** A copy: the socket reads the next bytes into the same memory. */
  private keep(bytes: Buffer): void {
    this.kept.push(Buffer.from(bytes));
    this.keptBytes += bytes.length;
  }
}

function unchunk(bytes: Buffer, start: number): { content: Buffer; end: number } | null {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (next > bytes.length) return null;
    if (size === 0) return { content: Buffer.concat(parts), end: next };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}

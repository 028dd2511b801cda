import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { listening, through } from './line.js';

/** What a client says first has no type before its length; everything after it has. */
const TYPE_BYTES = 1;
const QUERY = 'Q'.charCodeAt(0);

/**
 * A line to PostgreSQL that lets every COMMIT through and, where it was told to, breaks before its answer comes back: it
 * is true, and whoever wanted it does not know.
 */
export class CommitLine {
  private readonly sockets = new Set<Socket>();
  /** How many answers are still to be lost; of the commits, every second one's: the next try may come through. */
  private toLose = 0;
  private commits = 0;
  /** Answers lost so far. */
  lost = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (near) => this.connect(near));
  }

  static async to(url: string): Promise<CommitLine> {
    const server = createServer();
    const line = new CommitLine(server, new URL(url));
    await listening(server);
    return line;
  }

  /** The database, by this line. */
  get url(): string {
    return through(this.server, this.target);
  }

  loseAnswers(most: number): void {
    this.toLose = most;
  }

  heal(): void {
    this.toLose = 0;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private connect(near: Socket): void {
    const far = createConnection({ port: Number(this.target.port), host: this.target.hostname });
    const said = new Sentences();
    let isLost = false;
    near.on('data', (bytes) => {
      if (this.losesAnswerTo(said.read(bytes))) isLost = true;
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      // It has answered, so it is true.
      if (isLost) near.destroy();
      else near.write(bytes);
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }

  private losesAnswerTo(queries: readonly string[]): boolean {
    if (!queries.some((query) => /^\s*commit\b/i.test(query)) || this.toLose === 0) return false;
    this.commits += 1;
    if (this.commits % 2 === 0) return false;
    this.toLose -= 1;
    this.lost += 1;
    return true;
  }
}

/** Reads what a client says, message by message, however its bytes arrive. */
class Sentences {
  private rest = Buffer.alloc(0);
  private hasBegun = false;

  /** @returns the simple queries that are complete by now */
  read(bytes: Buffer): string[] {
    this.rest = Buffer.concat([this.rest, bytes]);
    const queries: string[] = [];
    for (;;) {
      const before = this.hasBegun ? TYPE_BYTES : 0;
      if (this.rest.length < before + 4) return queries;
      const end = before + this.rest.readInt32BE(before);
      if (this.rest.length < end) return queries;
      if (this.hasBegun && this.rest[0] === QUERY) queries.push(this.rest.toString('utf8', 5, end - 1));
      this.hasBegun = true;
      this.rest = this.rest.subarray(end);
    }
  }
}

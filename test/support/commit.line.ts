import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { listening, through } from './line.js';

/** What a client says first has no type before its length; everything after it has. */
const TYPE_BYTES = 1;

/**
 * A line to PostgreSQL that lets every commit through and, where it was told to, breaks before its answer comes back: it
 * is true, and whoever wanted it does not know. A statement that writes outside a transaction is a commit, too.
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
      if (this.losesAnswerTo(said.commitsIn(bytes))) isLost = true;
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

  private losesAnswerTo(commits: number): boolean {
    if (commits === 0 || this.toLose === 0) return false;
    this.commits += 1;
    if (this.commits % 2 === 0) return false;
    this.toLose -= 1;
    this.lost += 1;
    return true;
  }
}

/** Reads what a client says, message by message, however its bytes arrive, and knows what it asks to be committed. */
class Sentences {
  private rest = Buffer.alloc(0);
  private hasBegun = false;
  private readonly prepared = new Map<string, string>();
  /** What is to be executed before the next Sync. */
  private bound: string[] = [];
  private inTransaction = false;

  /** How many commits it has asked for by now. */
  commitsIn(bytes: Buffer): number {
    this.rest = Buffer.concat([this.rest, bytes]);
    let commits = 0;
    for (;;) {
      const before = this.hasBegun ? TYPE_BYTES : 0;
      if (this.rest.length < before + 4) return commits;
      const end = before + this.rest.readInt32BE(before);
      if (this.rest.length < end) return commits;
      if (this.hasBegun && this.isCommit(String.fromCharCode(this.rest[0] ?? 0), this.rest.subarray(5, end)))
        commits += 1;
      this.hasBegun = true;
      this.rest = this.rest.subarray(end);
    }
  }

  /** The messages of PostgreSQL's protocol by which something is executed: simply, or prepared and bound. */
  private isCommit(type: string, body: Buffer): boolean {
    const [first = '', second = ''] = body.toString('utf8').split('\0');
    if (type === 'Q') return this.executes(first);
    if (type === 'P') this.prepared.set(first, second);
    if (type === 'B') this.bound.push(this.prepared.get(second) ?? '');
    if (type !== 'S') return false;
    const isCommit = this.bound.some((text) => this.executes(text));
    this.bound = [];
    return isCommit;
  }

  private executes(text: string): boolean {
    const [word = ''] = /\w+/.exec(text.toLowerCase()) ?? [];
    if (['begin', 'start'].includes(word)) this.inTransaction = true;
    const ends = ['commit', 'rollback'].includes(word);
    if (ends) this.inTransaction = false;
    if (word === 'commit') return true;
    return !this.inTransaction && /\b(insert into|update|delete from)\b/i.test(text);
  }
}

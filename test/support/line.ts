import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/** Resolves when a server of this machine may be spoken to. */
export async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** What `target` leads to, by way of a server of ours. */
export function through(server: Server, target: URL): string {
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url.href;
}

/**
 * A line to a server, by TCP. It can go dead as lines between machines do: what is said on its connections is lost, and
 * neither end is told. Connections that are made afterwards are good.
 */
export class Line {
  private readonly ends = new Set<Socket>();
  /** Connections by number: those up to `deadUpTo` are dead. */
  private count = 0;
  private deadUpTo = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (near) => this.connect(near));
  }

  static async to(url: string): Promise<Line> {
    // Half open: otherwise our own system would answer a goodbye on a dead line.
    const server = createServer({ allowHalfOpen: true });
    const line = new Line(server, new URL(url));
    await listening(server);
    return line;
  }

  /** What it leads to, by this line. */
  get url(): string {
    return through(this.server, this.target);
  }

  goDead(): void {
    this.deadUpTo = this.count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    for (const end of this.ends) end.destroy();
    await once(this.server, 'close');
  }

  private connect(near: Socket): void {
    this.count += 1;
    const number = this.count;
    const far = createConnection({
      port: Number(this.target.port),
      host: this.target.hostname,
      allowHalfOpen: true,
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.ends.add(from);
      const isAlive = () => number > this.deadUpTo;
      from.on('data', (said) => isAlive() && to.write(said));
      from.on('end', () => isAlive() && to.end());
      from.on('error', () => undefined);
      from.on('close', () => {
        this.ends.delete(from);
        if (isAlive()) to.destroy();
      });
    }
  }
}

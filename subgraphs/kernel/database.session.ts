import pg from 'pg';
import { sleep } from './clock.js';
import { onUnanswered } from './database.answer.js';
import type { Logger } from './telemetry.js';

const ANSWER_WITHIN_MS = 10_000;
const PROBE_MS = 5_000;
// Several probes: the server ends the session, and gives its locks back, of a process that has not spoken for so long.
const SILENT_AT_MOST = '30s';
const GOODBYE_MS = 1_000;

/**
 * A connection of its own that reconnects after a loss: for LISTEN and for session locks. A line that went dead without
 * a word is a loss too: both ends notice by a probe that does not come through.
 */
export class SessionConnection {
  private client: pg.Client | null = null;
  private connecting: Promise<pg.Client> | null = null;
  private readonly stopping = new AbortController();

  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly logger: Logger,
    /** Called on each new connection, before it is used. */
    private readonly onConnected: (client: pg.Client) => Promise<void> = async () => undefined,
  ) {}

  /** The live connection, or a new one. Retries until `stop`, then throws. */
  async get(): Promise<pg.Client> {
    if (this.client) return this.client;
    // Those who ask meanwhile share one attempt: of several connections all but the last would be left open.
    this.connecting ??= this.connect().finally(() => {
      this.connecting = null;
    });
    return this.connecting;
  }

  /** Gives up connecting, waits for `work` that still uses the connection, then closes it. */
  async stop(work?: Promise<unknown> | null): Promise<void> {
    this.stopping.abort();
    await work;
    await this.connecting?.catch(() => undefined);
    const { client } = this;
    this.client = null;
    if (client) await close(client);
  }

  private async connect(): Promise<pg.Client> {
    const { signal } = this.stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const client = this.newClient();
      try {
        await client.connect();
        await this.onConnected(client);
        this.client = client;
        probe(client);
        return client;
      } catch (thrown) {
        await close(client);
        this.logger.warn({ err: thrown }, 'cannot connect to the database, trying again');
        await sleep(Math.min(100 * 2 ** attempt, 3_000), signal);
      }
    }
    throw new Error('stopped');
  }

  private newClient(): pg.Client {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: this.name,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      query_timeout: ANSWER_WITHIN_MS,
      options: `-c idle_session_timeout=${SILENT_AT_MOST}`,
    });
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client));
    onUnanswered(client, () => {
      this.lost(client, new Error('no answer'));
      void close(client);
    });
    return client;
  }

  private lost(client: pg.Client, error?: Error): void {
    if (this.client !== client) return;
    this.client = null;
    if (!this.stopping.signal.aborted) this.logger.warn({ err: error }, 'lost the connection to the database');
  }
}

/** Asks again and again whether it still answers, one question at a time; who does not is given up in the end. */
function probe(client: pg.Client): void {
  let isAsking = false;
  const ask = async () => {
    if (isAsking) return;
    isAsking = true;
    await client.query('select 1').catch(() => undefined);
    isAsking = false;
  };
  const timer = setInterval(() => void ask(), PROBE_MS);
  timer.unref();
  client.on('end', () => clearInterval(timer));
}

/** Says goodbye, and waits only a moment: a server that hangs does not say it back. */
async function close(client: pg.Client): Promise<void> {
  const waiting = new AbortController();
  await Promise.race([client.end().catch(() => undefined), sleep(GOODBYE_MS, waiting.signal)]);
  waiting.abort();
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { identities } from '../../local/seed.identities.js';
import type { DocumentName } from './documents.js';
import { documents } from './documents.js';
import { noProcessNames, Program } from './processes.js';

export type Who = keyof typeof identities;

/** A seeded identity, a token of one's own, or nobody. */
export type Asker = Who | { readonly token: string } | null;

export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: {
    readonly code?: string;
    readonly transient?: boolean;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

export interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly AnswerError[];
}

/** What a client throws for an answer with errors. */
export class Refused extends Error {
  constructor(
    operation: string,
    readonly errors: readonly AnswerError[],
  ) {
    super(`${operation}: ${JSON.stringify(errors)}`);
  }

  /** Whether the same may succeed a little later. */
  get transient(): boolean {
    return this.errors.length > 0 && this.errors.every(({ extensions }) => extensions?.transient);
  }
}

const DEADLINE_MS = 30_000;
/** A machine that runs other tests beside takes its time to read and compile everything. */
export const START_WITHIN_MS = 100_000;

/** What `npm start` runs, as a process of its own with a folder of its own; it can be killed and started again. */
export class RunningGraph {
  private constructor(
    /** Its DATA_DIR. */
    readonly folder: string,
    readonly url: string,
    readonly tokens: Readonly<Record<string, string>>,
    private program: Program,
  ) {}

  static async start(): Promise<RunningGraph> {
    const folder = mkdtempSync(join(tmpdir(), 'sojourn-journey-'));
    const program = launch(folder, '0');
    try {
      const url = await addressOf(program);
      const answer = await fetch(`${url}/dev/tokens`);
      const tokens = z.record(z.string(), z.string()).parse(await answer.json());
      return new RunningGraph(folder, url, tokens, program);
    } catch (thrown) {
      await program.end('SIGKILL');
      throw thrown;
    }
  }

  /** Runs a document as it is. @throws when no answer comes: a cut connection, no graph */
  async ask<Data>(
    asker: Asker,
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Data>> {
    const answer = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.authorization(asker), ...headers },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return (await answer.json()) as Answer<Data>;
  }

  /** Runs an operation of `schema/operations` exactly as written. @throws Refused with the graph's own errors */
  async run<Data>(asker: Asker, name: DocumentName, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> {
    const { data, errors } = await this.ask<Data>(asker, documents.read(name), variables);
    if (errors || !data) throw new Refused(name, errors ?? []);
    return data;
  }

  /** As a header and as a subscriber's token. */
  bearer(asker: Asker): string | undefined {
    if (asker === null) return undefined;
    return `Bearer ${typeof asker === 'string' ? this.tokens[asker] : asker.token}`;
  }

  get pid(): number {
    return this.program.child.pid ?? 0;
  }

  get said(): string {
    return this.program.said;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.program.end('SIGKILL');
  }

  /** @returns its exit code */
  async stop(): Promise<number | NodeJS.Signals | null> {
    return this.program.end('SIGTERM');
  }

  /** Starts it again on the same folder and the same port. @throws what it said when it does not come up */
  async startAgain(): Promise<void> {
    this.program = launch(this.folder, new URL(this.url).port);
    await addressOf(this.program);
  }

  /** A database of it, as the administrator. Changes with each start. */
  databaseUrl(name: string): string {
    const place = join(this.folder, 'postgres');
    const password = readFileSync(join(place, 'password'), 'utf8').trim();
    const [, , , port] = readFileSync(join(place, 'cluster', 'postmaster.pid'), 'utf8').split('\n');
    return `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
  }

  /** Ends it if need be and removes what it wrote. @throws Error when a process of it is left */
  async remove(): Promise<void> {
    await this.program.end('SIGTERM');
    await noProcessNames(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private authorization(asker: Asker): Record<string, string> {
    const authorization = this.bearer(asker);
    return authorization ? { authorization } : {};
  }
}

function launch(folder: string, port: string): Program {
  return Program.start('local/main.js', { DATA_DIR: folder, PORT: port });
}

async function addressOf(program: Program): Promise<string> {
  const [, url = ''] = await program.says(/ready at (http:\S+)/, START_WITHIN_MS);
  return url;
}

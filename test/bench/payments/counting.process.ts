import pg from 'pg';

// The graph as `npm start` runs it, which also counts what goes over its connections to PostgreSQL, and writes down
// what was sent while it is asked to. `pg_stat_statements` does not come with the embedded server.

/** Something that was sent to PostgreSQL. */
export interface Sent {
  /** The name of the pool or connection. */
  readonly application: string;
  /** Which connection. */
  readonly connection: number;
  readonly text: string;
  /** As PostgreSQL reads them. */
  readonly values: readonly (string | null)[];
}

/** So far. */
export interface Counted {
  /** What PostgreSQL has completed. */
  readonly statements: number;
  /** How often it was asked and waited for: one round trip may hold several statements. */
  readonly roundTrips: number;
}

let [statements, roundTrips] = [0, 0];
let sent: Sent[] | null = null;
const numbers = new WeakMap<pg.Client, number>();
let connections = 0;

const { query, connect } = pg.Client.prototype;

pg.Client.prototype.connect = function (this: pg.Client, ...args: unknown[]) {
  connections += 1;
  numbers.set(this, connections);
  this.connection.on('commandComplete', () => {
    statements += 1;
  });
  this.connection.on('readyForQuery', () => {
    roundTrips += 1;
  });
  return (connect as (...all: unknown[]) => unknown).apply(this, args);
} as typeof connect;

pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  if (sent) sent.push(sentBy(this, args));
  return (query as (...all: unknown[]) => unknown).apply(this, args);
} as typeof query;

function sentBy(client: pg.Client, [first, second]: readonly unknown[]): Sent {
  const config = typeof first === 'string' ? { text: first } : (first as { text: string; values?: unknown[] });
  const values = Array.isArray(second) ? second : 'values' in config ? (config.values ?? []) : [];
  const { application_name: application } = (
    client as unknown as { connectionParameters: { application_name: string } }
  ).connectionParameters;
  return { application, connection: numbers.get(client) ?? 0, text: config.text, values: values.map(asText) };
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `{${value.map((each) => JSON.stringify(asText(each))).join(',')}}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const answers: Readonly<Record<string, () => unknown>> = {
  count: (): Counted => ({ statements, roundTrips }),
  record: () => {
    sent = [];
    return null;
  },
  recorded: () => {
    const recorded = sent ?? [];
    sent = null;
    return recorded;
  },
};

process.on('message', (message) => {
  const { ask, id } = message as { ask?: string; id?: number };
  const answer = answers[ask ?? ''];
  if (answer) process.send?.({ id, answer: answer() });
});

await import('../../../local/main.js');

import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

/** Whose answer never comes; a payment under the heaviest load takes seconds. */
const ANSWER_WITHIN_MS = 120_000;
const MOST_ATTEMPTS = 6;
const AGAIN_AFTER_MS = 100;

/** An app's way to the graph, for little processor time: kept connections, one for each that asks at once. */
export class GraphClient {
  private readonly pool: Pool;
  /** How often so far. */
  askedAgain = 0;

  constructor(url: string, connections: number) {
    this.pool = new Pool(url, { connections, headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
  }

  /**
   * Asks again, a few times and with the same idempotency key, what the graph says may be asked again, as apps do.
   * @throws Error with the graph's own words
   */
  async ask<Answer>(token: string, query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const { data, errors } = await this.askOnce<Answer>(token, query, variables);
      if (!errors && data) return data;
      const isTransient = errors?.every(({ extensions }) => extensions?.transient) ?? false;
      if (!isTransient || attempt === MOST_ATTEMPTS) throw new Error(JSON.stringify(errors));
      this.askedAgain += 1;
      await delay(AGAIN_AFTER_MS * attempt);
    }
  }

  private async askOnce<Answer>(
    token: string,
    query: string,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<{ data?: Answer; errors?: readonly { extensions?: { transient?: boolean } }[] }> {
    const { body } = await this.pool.request({
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    return (await body.json()) as Awaited<ReturnType<typeof this.askOnce<Answer>>>;
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}

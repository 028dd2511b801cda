import { Pool } from 'undici';

/** Whose answer never comes; a payment under the heaviest load takes seconds. */
const ANSWER_WITHIN_MS = 120_000;

/** An app's way to the graph, for little processor time: kept connections, one for each that asks at once. */
export class GraphClient {
  private readonly pool: Pool;

  constructor(url: string, connections: number) {
    this.pool = new Pool(url, { connections, headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
  }

  /** @throws Error with the graph's own words */
  async ask<Answer>(token: string, query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { body } = await this.pool.request({
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await body.json()) as { data?: Answer; errors?: readonly object[] };
    if (errors || !data) throw new Error(JSON.stringify(errors));
    return data;
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}

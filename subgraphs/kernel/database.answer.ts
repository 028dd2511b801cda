import type pg from 'pg';

/** Whether the driver gave up waiting for an answer (its `query_timeout`). */
function isUnanswered(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === 'Query read timeout';
}

/**
 * Calls `giveUp` when a query on this connection got no answer in time. The driver tells only whoever asked, and keeps
 * the connection: every later query on it would wait behind the one that is never answered.
 */
export function onUnanswered(client: pg.ClientBase, giveUp: () => void): void {
  const ask = client.query.bind(client) as (...query: unknown[]) => unknown;
  client.query = ((...query: unknown[]) => {
    const answer = ask(...query);
    if (answer instanceof Promise)
      answer.catch((thrown: unknown) => {
        if (isUnanswered(thrown)) giveUp();
      });
    return answer;
  }) as typeof client.query;
}

import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS = 5;

/** Runs it again, after a while, when the database asks for that: serialization failure or deadlock. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const mayRetry = isDatabaseError(thrown, '40001') || isDatabaseError(thrown, '40P01');
      if (!mayRetry || attempt === ATTEMPTS) throw thrown;
      await delay(Math.random() * 20 * 2 ** attempt);
    }
  }
}

/** Whether PostgreSQL (also wrapped by the ORM) reported this SQLSTATE, and for this constraint where one is named. */
export function isDatabaseError(thrown: unknown, sqlState: string, constraint?: string): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, constraint: violated, cause } = thrown as { code?: unknown; constraint?: unknown; cause?: unknown };
  if (code === sqlState && (constraint === undefined || violated === constraint)) return true;
  return cause !== undefined && isDatabaseError(cause, sqlState, constraint);
}

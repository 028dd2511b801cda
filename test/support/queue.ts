import type { PgBoss } from 'pg-boss';

/** A queue that takes everything and brings nothing: what drives itself needs no more. */
export const silentQueue = {
  getQueue: async () => null,
  createQueue: async () => undefined,
  work: async () => undefined,
  send: async () => null,
} as unknown as PgBoss;

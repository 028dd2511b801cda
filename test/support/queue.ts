import type { PgBoss } from 'pg-boss';

/** A queue that takes everything and brings nothing: what drives itself needs no more. */
export const silentQueue = {
  getQueues: async () => [],
  getSchedules: async () => [],
  createQueue: async () => undefined,
  work: async () => undefined,
  send: async () => null,
} as unknown as PgBoss;

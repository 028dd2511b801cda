import { join } from 'node:path';
import type { Environment } from '../subgraphs/kernel/configuration.js';
import { EmbeddedPostgres } from './postgres.js';

const NAMES = ['users', 'merchants', 'payments', 'fx', 'bus'] as const;

/** Where each database is, as variables that the services read; and how to let go of the server, where it is ours. */
export interface Databases {
  readonly environment: Environment;
  stop(): Promise<void>;
}

/**
 * An embedded server with one database and one role for each that the environment does not place elsewhere.
 * @param onWaiting called as soon as the server works by itself
 * @throws PostgresUnavailable
 */
export async function openDatabases(
  folder: string,
  environment: Environment,
  onWaiting?: () => void,
): Promise<Databases> {
  const missing = environment['DATABASE_URL'] ? [] : NAMES.filter((name) => !environment[variableOf(name)]);
  if (missing.length === 0) return { environment: {}, stop: async () => undefined };
  const server = await EmbeddedPostgres.start({ folder: join(folder, 'postgres'), ...(onWaiting && { onWaiting }) });
  try {
    const urls = await server.createDatabases(missing);
    const environment = Object.fromEntries(missing.map((name, index) => [variableOf(name), urls[index]]));
    return { environment, stop: () => server.stop() };
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}

function variableOf(name: string): string {
  return `DATABASE_URL_${name.toUpperCase()}`;
}

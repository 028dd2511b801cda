import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from './postgres.cluster.js';
import { PostgresUnavailable } from './postgres.user.js';
import { commandLineOf, isAlive } from './running.js';

const DEADLINE_MS = 20_000;

/**
 * A server that still runs on this very folder after the process that started it was killed; null when there is none.
 * Waits for one that is starting or stopping.
 * @throws PostgresUnavailable when something holds the folder and does not answer
 */
export async function orphanOf(cluster: Cluster): Promise<{ pid: number; port: number } | null> {
  const file = join(cluster.path, 'postmaster.pid');
  for (let waited = 0; existsSync(file); waited += 50) {
    const [pidLine = '', , , portLine = ''] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const [pid, port] = [Number(pidLine), Number(portLine)];
    // Only the folder in its command line proves that the process is ours.
    if (!(pid > 0) || !isAlive(pid) || !(await commandLineOf(pid)).includes(cluster.path)) {
      await rm(file, { force: true });
      return null;
    }
    if (port > 0 && (await answers(port, cluster.password))) return { pid, port };
    if (waited > DEADLINE_MS)
      throw new PostgresUnavailable(
        `Process ${pid} holds ${cluster.path} but does not answer. Stop it and start again.`,
      );
    await delay(50);
  }
  return null;
}

/** Whether a server there takes our password. */
async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    // Whatever took the port meanwhile may take connections and say nothing.
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

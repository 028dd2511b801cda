import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Cluster, clusterIn, initialise, isInitialised } from './postgres.cluster.js';
import { orphanOf } from './postgres.orphan.js';
import { DatabaseRecord } from './postgres.record.js';
import { asServerUser, PostgresUnavailable } from './postgres.user.js';
import { freePort, isAlive } from './running.js';

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 20_000;
const POLL_MS = 10;
/** Of `postmaster.pid`, counted from zero. */
const STATUS_LINE = 7;

export interface PostgresOptions {
  /** Holds the cluster, its log and its password. */
  readonly folder: string;
  /** Trades durability for speed: only for data that a test throws away. */
  readonly disposable?: boolean;
  /** Called as soon as PostgreSQL works by itself: until it is ready there is time for other things. */
  readonly onWaiting?: () => void;
}

/**
 * A PostgreSQL server of our own, from the binaries that npm installed: on loopback, on a free port, with a password.
 * It goes when this process goes (on Linux also when that is killed); what a kill elsewhere left behind is adopted.
 */
export class EmbeddedPostgres {
  private readonly password: string;
  private readonly record: DatabaseRecord;

  private constructor(
    readonly port: number,
    readonly pid: number,
    cluster: Cluster,
    private readonly child: ChildProcess | null,
  ) {
    this.password = cluster.password;
    this.record = new DatabaseRecord(cluster.path);
  }

  /** @throws PostgresUnavailable */
  static async start(options: PostgresOptions): Promise<EmbeddedPostgres> {
    const cluster = await clusterIn(resolve(options.folder));
    const orphan = await orphanOf(cluster);
    if (orphan) return new EmbeddedPostgres(orphan.port, orphan.pid, cluster, null);
    const { disposable = false, onWaiting = () => undefined } = options;
    if (!isInitialised(cluster)) await initialise(cluster, disposable, onWaiting);
    return EmbeddedPostgres.launch(cluster, disposable, onWaiting);
  }

  /** A connection string for one of our roles; the administrator's when no role is named. */
  url(database: string, role = 'postgres'): string {
    return `postgres://${role}:${this.passwordOf(role)}@127.0.0.1:${this.port}/${database}`;
  }

  /** For each name a database owned by a role of the same name that can reach nothing else. Harmless when they exist. */
  async createDatabases(names: readonly string[]): Promise<string[]> {
    if (!this.record.has(names)) {
      const known = await this.wholeOnes(names);
      const missing = names.filter((name) => known[name] === undefined);
      await Promise.all(missing.map((name) => this.createDatabase(name)));
      this.record.add(missing.length === 0 ? known : await this.wholeOnes(names));
    }
    return names.map((name) => this.url(name, name));
  }

  /** Those that nobody else can reach, each with PostgreSQL's number for it. */
  private async wholeOnes(names: readonly string[]): Promise<Record<string, number>> {
    const { rows } = await this.asAdministrator((admin) =>
      admin.query<{ name: string; oid: number }>(
        `select datname as name, oid from pg_database where datname = any($1) and datacl is not null and not exists (
           select from aclexplode(datacl) where grantee = 0 and privilege_type = 'CONNECT')`,
        [names],
      ),
    );
    return Object.fromEntries(rows.map(({ name, oid }) => [name, oid]));
  }

  private createDatabase(name: string): Promise<void> {
    return this.asAdministrator(async (admin) => {
      const role = pg.escapeIdentifier(name);
      const known = await admin.query('select 1 from pg_database where datname = $1', [name]);
      if (known.rowCount === 0) {
        await admin.query(`drop role if exists ${role}`);
        await admin.query(`create role ${role} login password ${pg.escapeLiteral(this.passwordOf(name))}`);
        await admin.query(`create database ${role} owner ${role}`);
      }
      // Also when it exists: a start may have been killed before this line.
      await admin.query(`revoke connect on database ${role} from public`);
    });
  }

  private async asAdministrator<Result>(work: (admin: pg.Client) => Promise<Result>): Promise<Result> {
    const admin = new pg.Client({ connectionString: this.url('postgres') });
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.end();
    }
  }

  /** Lets transactions under way fail and stops; returns when the process is gone. */
  async stop(): Promise<void> {
    for (let waited = 0; isAlive(this.pid) && !this.hasExited(); waited += 20) {
      if (waited === 0) this.signal('SIGINT');
      if (waited > STOP_DEADLINE_MS) this.signal(waited > 2 * STOP_DEADLINE_MS ? 'SIGKILL' : 'SIGQUIT');
      await delay(20);
    }
  }

  private hasExited(): boolean {
    return this.child !== null && (this.child.exitCode !== null || this.child.signalCode !== null);
  }

  private signal(name: NodeJS.Signals): void {
    try {
      process.kill(this.pid, name);
    } catch {
      // It went this moment: that is what we wanted.
    }
  }

  /** Each role has its own: one that leaks opens one database. */
  private passwordOf(role: string): string {
    return role === 'postgres' ? this.password : createHmac('sha256', this.password).update(role).digest('hex');
  }

  private static async launch(cluster: Cluster, disposable: boolean, onWaiting: () => void): Promise<EmbeddedPostgres> {
    const { folder, user } = cluster;
    const port = await freePort();
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 200,
      shared_buffers: '128MB',
      io_method: 'sync',
      ...(disposable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    };
    const log = await open(join(folder, 'postgres.log'), 'a');
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, ...args] = asServerUser(user, join(cluster.native, 'bin', 'postgres'), [
      '-D',
      cluster.path,
      ...flags,
    ]);
    const child = spawn(command, args, {
      // A session of its own: Ctrl+C in a terminal must reach us first, so that we stop it in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: folder,
      ...(user.kind === 'other' && { uid: user.uid, gid: user.gid }),
    });
    child.unref();
    await log.close();
    onWaiting();
    await becomesReady(child, cluster);
    return new EmbeddedPostgres(port, child.pid ?? 0, cluster, child);
  }
}

/** @throws PostgresUnavailable when it ends instead, or takes too long */
async function becomesReady(child: ChildProcess, cluster: Cluster): Promise<void> {
  let ended = false;
  void Promise.race([once(child, 'exit'), once(child, 'error')])
    .catch(() => undefined)
    .then(() => {
      ended = true;
    });
  for (const deadline = performance.now() + START_DEADLINE_MS; performance.now() < deadline && !ended; ) {
    if (await saysReady(cluster, child.pid)) return;
    await delay(POLL_MS);
  }
  child.kill('SIGQUIT');
  const log = await readFile(join(cluster.folder, 'postgres.log'), 'utf8').catch(() => '');
  const words = ended ? 'did not start' : 'did not become ready in time';
  throw new PostgresUnavailable(`PostgreSQL ${words}. The end of its log:\n${log.split('\n').slice(-8).join('\n')}`);
}

/**
 * As it writes down itself, in the line that its own `pg_ctl` waits for: to ask by connecting has it begin a process for
 * each question.
 */
async function saysReady(cluster: Cluster, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(cluster.path, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid && lines[STATUS_LINE]?.trim() === 'ready';
}

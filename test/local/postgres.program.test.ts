import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { EmbeddedPostgres } from '../../local/postgres.js';
import { PostgresUnavailable } from '../../local/postgres.user.js';
import { isAlive } from '../../local/running.js';
import { root } from '../support/sources.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sojourn postgres '));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function ask<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean, deadlineMs = 10_000): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > deadlineMs) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A process that starts a server, says its process id and port, and waits to be killed. */
async function starter(data: string, options: { path?: string } = {}) {
  const script = `
    const { EmbeddedPostgres } = await import(${JSON.stringify(join(root, 'dist', 'local', 'postgres.js'))});
    const server = await EmbeddedPostgres.start({ folder: ${JSON.stringify(data)}, disposable: true });
    console.log(JSON.stringify({ pid: server.pid, port: server.port }));
    setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(options.path && { PATH: options.path }) },
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ...(JSON.parse(line.toString()) as { pid: number; port: number }) };
}

/** A path without setpriv: there the server is not told of its starter's death, as on a system that is not Linux. */
function withoutDeathSignal(): string {
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const name of ['unshare', 'true']) symlinkSync(join('/usr/bin', name), join(programs, name));
  return programs;
}

describe('EmbeddedPostgres', () => {
  it('runs in a folder that only we may enter, also as root, under a path with spaces', async () => {
    chmodSync(folder, 0o700);
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    try {
      const [row] = await ask<{ version: string }>(server.url('postgres'), 'show server_version');
      expect(row).toEqual({ server_version: expect.stringMatching(/^18\./) });
    } finally {
      await server.stop();
    }
  });

  it('finds everything again after a stop, and stops with nothing left', async () => {
    const first = await EmbeddedPostgres.start({ folder });
    const [url = ''] = await first.createDatabases(['users']);
    await ask(url, 'create table kept (id int)');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    expect(existsSync(join(folder, 'cluster', 'postmaster.pid'))).toBe(false);
    await first.stop();

    const second = await EmbeddedPostgres.start({ folder });
    try {
      const [again = ''] = await second.createDatabases(['users']);
      expect(await ask(again, 'select * from kept')).toEqual([]);
    } finally {
      await second.stop();
    }
  });

  it('makes a database again that somebody dropped, and asks again where its record is damaged', async () => {
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    try {
      const [url = ''] = await server.createDatabases(['users']);
      await ask(url, 'create table kept (id int)');
      await ask(server.url('postgres'), 'drop database users');
      const [again = ''] = await server.createDatabases(['users']);
      await expect(ask(again, 'select * from kept')).rejects.toThrow(/does not exist/);
      writeFileSync(join(folder, 'cluster', 'sojourn.databases.json'), '{"users":');
      expect(await server.createDatabases(['users', 'merchants'])).toHaveLength(2);
      expect(await ask(server.url('merchants', 'merchants'), 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      await server.stop();
    }
  });

  it('gives each database a role of its own that opens no other one', async () => {
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    try {
      const [users = '', merchants = ''] = await server.createDatabases(['users', 'merchants']);
      expect(new URL(users).password).not.toBe(new URL(merchants).password);
      const stranger = new URL(users);
      stranger.pathname = '/merchants';
      await expect(ask(stranger.href, 'select 1')).rejects.toThrow(/permission denied/);
      await expect(ask(users, 'create role intruder')).rejects.toThrow(/permission denied/);
      stranger.username = 'postgres';
      await expect(ask(stranger.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    } finally {
      await server.stop();
    }
  });

  it('listens on loopback only, and takes nobody without the password', async () => {
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    try {
      const [row] = await ask<{ listen_addresses: string; unix_socket_directories: string }>(
        server.url('postgres'),
        `select current_setting('listen_addresses') as listen_addresses, current_setting('unix_socket_directories') as unix_socket_directories`,
      );
      expect(row).toEqual({ listen_addresses: '127.0.0.1', unix_socket_directories: '' });
      const wrong = new URL(server.url('postgres'));
      wrong.password = 'guess';
      await expect(ask(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
      expect(statSync(join(folder, 'password')).mode & 0o777).toBe(0o600);
    } finally {
      await server.stop();
    }
  });

  it('adopts the server that a killed start left behind', async () => {
    const { child, pid, port } = await starter(folder, { path: withoutDeathSignal() });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(pid)).toBe(true);
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    expect({ pid: server.pid, port: server.port }).toEqual({ pid, port });
    await server.stop();
    await until(() => !isAlive(pid));
  });

  it('goes with the process that started it, also when that is killed', async () => {
    if (process.platform !== 'linux') return;
    const { child, pid } = await starter(folder);
    child.kill('SIGKILL');
    await until(() => !isAlive(pid));
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    expect(server.pid).not.toBe(pid);
    await server.stop();
  });

  it('is not fooled by a process id that another program has now', async () => {
    const first = await EmbeddedPostgres.start({ folder });
    await first.stop();
    const pidFile = join(folder, 'cluster', 'postmaster.pid');
    writeFileSync(pidFile, `${process.pid}\n${join(folder, 'cluster')}\n0\n5432\n`);
    const second = await EmbeddedPostgres.start({ folder });
    expect(second.pid).not.toBe(process.pid);
    await second.stop();
  });

  it('starts over where a start was killed while it created its files', async () => {
    mkdirSync(join(folder, 'cluster', 'base'), { recursive: true });
    const server = await EmbeddedPostgres.start({ folder, disposable: true });
    await server.stop();
  });

  it('says what to do when it cannot use the folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    const refused = EmbeddedPostgres.start({ folder: join(folder, 'file', 'data') });
    await expect(refused).rejects.toBeInstanceOf(PostgresUnavailable);
    await expect(refused).rejects.toThrow(/DATA_DIR/);
  });

  it('shows the end of its log when it does not start', async () => {
    const first = await EmbeddedPostgres.start({ folder });
    await first.stop();
    const settings = join(folder, 'cluster', 'postgresql.auto.conf');
    writeFileSync(settings, `${readFileSync(settings, 'utf8')}\nshared_preload_libraries = 'no_such_library'\n`);
    const refused = EmbeddedPostgres.start({ folder });
    await expect(refused).rejects.toThrow(/no_such_library/);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isAlive } from '../../local/running.js';
import { LibraryPart, librarySupergraph } from '../support/library.js';
import { PROGRAM_FLAGS, Program } from '../support/processes.js';
import { root } from '../support/sources.js';

const MAIN = join(root, 'dist', 'gateway', 'main.js');

let folder: string;
let supergraph: string;
let books: LibraryPart;
let authors: LibraryPart;
let gateway: Program;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-workers-'));
  supergraph = join(folder, 'supergraph.graphql');
  [books, authors] = await Promise.all([LibraryPart.start('books'), LibraryPart.start('authors')]);
  await writeFile(supergraph, librarySupergraph({ books: books.url, authors: authors.url }));
});
afterEach(async () => {
  books.held = null;
  await gateway.end('SIGKILL');
});
afterAll(async () => {
  await Promise.all([books.close(), authors.close()]);
  await rm(folder, { recursive: true });
});

const start = (...args: string[]) =>
  Program.spawn(
    process.execPath,
    [...PROGRAM_FLAGS, MAIN, '--supergraph', supergraph, '--port', '0', '--workers', '2', ...args],
    {},
  );

/** The process ids of the workers that ever listened, by their number. */
const workers = () =>
  [...gateway.said.matchAll(/"worker":(\d),"pid":(\d+),"msg":"a worker listens"/g)].map(([, number, pid]) => ({
    number: Number(number),
    pid: Number(pid),
  }));

/** Its address, once both workers listen. */
async function listening(): Promise<string> {
  const [, port] = await gateway.says(/"port":(\d+)/);
  while (workers().length < 2) await delay(20);
  return `http://127.0.0.1:${port}`;
}

const BOOKS = `/graphql?query=${encodeURIComponent('query Shelf { books { title } }')}`;

/** On a connection of its own: each goes to the next worker. */
function ask(url: string, path = BOOKS): Promise<{ status: number; text: string }> {
  const options = { agent: new Agent({ keepAlive: false }), headers: { 'apollo-require-preflight': 'true' } };
  return new Promise((resolve, reject) => {
    const request = get(`${url}${path}`, options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
    });
    request.once('error', reject);
  });
}

describe('Workers', () => {
  it('share a port, and any of them tells the figures of all, each under its own number', async () => {
    gateway = start();
    const url = await listening();
    for (let count = 0; count < 8; count += 1) expect((await ask(url)).status).toBe(200);
    for (const _turn of [1, 2]) {
      const { text } = await ask(url, '/metrics');
      const counts = [1, 2].map((worker) => {
        const [, count] =
          new RegExp(`^gateway_requests_total{operation="Shelf".*worker="${worker}"} (\\d+)$`, 'm').exec(text) ?? [];
        return Number(count);
      });
      expect(Math.min(...counts)).toBeGreaterThan(0);
      expect(counts.reduce((sum, count) => sum + count)).toBe(8);
      expect(text).toMatch(/^gateway_workers 2$/m);
      // Prometheus takes each figure once, in one place.
      const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      expect(new Set(types).size).toBe(types.length);
      const samples = text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.replace(/ \S+$/, ''));
      expect(new Set(samples).size).toBe(samples.length);
      expect(text).toMatch(/^nodejs_eventloop_lag_seconds{worker="1"} /m);
    }
  });

  it('are replaced when they die, and the others answer meanwhile', async () => {
    gateway = start();
    const url = await listening();
    const [first] = workers();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await gateway.says(
      new RegExp(
        `"worker":${first?.number},"code":null,"signal":"SIGKILL","againInMs":500,"msg":"a worker ended by itself"`,
      ),
    );
    for (let count = 0; count < 4; count += 1) expect((await ask(url)).status).toBe(200);
    while (workers().length < 3) await delay(20);
    const last = workers().at(-1);
    expect(last?.number).toBe(first?.number);
    expect(last?.pid).not.toBe(first?.pid);
    for (let count = 0; count < 4; count += 1) expect((await ask(url)).status).toBe(200);
    expect((await ask(url, '/metrics')).text).toMatch(/^gateway_worker_restarts 1$/m);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finish what is under way at %s, and leave nothing behind',
    async (signal) => {
      gateway = start();
      const url = await listening();
      const release = Promise.withResolvers<void>();
      books.held = release.promise;
      const before = books.received.length;
      const asking = [ask(url), ask(url)];
      while (books.received.length < before + 2) await delay(10);
      const ending = gateway.end(signal);
      await gateway.says(/"msg":"stopping"/);
      await delay(200);
      release.resolve();
      for (const { status, text } of await Promise.all(asking))
        expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('Earthsea') });
      expect(await ending).toBe(0);
      expect(workers().filter(({ pid }) => isAlive(pid))).toEqual([]);
    },
  );

  it('do not outlive their supervisor', async () => {
    gateway = start();
    await listening();
    await gateway.end('SIGKILL');
    for (let waited = 0; workers().some(({ pid }) => isAlive(pid)); waited += 50) {
      if (waited > 10_000) throw new Error('a worker lives on');
      await delay(50);
    }
  });

  it('that cannot start are not tried again and again: the reason is said once', async () => {
    gateway = start('--supergraph', MAIN);
    expect(await gateway.end()).toBe(1);
    expect(gateway.said.match(/The supergraph cannot be used/g)).toHaveLength(1);
  });
});

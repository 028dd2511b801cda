import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PRINCIPAL_HEADER } from '../../subgraphs/kernel/principal.token.js';
import { LibraryPart, librarySupergraph } from '../support/library.js';
import { OtlpReceiver } from '../support/otlp.receiver.js';
import { PROGRAM_FLAGS, Program } from '../support/processes.js';
import { ask } from '../support/small-graph.js';
import { root } from '../support/sources.js';
import { overSse } from '../support/subscribers.js';

const MAIN = join(root, 'dist', 'gateway', 'main.js');
const BOOKS = '{ books { title author { name } } }';
const FIRST = { title: 'A Wizard of Earthsea', author: { name: 'Ursula K. Le Guin' } };

// Writes down, at the end of a process, of which packages it loaded anything.
const WATCH_PACKAGES = `
  import { registerHooks } from 'node:module';
  import { writeFileSync } from 'node:fs';
  const names = new Set();
  registerHooks({
    load(url, context, next) {
      const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
      if (name) names.add(name);
      return next(url, context);
    },
  });
  process.on('exit', () => writeFileSync(process.env.PACKAGES, JSON.stringify([...names])));
`;

let folder: string;
let supergraph: string;
let books: LibraryPart;
let authors: LibraryPart;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-alone-'));
  supergraph = join(folder, 'supergraph.graphql');
  [books, authors] = await Promise.all([LibraryPart.start('books'), LibraryPart.start('authors')]);
});
beforeEach(() =>
  writeFile(supergraph, librarySupergraph({ books: books.url, authors: authors.url }, { events: true })),
);
afterAll(async () => {
  await Promise.all([books.close(), authors.close()]);
  await rm(folder, { recursive: true });
});

const start = (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  flags: readonly string[] = PROGRAM_FLAGS,
) => Program.spawn(process.execPath, [...flags, MAIN, ...args], environment);

/** Its address, once it listens. */
async function listening(gateway: Program): Promise<string> {
  const [, port] = await gateway.says(/"port":(\d+).*"msg":"listening"/);
  return `http://127.0.0.1:${port}`;
}

describe('A gateway alone', () => {
  it('serves any supergraph to strangers, and loads no framework and no database for it', async () => {
    const packages = join(folder, 'packages.json');
    const watch = `data:text/javascript,${encodeURIComponent(WATCH_PACKAGES)}`;
    const gateway = start(['--supergraph', supergraph, '--port', '0'], { PACKAGES: packages }, ['--import', watch]);
    const url = await listening(gateway);
    books.received.length = 0;
    const { data } = await ask({ url }, BOOKS, { token: 'Bearer what.ever.itis' });
    expect(data).toMatchObject({ books: [FIRST, {}] });
    expect(books.received[0]?.headers[PRINCIPAL_HEADER]).toBeUndefined();
    const ready = await fetch(`${url}/health/ready`);
    expect({ status: ready.status, ...((await ready.json()) as object) }).toEqual({
      status: 200,
      ready: true,
      draining: false,
      events: 'none',
      subgraphs: { books: 'up', authors: 'up' },
    });
    // Production, since nobody said otherwise.
    expect((await ask({ url }, '{ __schema { types { name } } }')).errors).toHaveLength(1);
    expect(await gateway.end('SIGTERM')).toBe(0);
    const loaded = JSON.parse(await readFile(packages, 'utf8')) as string[];
    expect(loaded).toEqual(expect.arrayContaining(['graphql', '@apollo/server', 'undici']));
    expect(
      loaded.filter((name) =>
        /^(type-graphql|@mikro-orm\/|pg$|pg-|@nats-io\/|reflect-metadata|@opentelemetry\/(?!api$))/.test(name),
      ),
    ).toEqual([]);
  });

  it('says at its start which subscriptions it refuses, and refuses them with a typed error', async () => {
    const gateway = start(['--supergraph', supergraph, '--port', '0']);
    await gateway.says(
      /"subscriptions":\["bookChanged"\],"msg":"these subscriptions are refused: there is no event bus"/,
    );
    const url = await listening(gateway);
    const stream = overSse({ url, query: 'subscription { bookChanged(id: "b1") { title } }' });
    await stream.ended;
    expect(stream.received.map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual([
      'SUBSCRIPTION_NOT_SUPPORTED',
    ]);
    expect(await gateway.end('SIGTERM')).toBe(0);
  });

  it('finds subgraphs where it is told, and tells of itself in development', async () => {
    const nowhere = 'http://127.0.0.1:1/graphql';
    await writeFile(supergraph, librarySupergraph({ books: nowhere, authors: nowhere }));
    const places = ['--subgraph', `books=${books.url}`, '--subgraph', `authors=${authors.url}`];
    const gateway = start(['--supergraph', supergraph, '--port', '0', '--development', ...places]);
    const url = await listening(gateway);
    expect((await ask({ url }, BOOKS)).data).toMatchObject({ books: [FIRST, {}] });
    expect((await ask({ url }, '{ __schema { queryType { name } } }')).data).toEqual({
      __schema: { queryType: { name: 'Query' } },
    });
    expect(await gateway.end('SIGINT')).toBe(0);
  });

  it('takes over a new supergraph from its file', async () => {
    const gateway = start(['--supergraph', supergraph, '--port', '0']);
    const url = await listening(gateway);
    expect((await ask({ url }, BOOKS)).data).toMatchObject({ books: [FIRST, {}] });
    await writeFile(
      supergraph,
      librarySupergraph({ books: books.url, authors: authors.url }, { titleIsCalled: 'name' }),
    );
    await gateway.says(/the supergraph was reloaded/);
    expect((await ask({ url }, BOOKS)).errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    await writeFile(supergraph, 'type Query {');
    await gateway.says(/the new supergraph is not usable/);
    expect((await ask({ url }, '{ books { id } }')).data).toEqual({ books: [{ id: 'b1' }, { id: 'b2' }] });
    expect(await gateway.end('SIGTERM')).toBe(0);
  });

  it('sends traces where OpenTelemetry is told to', async () => {
    const receiver = await OtlpReceiver.start();
    const gateway = start(['--supergraph', supergraph, '--port', '0'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_SERVICE_NAME: 'library',
      TRACE_TRUST_CLIENTS: 'true',
    });
    const url = await listening(gateway);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await ask({ url }, BOOKS, { headers: { traceparent } });
    expect(await gateway.end('SIGTERM')).toBe(0);
    receiver.close();
    expect([...receiver.services]).toEqual(['library']);
    expect(receiver.named('query')).toMatchObject([{ parentSpanId: 'b7ad6b7169203331' }]);
    expect(receiver.named('fetch books')).toHaveLength(1);
  });

  it('may have a supergraph that a server gives out', async () => {
    const registry = createServer((_request, response) =>
      response.end(librarySupergraph({ books: books.url, authors: authors.url })),
    );
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    const { port } = registry.address() as { port: number };
    const gateway = start(['--supergraph', `http://127.0.0.1:${port}/graph`, '--port', '0']);
    expect((await ask({ url: await listening(gateway) }, BOOKS)).data).toMatchObject({ books: [FIRST, {}] });
    expect(await gateway.end('SIGTERM')).toBe(0);
    registry.closeAllConnections();
    registry.close();
  });

  it.each([
    ['has no file', () => ['--supergraph', join(folder, 'none')], {}, /The supergraph cannot be used: ENOENT/],
    ['has a file of something else', () => ['--supergraph', MAIN], {}, /The supergraph cannot be used: Syntax Error/],
    [
      'is told of a subgraph that is not there',
      () => ['--supergraph', supergraph, '--subgraph', 'shelves=http://x'],
      {},
      /the supergraph has no subgraph shelves; it has (books, authors|authors, books)/,
    ],
    [
      'has a port that another has',
      () => ['--supergraph', supergraph, '--port', new URL(books.url).port],
      {},
      /It cannot listen: .*EADDRINUSE/,
    ],
    [
      'has a key that is none',
      () => ['--supergraph', supergraph],
      { INTERNAL_SIGNING_KEY: 'c2VjcmV0' },
      /INTERNAL_SIGNING_KEY cannot/,
    ],
    ['is asked for what there is not', () => ['--graph', 'x'], {}, /Unknown option '--graph'/],
  ])('does not start when it %s, and says so in a line, without a stack', async (_what, args, environment, words) => {
    const gateway = start(['--port', '0', ...args()].slice(args().includes('--port') ? 2 : 0), environment);
    expect(await gateway.end()).toBe(1);
    expect(gateway.said).toMatch(words);
    expect(gateway.said).not.toMatch(/\n\s+at |c2VjcmV0/);
  });

  it('explains itself', async () => {
    const gateway = start(['--help']);
    expect(await gateway.end()).toBe(0);
    expect(gateway.said).toContain('npm run gateway -- --supergraph FILE --port N');
  });
});

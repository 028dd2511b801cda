import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { root } from '../../support/sources.js';
import { refusal } from './conforming.js';
import { compose, type Federation, federate } from './federation.js';
import type { Answer } from './monolith.js';

// Whatever a subgraph does: typed errors, right data where there is any, and recovery without a restart of the gateway.

type Fault = (request: IncomingMessage, response: ServerResponse, answer: RequestListener) => void;

const DEADLINE_MS = 600;
const colorOf = (id: string) => (id === '2' ? 'red' : 'blue');
const THINGS = ['1', '2', '3'].map((id) => ({ id, name: `thing ${id}` }));

let graph: Federation;
let fault: Fault | null = null;
/** Requests that reached the door of the subgraph that misbehaves. */
let knocks = 0;
let written = 0;

const door = (subgraph: string, answer: RequestListener): RequestListener => {
  if (subgraph !== 'colors') return answer;
  return (request, response) => {
    knocks += 1;
    if (fault) fault(request, response, answer);
    else answer(request, response);
  };
};

beforeAll(async () => {
  const byId = ({ id }: { id: string }) => THINGS.find((thing) => thing.id === id);
  const composed = compose({
    things: {
      sdl: `
        type Query { things: [Thing!]! thing(id: ID!): Thing }
        type Mutation { keep: Int }
        type Thing @key(fields: "id") { id: ID! name: String! }`,
      resolvers: {
        Query: { things: () => THINGS, thing: (_: unknown, ref: { id: string }) => byId(ref) },
        Mutation: { keep: () => 1 },
        Thing: { __resolveReference: byId },
      },
    },
    colors: {
      sdl: `
        type Query { palette: [String!] ok: Boolean! }
        type Mutation { paint(id: ID!): Thing }
        type Thing @key(fields: "id") { id: ID! color: String sure: String! box: Box tags: [String!] }
        type Box { size: Int! }`,
      resolvers: {
        Query: { palette: () => ['red', 'blue'], ok: () => true },
        Mutation: {
          paint: (_: unknown, { id }: { id: string }) => {
            written += 1;
            if (id === 'none') throw refusal('NO_SUCH_THING');
            return { id };
          },
        },
        Thing: {
          __resolveReference: (reference: object) => reference,
          color: ({ id }: { id: string }) => colorOf(id),
          sure: ({ id }: { id: string }) => `sure ${id}`,
          box: () => ({ size: 3 }),
          tags: ({ id }: { id: string }) => [id],
        },
      },
    },
  });
  graph = await federate(composed, 'over HTTP', {
    door,
    fetch: { queryDeadlineMs: DEADLINE_MS, mutationDeadlineMs: DEADLINE_MS },
  });
});
afterAll(() => graph.close());

const QUERY = '{ things { id name color } palette }';
const WELL = {
  things: THINGS.map(({ id, name }) => ({ id, name, color: colorOf(id) })),
  palette: ['red', 'blue'],
};
const WITHOUT = { things: THINGS.map((thing) => ({ ...thing, color: null })), palette: null };

// The table of schema/README.md: what is not in it was never promised to a client.
const PUBLISHED = new Set(
  readFileSync(join(root, 'schema', 'README.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code)),
);

function expectTyped(answer: Answer): void {
  for (const { message, extensions, path } of answer.errors ?? []) {
    expect(PUBLISHED).toContain(extensions?.['code']);
    expect(message).not.toMatch(/127\.0\.0\.1|localhost|ECONN|socket|JSON|undefined|\bat \w+ \(/i);
    expect(JSON.stringify(extensions)).not.toMatch(/127\.0\.0\.1|stack|_entities|representations/);
    expect((path ?? []).filter((part) => part === '@' || part === '_entities')).toEqual([]);
  }
}

const codes = (answer: Answer) => (answer.errors ?? []).map(({ extensions }) => extensions?.['code']);

/** The gateway finds by itself that the subgraph is well again, its circuit breaker included. */
async function recovered(): Promise<void> {
  fault = null;
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const { data, errors } = await graph.run(QUERY);
    if (errors) continue;
    expect(data).toEqual(WELL);
    return;
  }
  throw new Error('it did not recover');
}

afterEach(recovered);

const json = (body: unknown, status = 200): Fault => raw(JSON.stringify(body), status);
const raw =
  (body: string | Buffer, status = 200, headers: Record<string, string> = {}): Fault =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);

/** Answers as the subgraph does, but changes what it says. */
const changed =
  (change: (answer: { data: Record<string, unknown> }) => unknown): Fault =>
  (request, response, answer) => {
    const end = response.end.bind(response);
    response.end = ((body: string) => end(JSON.stringify(change(JSON.parse(body))))) as typeof response.end;
    answer(request, response);
  };

const entities = (change: (rows: Record<string, unknown>[]) => unknown): Fault =>
  changed(({ data, ...rest }) => {
    const rows = data['_entities'];
    return { ...rest, data: Array.isArray(rows) ? { _entities: change(rows) } : data };
  });

describe('A subgraph that gives no answer', () => {
  it.each<[string, Fault]>([
    ['refuses: it resets the connection', (request) => void request.socket.destroy()],
    ['never answers', () => undefined],
    [
      'stops after its headers',
      (_request, response) => void response.writeHead(200, { 'content-length': '100' }).flushHeaders(),
    ],
    [
      'is cut off in the middle of a body of known length',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"data":{"_entities":[{"color":"re', () => response.destroy());
      },
    ],
    [
      'is cut off in the middle of chunks',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"data":{"_entities":[', () => response.socket?.destroy());
      },
    ],
    [
      'drips so slowly that it never ends in time',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(timer));
      },
    ],
    ['speaks no HTTP', (request) => void request.socket.end('220 mail.example ESMTP\r\n')],
    [
      'is an error page',
      raw('<html><h1>502 Bad Gateway at 127.0.0.1</h1></html>', 502, { 'content-type': 'text/html' }),
    ],
    ['is a login page', raw('<html>sign in</html>', 200, { 'content-type': 'text/html' })],
    ['redirects', (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['says 204', (_request, response) => void response.writeHead(204).end()],
    ['is empty', raw('')],
    ['is JSON that is cut off', raw('{"data":{"_entities":[{"color":"red"}')],
    ['is two JSON documents', raw('{"data":null}{"data":null}')],
    ['is bytes', raw(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x7b]))],
    ['is null', json(null)],
    ['is a text', json('nothing')],
    ['is a list', json([{ data: {} }])],
    ['is an object of something else', json({ hello: 'world', status: 'up' })],
    ['has data that is a list', json({ data: [] })],
    ['has data that is a text', json({ data: 'yes' })],
    ['has errors that are none', json({ errors: 'broken' })],
    ['has errors without messages', json({ data: null, errors: [{ code: 'X' }, null] })],
    ['has errors at places that are none', json({ data: null, errors: [{ message: 'x', path: 'things' }] })],
  ])('or one that is none: it %s', async (_what, failing) => {
    fault = failing;
    const started = performance.now();
    const answer = await graph.run(QUERY);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS * 5);
    expect(answer.data).toEqual(WITHOUT);
    expectTyped(answer);
    expect(new Set(codes(answer))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
    expect(answer.errors?.every(({ extensions }) => extensions?.['transient'] === true)).toBe(true);
  });

  it('leaves the answers of the others whole, and takes with it what was promised', async () => {
    fault = () => undefined;
    const [alone, promised, one] = await Promise.all([
      graph.run('{ things { id name } }'),
      graph.run('{ things { id sure } }'),
      graph.run('{ x: thing(id: "1") { name s: sure } y: thing(id: "2") { name } }'),
    ]);
    expect(alone).toEqual({ data: { things: THINGS } });
    expect(promised.data).toBeNull();
    expect(one.data).toEqual({ x: null, y: { name: 'thing 2' } });
    for (const answer of [promised, one]) {
      expectTyped(answer);
      expect(codes(answer)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    }
  });

  it('is refused at once after many failures, and the others are not slowed by it', async () => {
    fault = (request) => void request.socket.destroy();
    for (let round = 0; round < 6; round += 1) await graph.run(QUERY);
    const before = knocks;
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => graph.run(QUERY)));
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS * 10);
    for (const answer of answers) expect(answer.data).toEqual(WITHOUT);
    expect(knocks - before).toBeLessThan(20);
  });
});

describe('A subgraph that answers late', () => {
  it('but in time is right', async () => {
    fault = (request, response, answer) => void setTimeout(() => answer(request, response), DEADLINE_MS / 4);
    expect(await graph.run(QUERY)).toEqual({ data: WELL });
  });

  it('once, to the first of two questions, confuses neither with the other', async () => {
    let first = true;
    fault = (request, response, answer) => {
      const delay = first ? DEADLINE_MS / 3 : 0;
      first = false;
      setTimeout(() => answer(request, response), delay);
    };
    const [one, two] = await Promise.all([
      graph.run('{ thing(id: "1") { color } }'),
      graph.run('{ thing(id: "2") { color } }'),
    ]);
    expect([one, two]).toEqual([{ data: { thing: { color: 'blue' } } }, { data: { thing: { color: 'red' } } }]);
  });
});

describe('A subgraph whose status or content type does not fit', () => {
  it.each<[string, Fault]>([
    ['500 with a whole answer', (request, response, answer) => answer(request, withStatus(response, 500))],
    ['a text type', (request, response, answer) => answer(request, withStatus(response, 200, 'text/plain'))],
    [
      'the type of GraphQL',
      (request, response, answer) => answer(request, withStatus(response, 200, 'application/graphql-response+json')),
    ],
  ])('is believed when its body is an answer: %s', async (_what, odd) => {
    fault = odd;
    expect(await graph.run(QUERY)).toEqual({ data: WELL });
  });
});

function withStatus(response: ServerResponse, status: number, type = 'application/json'): ServerResponse {
  const write = response.writeHead.bind(response);
  response.writeHead = (() => write(status, { 'content-type': type })) as typeof response.writeHead;
  return response;
}

describe('A subgraph that answers with other entities than it was asked for', () => {
  it.each<[string, Fault]>([
    ['none', entities(() => [])],
    ['too few', entities((rows) => rows.slice(1))],
    ['too many', entities((rows) => [...rows, ...rows])],
    ['null without a reason', entities(() => null)],
    ['an object', entities((rows) => ({ ...rows }))],
    ['a text', entities(() => 'entities')],
  ])('is not believed, or one row’s facts would stand in another: %s', async (_what, wrong) => {
    fault = wrong;
    const answer = await graph.run('{ things { id name color } }');
    expect(answer.data).toEqual({ things: WITHOUT.things });
    expectTyped(answer);
    expect(new Set(codes(answer))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  });

  it.each<[string, (row: Record<string, unknown>) => unknown, unknown]>([
    ['null', () => null, null],
    ['without its fields', () => ({}), null],
    ['with more than was asked for', (row) => ({ ...row, secret: 1, more: { of: 'it' } }), 'red'],
    [
      'that would reach for prototypes',
      (row) => JSON.parse(`{"__proto__":{"name":"forged"},"constructor":1,"color":"${row['color']}"}`),
      'red',
    ],
  ])('in one row only, is heard for the others: a row %s', async (_what, spoil, color) => {
    fault = entities((rows) => rows.map((row, index) => (index === 1 ? spoil(row) : row)));
    const answer = await graph.run('{ things { id name color } }');
    expect(answer.data).toEqual({
      things: WELL.things.map((thing) => (thing.id === '2' ? { ...thing, color } : thing)),
    });
    expectTyped(answer);
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['a text where an object belongs', 'box', 'box { size }'],
    ['a number where an object belongs', 5, 'box { size }'],
    ['a list where an object belongs', [{ size: 1 }], 'box { size }'],
    ['an object where a list belongs', { 0: 'x' }, 'tags'],
    ['a text where a list belongs', 'tags', 'tags'],
    ['an object where a text belongs', { a: 1 }, 'color'],
    ['a list where a text belongs', ['a'], 'color'],
  ])(
    'or with values of another shape has errors there, and nothing that the schema does not allow: %s',
    async (_what, value, selection) => {
      const [field = ''] = selection.split(' ');
      fault = entities((rows) => rows.map((row, index) => (index === 1 ? { ...row, [field]: value } : row)));
      const answer = await graph.run(`{ things { id ${selection} } }`);
      const rows = answer.data?.['things'] as Record<string, unknown>[];
      expect(rows[1]).toEqual({ id: '2', [field]: null });
      expect(rows[0]?.[field]).not.toBeNull();
      expectTyped(answer);
      expect(answer.errors?.map(({ path }) => path?.slice(0, 3))).toEqual([['things', 1, field]]);
    },
  );
});

describe('Errors of a subgraph that lie', () => {
  it.each<[string, unknown]>([
    ['of a row that was not asked for', ['_entities', 99, 'color']],
    ['of a row that is no number', ['_entities', 'x', 'color']],
    ['below a text', ['_entities', 0, 'color', 'deeper', 3]],
    ['of no place', []],
    ['of nowhere', undefined],
    ['of the whole', ['_entities']],
    ['of another field', ['nothing', 'here']],
  ])('about their place do not spoil the data, nor show the fetch: %s', async (_what, path) => {
    fault = changed((answer) => ({
      ...answer,
      errors: [{ message: 'a warning', ...(path !== undefined && { path }), extensions: { code: 'FORBIDDEN' } }],
    }));
    const answer = await graph.run('{ things { id name color } }');
    expect(answer.data).toEqual({ things: WELL.things });
    expect(codes(answer)).toEqual(['FORBIDDEN']);
    expect(JSON.stringify(answer.errors)).not.toMatch(/_entities|"@"/);
  });

  it('about their code, or have none, are masked', async () => {
    for (const extensions of [
      null,
      {},
      { code: 5 },
      { code: null },
      'text',
      { code: 'INTERNAL_SERVER_ERROR', stack: 'x' },
    ]) {
      fault = changed((answer) => ({ ...answer, errors: [{ message: 'at 127.0.0.1', extensions }] }));
      const answer = await graph.run('{ palette }');
      expect(codes(answer)).toEqual(['INTERNAL_SERVER_ERROR']);
      expectTyped(answer);
    }
  });
});

describe('A mutation', () => {
  it.each<[string, Fault]>([
    ['is reset', (request) => void request.socket.destroy()],
    ['is never answered', () => undefined],
    [
      'is answered too late',
      (request, response, answer) => void setTimeout(() => answer(request, response), DEADLINE_MS * 1.5),
    ],
    [
      'took effect, and its answer was cut off',
      (request, response, answer) => {
        response.end = (() => response.destroy()) as typeof response.end;
        answer(request, response);
      },
    ],
    ['is answered with garbage', raw('garbage')],
  ])('is sent once, and its outcome is unknown, when it %s', async (_what, failing) => {
    await recovered();
    fault = failing;
    const before = knocks;
    const answer = await graph.run('mutation { keep paint(id: "1") { name color } }');
    await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS));
    expect(knocks - before).toBe(1);
    expect(answer.data).toEqual({ keep: 1, paint: null });
    expectTyped(answer);
    expect(answer.errors?.map(({ extensions }) => extensions)).toEqual([
      { code: 'SUBGRAPH_UNAVAILABLE', transient: true, details: { service: 'colors', outcome: 'UNKNOWN' } },
    ]);
    // The fetch may hold several fields: no place is named, or the right one.
    expect([undefined, ['paint']]).toContainEqual(answer.errors?.[0]?.path);
  });

  it('that was refused is known to be, and is not sent again', async () => {
    const before = written;
    const answer = await graph.run('mutation { paint(id: "none") { name } }');
    expect(codes(answer)).toEqual(['NO_SUCH_THING']);
    expect(written - before).toBe(1);
  });
});

describe('A subgraph that restarts', () => {
  it('is not answering meanwhile, and is found again by itself', async () => {
    await graph.run(QUERY);
    await graph.stop('colors');
    const meanwhile = await graph.run(QUERY);
    expect(meanwhile.data).toEqual(WITHOUT);
    expect(new Set(codes(meanwhile))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
    expectTyped(meanwhile);
    await graph.start('colors');
    await recovered();
  });

  it('between two questions is not noticed: connections that it closed are not used', async () => {
    for (let round = 0; round < 5; round += 1) {
      expect(await graph.run(QUERY)).toEqual({ data: WELL });
      await graph.stop('colors');
      await graph.start('colors');
    }
    expect(await graph.run(QUERY)).toEqual({ data: WELL });
  });

  it('under load gives right answers or typed errors, never a mixture', async () => {
    let running = true;
    const answers: Answer[] = [];
    const asking = Array.from({ length: 8 }, async () => {
      while (running) answers.push(await graph.run(QUERY));
    });
    for (let round = 0; round < 3; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await graph.stop('colors');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await graph.start('colors');
    }
    running = false;
    await Promise.all(asking);
    expect(answers.length).toBeGreaterThan(8);
    for (const answer of answers) {
      expectTyped(answer);
      const things = [WELL.things, WITHOUT.things].map((each) => JSON.stringify(each));
      expect(things).toContain(JSON.stringify(answer.data?.['things']));
      expect([WELL.palette, null]).toContainEqual(answer.data?.['palette']);
      if (!answer.errors) expect(answer.data).toEqual(WELL);
    }
  });
});

describe('A subgraph that fails every second time, in every way', () => {
  it('gives no wrong answer to anybody, and is well when it is well', async () => {
    const ways: readonly Fault[] = [
      (request) => void request.socket.destroy(),
      raw('<html>', 502),
      json({ data: [] }),
      entities((rows) => rows.slice(1)),
      (_request, response) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('{"data":', () => response.destroy());
      },
    ];
    let count = 0;
    fault = (request, response, answer) => {
      count += 1;
      const way = ways[(count / 2) % ways.length];
      if (count % 2 === 0 && way) way(request, response, answer);
      else answer(request, response);
    };
    const ids = Array.from({ length: 120 }, (_, index) => String((index % 3) + 1));
    const answers = await Promise.all(
      ids.map((id) => graph.run('query ($id: ID!) { thing(id: $id) { id name color sure } }', { id })),
    );
    for (const [index, answer] of answers.entries()) {
      const id = ids[index] ?? '';
      expectTyped(answer);
      // `sure` is promised: without it there is no thing.
      const whole = { id, name: `thing ${id}`, color: colorOf(id), sure: `sure ${id}` };
      expect([whole, null]).toContainEqual(answer.data?.['thing']);
      expect(answer.data?.['thing'] === null).toBe(answer.errors !== undefined);
    }
    expect(answers.some(({ errors }) => !errors)).toBe(true);
  });
});

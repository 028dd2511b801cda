import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Arg, Ctx, Directive, Field, ID, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import { ConflictError, InvalidError, NotFoundError, UnavailableError } from '../../../../subgraphs/kernel/error.js';
import { connectionType } from '../../../../subgraphs/kernel/graphql/connection.js';
import { MoneyInput, MoneyType } from '../../../../subgraphs/kernel/graphql/money.type.js';
import { overHttp, SubgraphClient, wireMoney } from '../../../../subgraphs/kernel/graphql/subgraph.client.js';
import { inProcess, type Subgraph, type SubgraphTransport } from '../../../../subgraphs/kernel/graphql/subgraph.js';
import { buildSubgraph } from '../../../../subgraphs/kernel/graphql/subgraph.schema.js';
import { type RunningServer, serveSubgraph } from '../../../../subgraphs/kernel/graphql/subgraph.server.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { Principal } from '../../../../subgraphs/kernel/principal.js';
import {
  newSigningKey,
  PRINCIPAL_HEADER,
  PrincipalSigner,
  PrincipalVerifier,
} from '../../../../subgraphs/kernel/principal.token.js';
import { currentRequest } from '../../../../subgraphs/kernel/telemetry.js';

interface TestContext {
  readonly principal: Principal;
}

@Directive('@key(fields: "id")')
@ObjectType('Thing', { description: 'A thing.' })
class Thing {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => Date, { description: 'When.' })
  at!: Date;
}

const Things = connectionType('Thing', () => Thing);
const thing = (id: string): Thing => ({ id, at: new Date('2026-01-01T00:00:00Z') });

@Resolver()
class TestResolver {
  @Query(() => String)
  whoami(@Ctx() { principal }: TestContext): string {
    return `${principal.kind}:${principal.subject}`;
  }

  @Query(() => String, { nullable: true })
  requestId(): string | null {
    return currentRequest.getStore()?.requestId ?? null;
  }

  @Query(() => MoneyType)
  half(@Arg('money', () => MoneyInput) money: MoneyInput): MoneyType {
    return MoneyType.of(Money.parse(money.amount, money.currencyCode).share(1n, 2n));
  }

  @Query(() => Things)
  things(): unknown {
    return { nodes: [thing('1')], edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } };
  }

  @Query(() => String, { nullable: true })
  fail(@Arg('how', () => String) how: string): string {
    if (how === 'conflict') throw new ConflictError('CHECKOUT_EXPIRED', 'Too late.', { checkout: 'chk_1' });
    if (how === 'missing') throw new NotFoundError();
    if (how === 'unavailable') throw new UnavailableError('RATE_UNAVAILABLE', 'No rate.');
    if (how === 'null') throw null;
    throw new Error(`select * from secret_table at 10.0.0.7: ${how}`);
  }

  @Mutation(() => Boolean)
  touch(@Ctx() { principal }: TestContext): boolean {
    principal.requireService('payments');
    return true;
  }
}

const keys = { gateway: newSigningKey(), payments: newSigningKey() };
const verifier = new PrincipalVerifier({ gateway: keys.gateway.publicKey, payments: keys.payments.publicKey });
const gateway = new PrincipalSigner('gateway', keys.gateway.privateKey);
const payments = new PrincipalSigner('payments', keys.payments.privateKey);
const logged: string[] = [];
const logger = pino(
  { level: 'warn' },
  new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  }),
);
let isReady = true;

let subgraph: Subgraph;
let server: RunningServer;
let http: ReturnType<typeof overHttp>;
let ways: readonly (readonly [string, SubgraphTransport])[];

beforeAll(async () => {
  const references = {
    Thing: (reference: Record<string, string>) => (reference['id'] === 'none' ? null : thing(reference['id'] ?? '')),
  };
  subgraph = {
    ...(await buildSubgraph<TestContext>([TestResolver], references)),
    name: 'fx',
    logger,
    routes: [
      {
        method: 'POST',
        path: '/notifications/test',
        answer: async ({ headers, body }) => ({
          status: 202,
          body: `${headers['x-signature']} ${body.toString('hex')}`,
        }),
      },
      { method: 'GET', path: '/broken', answer: () => Promise.reject(new Error('broken')) },
    ],
    contextFor: async (headers) => ({ principal: await verifier.verify(headers[PRINCIPAL_HEADER]) }),
    migrate: async () => undefined,
    start: async () => undefined,
    ready: async () => {
      if (!isReady) throw new Error('database at 10.0.0.7 is away');
    },
    close: async () => undefined,
  };
  server = await serveSubgraph(subgraph, { host: '127.0.0.1', port: 0, metrics: new Registry() });
  http = overHttp(`${server.url}/graphql`);
  ways = [
    ['in process', inProcess(subgraph)],
    ['over HTTP', http],
  ];
});
afterAll(async () => {
  await http.close();
  await server.close();
});

type Ask = { query: string; variables?: Record<string, unknown>; operationName?: string };

/** The same answer both ways, without what is drawn for each request. */
async function both(request: Ask, token?: string) {
  const headers = { [PRINCIPAL_HEADER]: token ?? (await gateway.sign(Principal.anonymous())) };
  const answers = await Promise.all(ways.map(([, ask]) => ask({ ...request, headers })));
  const [local, remote] = answers.map((answer) => {
    const plain = JSON.parse(JSON.stringify(answer)) as { errors?: { extensions?: { correlationId?: string } }[] };
    for (const error of plain.errors ?? [])
      if (error.extensions?.correlationId) error.extensions.correlationId = 'drawn';
    return plain;
  });
  expect(remote).toEqual(local);
  return local as {
    data?: Record<string, unknown> | null;
    errors?: { message: string; path?: unknown; extensions: Record<string, unknown> }[];
  };
}

const fail = (how: string) => both({ query: `{ fail(how: "${how}") whoami }` });

describe('a subgraph', () => {
  it('answers in process exactly as over HTTP', async () => {
    expect(await both({ query: '{ whoami }' })).toEqual({ data: { whoami: 'ANONYMOUS:' } });
    const variables = { money: { amount: '25.01', currencyCode: 'USD' } };
    const query =
      'query A($money: MoneyInput!) { half(money: $money) { amount currencyCode formatted } } query B { whoami }';
    expect(await both({ query, variables, operationName: 'A' })).toEqual({
      data: { half: { amount: '12.50', currencyCode: 'USD', formatted: '$12.50' } },
    });
    expect(
      await both({ query: '{ things { nodes { id at } edges { cursor } pageInfo { hasNextPage } } }' }),
    ).toMatchObject({
      data: { things: { nodes: [{ id: '1', at: '2026-01-01T00:00:00.000Z' }] } },
    });
    expect(await both({ query: 'mutation { touch }' }, await payments.sign(Principal.service('payments')))).toEqual({
      data: { touch: true },
    });
  });

  it('resolves references, null where there is nothing', async () => {
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id at } } }';
    const r = [
      { __typename: 'Thing', id: 'a' },
      { __typename: 'Thing', id: 'none' },
    ];
    expect(await both({ query, variables: { r } })).toEqual({
      data: { _entities: [{ id: 'a', at: '2026-01-01T00:00:00.000Z' }, null] },
    });
  });

  it('tells its schema to a composer', async () => {
    const { data } = await both({ query: '{ _service { sdl } }' });
    const { sdl } = (data?.['_service'] ?? {}) as { sdl: string };
    expect(() => parse(sdl)).not.toThrow();
    for (const part of ['@key(fields: "id")', 'type Money @shareable', 'federation/v2.9']) expect(sdl).toContain(part);
  });

  it.each([
    ['no principal', async () => ''],
    ['garbage', async () => 'x.y.z'],
    [
      'a forged principal',
      async () => new PrincipalSigner('gateway', newSigningKey().privateKey).sign(Principal.anonymous()),
    ],
    ['a service that speaks for others', async () => payments.sign(Principal.anonymous())],
  ])('refuses %s', async (_, token) => {
    const { data, errors } = await both({ query: '{ whoami }' }, await token());
    expect(data).toBeUndefined();
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'UNAUTHENTICATED', transient: false }]);
  });

  it('shows the code, message and details of its own errors, with partial data and the path', async () => {
    expect(await fail('conflict')).toEqual({
      data: { fail: null, whoami: 'ANONYMOUS:' },
      errors: [
        {
          message: 'Too late.',
          locations: [{ line: 1, column: 3 }],
          path: ['fail'],
          extensions: { code: 'CHECKOUT_EXPIRED', transient: false, details: { checkout: 'chk_1' } },
        },
      ],
    });
    expect((await fail('missing')).errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND', transient: false });
    expect((await fail('unavailable')).errors?.[0]?.extensions).toEqual({ code: 'RATE_UNAVAILABLE', transient: true });
  });

  it('hides everything else behind a correlation id under which the log has the truth', async () => {
    for (const how of ['x', 'null']) {
      logged.length = 0;
      const answer = await fail(how);
      expect(answer.errors?.[0]?.extensions).toEqual({
        code: 'INTERNAL_SERVER_ERROR',
        transient: true,
        correlationId: 'drawn',
      });
      expect(JSON.stringify(answer)).not.toMatch(/secret_table|10\.0\.0\.7|stack|\n\s+at /);
    }
    logged.length = 0;
    const headers = { [PRINCIPAL_HEADER]: await gateway.sign(Principal.anonymous()), 'x-request-id': 'req-7' };
    for (const [, ask] of ways) {
      const { errors } = await ask({ query: '{ fail(how: "x") }', headers });
      expect(errors?.[0]?.extensions?.['correlationId']).toBe('req-7');
    }
    expect(logged).toHaveLength(2);
    for (const line of logged)
      expect(JSON.parse(line)).toMatchObject({
        correlationId: 'req-7',
        err: { message: expect.stringContaining('secret_table') },
      });
  });

  it('says what is wrong with a malformed request', async () => {
    const codeOf = async (query: string, variables?: Record<string, unknown>) =>
      (await both({ query, variables })).errors?.[0]?.extensions['code'];
    expect(await codeOf('{ nothing }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await codeOf('{ ')).toBe('GRAPHQL_PARSE_FAILED');
    expect(await codeOf('query ($m: MoneyInput!) { half(money: $m) { amount } }', { m: { amount: 5 } })).toBe(
      'BAD_USER_INPUT',
    );
    expect(await codeOf('{ half(money: { amount: "1.001", currencyCode: "USD" }) { amount } }')).toBe('INVALID_MONEY');
  });

  it('knows the request it works for', async () => {
    const headers = { [PRINCIPAL_HEADER]: await gateway.sign(Principal.anonymous()), 'x-request-id': 'req-1' };
    for (const [, ask] of ways)
      expect((await ask({ query: '{ requestId }', headers })).data).toEqual({ requestId: 'req-1' });
    expect(
      await inProcess(subgraph)({ query: '{ requestId }', headers: { [PRINCIPAL_HEADER]: headers[PRINCIPAL_HEADER] } }),
    ).toEqual({
      data: { requestId: null },
    });
  });
});

describe('serveSubgraph', () => {
  it('tells whether it lives and whether it is ready, without saying why not', async () => {
    const get = async (path: string) => {
      const response = await fetch(`${server.url}${path}`);
      return [response.status, await response.text()];
    };
    expect(await get('/health/live')).toEqual([200, 'ok']);
    expect(await get('/health/ready')).toEqual([200, 'ok']);
    isReady = false;
    expect(await get('/health/ready')).toEqual([503, 'not ready']);
    isReady = true;
    expect((await get('/metrics'))[0]).toBe(200);
    expect(await get('/elsewhere')).toEqual([404, '']);
    expect((await get('/graphql?query={whoami}'))[0]).toBe(404);
    expect(await get('/broken')).toEqual([500, '']);
  });

  it('hands raw routes the exact bytes', async () => {
    const response = await fetch(`${server.url}/notifications/test`, {
      method: 'POST',
      body: new Uint8Array([0, 255, 10]),
      headers: { 'x-signature': 's' },
    });
    expect([response.status, await response.text()]).toEqual([202, 's 00ff0a']);
  });

  it('refuses what is not JSON, and what is larger than anyone needs', async () => {
    let signed: Record<string, string> = { [PRINCIPAL_HEADER]: await gateway.sign(Principal.anonymous()) };
    const post = async (body: string, path = '/graphql') => {
      const response = await fetch(`${server.url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...signed },
      });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await post('{')).toBe(400);
    expect(await post('"text"')).toBe(400);
    expect(await post(' '.repeat(1024 * 1024 + 1)).catch(() => 413)).toBe(413);
    expect(await post(' '.repeat(1024 * 1024 + 1), '/notifications/test').catch(() => 413)).toBe(413);
    // It lives on.
    expect(await post('{"query":"{ whoami }"}')).toBe(200);
    signed = {};
    expect(await post('{"query":"{ whoami }"}')).toBe(401);
  });

  it('says so when its port is taken', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveSubgraph(subgraph, { host: '127.0.0.1', port, metrics: new Registry() })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('SubgraphClient', () => {
  const servers: Server[] = [];
  afterAll(async () => {
    for (const each of servers) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  });

  /** A server that answers whatever it is told. */
  async function stub(status: number, body: string | null): Promise<SubgraphTransport> {
    const stubbed = createServer((request, response) => {
      request.resume();
      if (body === null) return;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    });
    servers.push(stubbed);
    await new Promise<void>((resolve) => stubbed.listen(0, '127.0.0.1', resolve));
    return overHttp(`http://127.0.0.1:${(stubbed.address() as AddressInfo).port}/graphql`);
  }

  const unavailable = expect.objectContaining({
    code: 'SUBGRAPH_UNAVAILABLE',
    kind: 'Unavailable',
    transient: true,
    details: { service: 'fx' },
  });
  const shape = z.object({ whoami: z.string() });

  it('asks in its own name, and hands on the request id', async () => {
    for (const [, transport] of ways) {
      const client = new SubgraphClient('fx', transport, payments);
      expect(await client.ask('{ whoami }', {}, shape)).toEqual({ whoami: 'SERVICE:payments' });
      const asked = currentRequest.run({ requestId: 'req-9' }, () =>
        client.ask('{ requestId }', {}, z.object({ requestId: z.string() })),
      );
      expect(await asked).toEqual({ requestId: 'req-9' });
    }
  });

  it('reads money exactly', async () => {
    const client = new SubgraphClient('fx', http, payments);
    const answer = await client.ask(
      '{ half(money: { amount: "20.02", currencyCode: "USD" }) { amount currencyCode } }',
      {},
      z.object({ half: wireMoney }),
    );
    expect(answer.half.equals(Money.of(1001n, 'USD'))).toBe(true);
  });

  it('throws what the subgraph threw, by its code', async () => {
    for (const [, transport] of ways) {
      const client = new SubgraphClient('fx', transport, payments);
      const failing = (how: string) =>
        client.ask('query ($how: String!) { fail(how: $how) }', { how }, z.object({ fail: z.string() }));
      await expect(failing('conflict')).rejects.toMatchObject({
        code: 'CHECKOUT_EXPIRED',
        message: 'Too late.',
        details: { checkout: 'chk_1' },
        transient: false,
      });
      await expect(failing('missing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(failing('unavailable')).rejects.toMatchObject({ code: 'RATE_UNAVAILABLE', transient: true });
      await expect(failing('boom')).rejects.toEqual(unavailable);
    }
  });

  it.each([
    ['not JSON', 200, '<html>'],
    ['nothing', 200, ''],
    ['no GraphQL', 200, '[1]'],
    ['an error page', 502, '{"message":"bad gateway"}'],
    ['no data', 200, '{"data":null}'],
    ['another shape', 200, '{"data":{"whoami":5}}'],
    ['an error without a code', 200, '{"errors":[{"message":"x"}]}'],
  ])('is told %s: the subgraph is unavailable', async (_, status, body) => {
    const client = new SubgraphClient('fx', await stub(status, body), payments);
    await expect(client.ask('{ whoami }', {}, shape)).rejects.toEqual(unavailable);
  });

  it('waits no longer than its deadline, and says nothing of the address', async () => {
    const silentServer = new SubgraphClient('fx', await stub(200, null), payments, 100);
    const startedAt = Date.now();
    await expect(silentServer.ask('{ whoami }', {}, shape)).rejects.toEqual(unavailable);
    expect(Date.now() - startedAt).toBeLessThan(1_500);
    const nobody = new SubgraphClient('fx', overHttp('http://127.0.0.1:1/graphql'), payments);
    const thrown = await nobody.ask('{ whoami }', {}, shape).catch((error: unknown) => error as InvalidError);
    expect(thrown).toEqual(unavailable);
    expect((thrown as InvalidError).message).not.toContain('127.0.0.1');
  });

  it('waits no longer than its deadline in process either', async () => {
    const stuck: SubgraphTransport = () => new Promise(() => undefined);
    const client = new SubgraphClient('fx', stuck, payments, 100);
    await expect(client.ask('{ whoami }', {}, shape)).rejects.toEqual(unavailable);
  });
});

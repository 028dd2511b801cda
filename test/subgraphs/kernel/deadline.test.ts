import { once } from 'node:events';
import { request as send } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { buildSchema } from 'graphql';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { DEADLINE_HEADER, msLeft, withDeadline, withoutDeadline } from '../../../subgraphs/kernel/deadline.js';
import { overHttp, SubgraphClient } from '../../../subgraphs/kernel/graphql/subgraph.client.js';
import { inProcess, type Subgraph, type SubgraphRequest } from '../../../subgraphs/kernel/graphql/subgraph.js';
import { type RunningServer, serveSubgraph } from '../../../subgraphs/kernel/graphql/subgraph.server.js';
import { newSigningKey, PrincipalSigner } from '../../../subgraphs/kernel/principal.token.js';
import { silent } from '../../support/logger.js';

const signer = new PrincipalSigner('payments', newSigningKey().privateKey);
const answer = z.object({ touch: z.number() });

let touched: number[];
let contextMs: number;
let server: RunningServer;
let http: ReturnType<typeof overHttp>;
const schema = buildSchema('type Query { touch: Float! }');
// Never infinite in an answer: JSON has no word for it.
Object.assign(schema.getQueryType()?.getFields()['touch'] ?? {}, {
  resolve: () => {
    const left = Math.min(msLeft(), 1e9);
    touched.push(left);
    return left;
  },
});
const subgraph: Subgraph = {
  schema,
  typeDefs: { kind: 'Document' as never, definitions: [] },
  name: 'fx',
  logger: silent,
  routes: [],
  contextFor: async () => {
    await delay(contextMs);
    return {};
  },
  migrate: async () => undefined,
  start: async () => undefined,
  ready: async () => undefined,
  close: async () => undefined,
};
const local = inProcess(subgraph);

beforeAll(async () => {
  server = await serveSubgraph(subgraph, { host: '127.0.0.1', port: 0, metrics: new Registry() });
  http = overHttp(`${server.url}/graphql`);
});
afterAll(async () => {
  await http.close();
  await server.close();
});
beforeEach(() => {
  touched = [];
  contextMs = 0;
});

const ways = [
  ['in process', (request: SubgraphRequest) => local(request)],
  ['over HTTP', (request: SubgraphRequest) => http(request)],
] as const;

describe('A request', () => {
  it.each(ways)('is run %s while somebody waits for it, and knows for how long', async (_way, ask) => {
    const { data } = await ask({ query: '{ touch }', headers: { [DEADLINE_HEADER]: '5000' } });
    expect(data?.['touch']).toBeGreaterThan(0);
    expect(data?.['touch']).toBeLessThanOrEqual(5_000);
  });

  it.each(ways)('is not run %s when its deadline has passed before it could begin', async (_way, ask) => {
    contextMs = 120;
    const { data, errors } = await ask({ query: '{ touch }', headers: { [DEADLINE_HEADER]: '40' } });
    expect(data ?? null).toBeNull();
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'SUBGRAPH_UNAVAILABLE', transient: true }]);
    expect(touched).toEqual([]);
  });

  it('is late from its first byte on, not from its last', async () => {
    const headers = { 'content-type': 'application/json', [DEADLINE_HEADER]: '60' };
    const sending = send(`${server.url}/graphql`, { method: 'POST', headers });
    sending.write('{"query":');
    await delay(200);
    sending.end('"{ touch }"}');
    const [response] = await once(sending, 'response');
    response.resume();
    expect(response.statusCode).toBe(503);
    expect(touched).toEqual([]);
  });

  it.each([undefined, '', 'soon', '-5', '1e3', '99999999999'])(
    'that says nothing of how long, or nonsense, is waited for without an end: %s',
    async (header) => {
      for (const [, ask] of ways) await ask({ query: '{ touch }', headers: { [DEADLINE_HEADER]: header } });
      expect(touched).toEqual([1e9, 1e9]);
    },
  );
});

describe('A call to another subgraph', () => {
  const passed: string[] = [];
  const client = new SubgraphClient(
    'fx',
    (request) => {
      passed.push(request.headers[DEADLINE_HEADER] ?? '');
      return local(request);
    },
    signer,
    3_000,
  );
  const ask = () => client.ask('{ touch }', {}, answer);
  beforeEach(() => {
    passed.length = 0;
  });

  it('passes on its own deadline where nobody waits for its caller', async () => {
    await ask();
    await withDeadline('50000', ask);
    expect(passed).toEqual(['3000', '3000']);
  });

  it('passes on no more than what is left to its caller', async () => {
    await withDeadline('1000', async () => {
      await delay(100);
      await ask();
    });
    expect(passed).toHaveLength(1);
    expect(Number(passed[0])).toBeGreaterThan(0);
    expect(Number(passed[0])).toBeLessThanOrEqual(901);
  });

  it('is not made when nothing is left', async () => {
    const late = withDeadline('20', async () => {
      await delay(60);
      return ask();
    });
    await expect(late).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE', details: { service: 'fx' } });
    expect(passed).toEqual([]);
  });

  it('ends with the caller, not with its own deadline', async () => {
    const stuck = new SubgraphClient('fx', () => new Promise(() => undefined), signer, 60_000);
    const started = performance.now();
    const asking = withDeadline('100', () => stuck.ask('{ touch }', {}, answer));
    await expect(asking).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('is as patient as by itself in work that outlives its caller', async () => {
    await withDeadline('20', () =>
      withoutDeadline(async () => {
        await delay(60);
        await ask();
      }),
    );
    expect(passed).toEqual(['3000']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, type SmallGraph, smallGraph } from '../support/small-graph.js';

let graph: SmallGraph;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true, corsOrigins: ['https://app.example'] });
});
afterAll(() => graph.close());

const preflight = (origin: string) =>
  fetch(`${graph.url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
      'access-control-request-private-network': 'true',
    },
  });

describe('CORS', () => {
  it.each(['https://studio.apollographql.com', 'https://app.example', 'http://localhost:5173'])(
    'lets %s in, also into a private network',
    async (origin) => {
      const { status, headers } = await preflight(origin);
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-allow-headers')).toBe('content-type,authorization');
      expect(headers.get('access-control-allow-private-network')).toBe('true');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      const answer = await ask(graph, '{ whoami }', { headers: { origin } });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('vary')).toContain('origin');
    },
  );

  it.each(['https://evil.example', 'https://app.example.evil.example', 'null'])('keeps %s out', async (origin) => {
    const { headers } = await preflight(origin);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('access-control-allow-headers')).toBeNull();
  });

  it('knows neither Sandbox nor this machine in production', async () => {
    const production = await smallGraph({ inProcess: true, development: false });
    try {
      for (const origin of ['https://studio.apollographql.com', 'http://localhost:5173']) {
        const answer = await fetch(`${production.url}/graphql`, { method: 'OPTIONS', headers: { origin } });
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
    } finally {
      await production.close();
    }
  });
});

describe('The pages', () => {
  it('show Apollo Sandbox at /, asking /graphql for everything, subscriptions too', async () => {
    const page = await (await fetch(graph.url)).text();
    expect(page).toContain('embeddable-sandbox.cdn.apollographql.com');
    expect(page).toContain("location.origin + '/graphql'");
    expect(page).toContain('initialSubscriptionEndpoint');
    const headers = { accept: 'text/html' };
    const visited = await fetch(`${graph.url}/graphql`, { headers, redirect: 'manual' });
    expect(visited.headers.get('location')).toBe('/');
  });

  it('answer anything else with 404, and a target that is no path without falling over', async () => {
    expect((await fetch(`${graph.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${graph.url}//`)).status).toBeGreaterThanOrEqual(200);
  });

  it('mint a request id where the client has none or a strange one', async () => {
    const minted = (await fetch(`${graph.url}/health/live`)).headers.get('x-request-id');
    expect(minted).toMatch(/^[0-9a-f-]{36}$/);
    const headers = { 'x-request-id': 'a b<script>' };
    const strange = (await fetch(`${graph.url}/health/live`, { headers })).headers.get('x-request-id');
    expect(strange).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('The metrics', () => {
  it('count operations by name, refusals by code and fetches by subgraph', async () => {
    await ask(graph, 'query Named { whoami }');
    await ask(graph, 'query Named { broken }');
    await ask(graph, '{ whoami }', { token: 'Bearer x.y.z' });
    const metrics = await (await fetch(`${graph.url}/metrics`)).text();
    expect(metrics).toContain('gateway_requests_total{operation="Named",type="query",outcome="ok"} 1');
    expect(metrics).toContain('gateway_requests_total{operation="Named",type="query",outcome="error"} 1');
    expect(metrics).toContain('gateway_refusals_total{code="UNAUTHENTICATED"} 1');
    expect(metrics).toMatch(/gateway_subgraph_fetch_seconds_count\{subgraph="payments",outcome="ok"\} [1-9]/);
  });

  it('do not grow with the names that clients make up', async () => {
    for (let n = 0; n < 260; n += 1) await ask(graph, `query Made${n} { __typename }`);
    const metrics = await (await fetch(`${graph.url}/metrics`)).text();
    expect(metrics.match(/gateway_requests_total\{operation="Made/g)?.length).toBeLessThanOrEqual(200);
    expect(metrics).toMatch(/gateway_requests_total\{operation="other",type="query",outcome="ok"\} [1-9]/);
  });
});

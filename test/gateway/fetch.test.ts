import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, type Fault, type SmallGraph, smallGraph } from '../support/small-graph.js';

const QUERY = '{ payments(first: 2) { id merchant { name } } }';
const ONE = '{ payment(id: "pay_1") { id merchant { name } } }';

describe('A subgraph that does not answer', () => {
  let graph: SmallGraph;
  let token: string;
  beforeEach(async () => {
    graph = await smallGraph({ fetch: { queryDeadlineMs: 400, mutationDeadlineMs: 300 } });
    token = await graph.token('TRAVELER', 'trv_us_one');
  });
  afterEach(() => graph.close());

  it.each<Fault>(['refuse', 'hang', 'html', 'not-graphql', 'cut', 'wrong-entities'])(
    'is SUBGRAPH_UNAVAILABLE when it does this: %s; it gives away no inner name, and the answer comes in time',
    async (fault) => {
      graph.fault = fault;
      const started = performance.now();
      const { data, errors, status } = await ask(graph, QUERY, { token });
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(status).toBe(200);
      expect(data).toBeNull();
      expect(errors?.map((error) => error.extensions)).toEqual([
        { code: 'SUBGRAPH_UNAVAILABLE', transient: true, details: { service: 'merchants' } },
      ]);
      expect(JSON.stringify(errors)).not.toMatch(/inner|127\.0\.0\.1|http/);
    },
  );

  it('has its error at the place that it was asked for, where there is one place', async () => {
    graph.fault = 'refuse';
    const { errors } = await ask(graph, ONE, { token });
    expect(errors?.map(({ path }) => path)).toEqual([['payment', 'merchant']]);
  });

  it('leaves the other subgraphs alone', async () => {
    graph.fault = 'hang';
    expect((await ask(graph, '{ whoami }', { token })).data).toEqual({ whoami: 'TRAVELER trv_us_one' });
  });

  it('is asked again for a query, and the client never learns that it stumbled', async () => {
    graph.fault = 'refuse';
    const asking = ask(graph, QUERY, { token });
    while (graph.knocks === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    graph.fault = 'none';
    expect((await asking).errors).toBeUndefined();
    expect(graph.knocks).toBeGreaterThan(1);
  });

  it.each<Fault>(['refuse', 'hang', 'html'])(
    'is asked once for a mutation, whose outcome is then unknown: %s',
    async (fault) => {
      graph.fault = fault;
      const { errors } = await ask(graph, 'mutation { note(text: "x") }', { token });
      expect(graph.knocks).toBe(1);
      expect(errors?.map((error) => error.extensions)).toEqual([
        { code: 'SUBGRAPH_UNAVAILABLE', transient: true, details: { service: 'merchants', outcome: 'UNKNOWN' } },
      ]);
    },
  );

  it('is sent no mutation while it is left in peace, and whoever wanted one is told that it was not sent', async () => {
    graph.fault = 'refuse';
    const note = 'mutation { note(text: "x") }';
    const outcomes: unknown[] = [];
    for (let round = 0; round < 11; round += 1) {
      const { errors } = await ask(graph, note, { token });
      outcomes.push(...(errors ?? []).map(({ extensions }) => extensions['details']));
    }
    const unknown = { service: 'merchants', outcome: 'UNKNOWN' };
    expect(outcomes).toEqual([...Array<object>(10).fill(unknown), { service: 'merchants', outcome: 'NOT_SENT' }]);
    expect(graph.knocks).toBe(10);
  });

  it('is left in peace after many failures, and found again when it is well', async () => {
    graph.fault = 'refuse';
    for (let round = 0; round < 5; round += 1) await ask(graph, QUERY, { token });
    const knocks = graph.knocks;
    expect((await ask(graph, QUERY, { token })).errors?.[0]?.extensions['code']).toBe('SUBGRAPH_UNAVAILABLE');
    expect(graph.knocks).toBe(knocks);
    graph.fault = 'none';
    for (const deadline = Date.now() + 5_000; Date.now() < deadline; )
      if (!(await ask(graph, QUERY, { token })).errors) break;
    expect((await ask(graph, QUERY, { token })).errors).toBeUndefined();
  });

  it('makes the gateway not ready, by name, until it is back', async () => {
    const ready = async () => {
      const answer = await fetch(`${graph.url}/health/ready`);
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    expect(await ready()).toEqual({
      status: 200,
      ready: true,
      draining: false,
      events: 'up',
      subgraphs: { payments: 'up', merchants: 'up' },
    });
    graph.fault = 'refuse';
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await ready()).toMatchObject({
      status: 503,
      ready: false,
      subgraphs: { payments: 'up', merchants: 'down' },
    });
    expect((await fetch(`${graph.url}/health/live`)).status).toBe(200);
  });

  it('is not asked any more for a client that left', async () => {
    graph.fault = 'hang';
    const leaving = new AbortController();
    const asking = fetch(`${graph.url}/graphql`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', authorization: token },
      body: JSON.stringify({ query: QUERY }),
    });
    while (graph.knocks === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const metrics = await (await fetch(`${graph.url}/metrics`)).text();
    expect(metrics).toMatch(/gateway_subgraph_fetch_seconds_count\{subgraph="merchants",outcome="abandoned"\} 1/);
  });
});

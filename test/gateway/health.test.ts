import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ask, type SmallGraph, smallGraph } from '../support/small-graph.js';

let graph: SmallGraph;
afterEach(() => graph.close());

/** Longer than an answer of the gateway about its readiness stays fresh. */
const STALE_AFTER_MS = 600;

describe.each([
  ['in this process', true],
  ['over HTTP', false],
])('A gateway with subgraphs %s', (_where, inProcess) => {
  it('is not ready while a subgraph that answers misses what it depends on, and says which', async () => {
    graph = await smallGraph({ inProcess });
    expect(await graph.gateway.ready()).toMatchObject({
      ready: true,
      subgraphs: { payments: 'up', merchants: 'up' },
    });
    graph.unready.add('merchants');
    await delay(STALE_AFTER_MS);
    expect(await graph.gateway.ready()).toMatchObject({
      ready: false,
      subgraphs: { payments: 'up', merchants: 'down' },
    });
    // A balancer draws its conclusions; what comes nevertheless is tried.
    const token = await graph.token('TRAVELER', 'trv_us_one');
    expect((await ask(graph, '{ payment(id: "pay_1") { merchant { name } } }', { token })).errors).toBeUndefined();
    graph.unready.delete('merchants');
    await delay(STALE_AFTER_MS);
    expect(await graph.gateway.ready()).toMatchObject({ ready: true });
  });
});

it('A gateway asks once for all who want to know, however long a subgraph takes to answer', async () => {
  graph = await smallGraph();
  graph.fault = 'hang';
  const { knocks } = graph;
  const first = graph.gateway.ready();
  await delay(STALE_AFTER_MS);
  const second = graph.gateway.ready();
  const answers = await Promise.all([first, second]);
  expect(answers).toMatchObject([{ ready: false }, { subgraphs: { payments: 'up', merchants: 'down' } }]);
  // Whether it speaks GraphQL, and whether it is ready.
  expect(graph.knocks - knocks).toBe(2);
});

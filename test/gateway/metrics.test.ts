import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Library, openLibrary } from '../support/library.gateway.js';
import { ask } from '../support/small-graph.js';

const BOOKS = 'query Shelf { books { title author { name } } }';

describe('Metrics', () => {
  let stack: AsyncDisposableStack;
  let library: Library;
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    library = await openLibrary(stack, { bus: null, fetch: { queryDeadlineMs: 2_000, retries: 0 } });
  });
  afterEach(() => stack.disposeAsync());

  it('count operations by name, type and outcome, and how long they took', async () => {
    await ask(library, BOOKS);
    await ask(library, BOOKS);
    await ask(library, 'mutation { rename(id: "a1", name: "U. K. Le Guin") { id } }');
    expect(await library.metric('gateway_requests_total')).toEqual({
      'operation="Shelf",type="query",outcome="ok"': 2,
      'operation="unnamed",type="mutation",outcome="ok"': 1,
    });
    expect(await library.metric('gateway_request_seconds_count')).toEqual({
      'operation="Shelf"': 2,
      'operation="unnamed"': 1,
    });
  });

  it('say what it took to make operations ready, and how often nothing had to be done', async () => {
    await ask(library, '{ book(id: "b1") { title } }');
    await ask(library, '{ book(id: "b1") { title } }');
    await ask(library, '{ book(id: "b2") { title } }');
    expect(await library.metric('gateway_operation_cache_looks_total')).toEqual({
      'cache="texts",outcome="hit"': 1,
      'cache="texts",outcome="miss"': 2,
      'cache="operations",outcome="hit"': 1,
      'cache="operations",outcome="miss"': 1,
      'cache="plans",outcome="hit"': 0,
      'cache="plans",outcome="miss"': 1,
    });
    expect(await library.metric('gateway_operation_cache_entries')).toEqual({
      'cache="texts"': 2,
      'cache="operations"': 1,
      'cache="plans"': 1,
    });
    expect(await library.metric('gateway_prepare_seconds_count')).toEqual({
      'step="validate"': 2,
      'step="wait"': 1,
      'step="plan"': 1,
      'step="compile"': 1,
    });
    expect(await library.metric('gateway_planning_waiting')).toEqual({ '': 0 });
    expect(await library.metric('gateway_planning_refusals_total')).toEqual({
      'reason="full"': 0,
      'reason="limit"': 0,
      'reason="remembered"': 0,
    });
    const took = await library.metric('gateway_prepare_seconds_sum');
    for (const seconds of Object.values(took)) expect(seconds).toBeGreaterThan(0);
  });

  it('say what is under way to a subgraph, what joined it, and how many requests an entity fetch served', async () => {
    const release = Promise.withResolvers<void>();
    library.books.held = release.promise;
    const asking = [ask(library, BOOKS), ask(library, BOOKS)];
    while ((await library.metric('gateway_coalesced_fetches_total'))['subgraph="books"'] !== 1) await delay(5);
    expect(await library.metric('gateway_subgraph_in_flight')).toEqual({
      'subgraph="books"': 1,
      'subgraph="authors"': 0,
    });
    release.resolve();
    await Promise.all(asking);
    expect(await library.metric('gateway_subgraph_in_flight')).toMatchObject({ 'subgraph="books"': 0 });
    expect(await library.metric('gateway_entity_fetch_requests_sum')).toMatchObject({ 'subgraph="authors"': 2 });
    expect(await library.metric('gateway_entity_fetch_requests_count')).toMatchObject({ 'subgraph="authors"': 1 });
    expect(await library.metric('gateway_subgraph_fetch_seconds_count')).toMatchObject({
      'subgraph="books",outcome="ok"': 1,
      'subgraph="authors",outcome="ok"': 1,
    });
  });

  it('say when a subgraph is left in peace, and when it answers again', async () => {
    const circuit = async () => (await library.metric('gateway_subgraph_circuit_open'))['subgraph="books"'];
    expect(await circuit()).toBe(0);
    await library.books.close();
    for (let round = 0; round < 10; round += 1) await ask(library, `query Round${round} { books { title } }`);
    expect(await circuit()).toBe(1);
    expect(await library.metric('gateway_subgraph_fetch_seconds_count')).toMatchObject({
      'subgraph="books",outcome="failed"': 10,
    });
  });

  it('go on counting across a reload', async () => {
    await ask(library, BOOKS);
    expect(await library.gateway.reload(library.supergraph({ events: true }))).toBe('ok');
    await ask(library, BOOKS);
    expect(await library.metric('gateway_requests_total')).toMatchObject({
      'operation="Shelf",type="query",outcome="ok"': 2,
    });
    expect(await library.metric('gateway_subgraph_fetch_seconds_count')).toMatchObject({
      'subgraph="books",outcome="ok"': 2,
    });
    // The new supergraph was warmed up: nobody's text was new to it.
    expect(await library.metric('gateway_operation_cache_looks_total')).toMatchObject({
      'cache="texts",outcome="hit"': 1,
    });
  });
});

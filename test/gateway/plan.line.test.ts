import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { PreparationMetrics } from '../../gateway/metrics.preparation.js';
import { PlanningHere } from '../../gateway/plan.here.js';
import { OURSELVES, type Planner } from '../../gateway/plan.js';
import { PlanningLine } from '../../gateway/plan.line.js';
import { PlanningThread } from '../../gateway/plan.thread.js';
import { loadSupergraph } from '../../gateway/supergraph.js';
import { silent } from '../support/logger.js';
import { mazeSupergraph, quick, SLOW } from '../support/maze.js';

const loaded = loadSupergraph(mazeSupergraph);
const MOST = 10;

describe('Those who ask for plans', () => {
  let registry: Registry;
  let planner: Planner;
  let done: string[];
  beforeEach(() => {
    registry = new Registry();
    planner = new PlanningLine(new PlanningHere(loaded), MOST, new PreparationMetrics(registry, [1]));
    done = [];
  });
  afterEach(() => planner.close());

  /** What became of it: `name`, once planned, or the code of what was said instead. */
  const plan = async (asker: string, number: number): Promise<string> => {
    const name = `${asker}${number}`;
    try {
      await planner.plan(quick(number), asker);
      done.push(name);
      return name;
    } catch (thrown) {
      return String((thrown as { code?: unknown }).code);
    }
  };
  const plans = (asker: string, from: number, count: number) =>
    Array.from({ length: count }, (_, index) => plan(asker, from + index));
  const refusals = async () => {
    const { values = [] } = (await registry.getSingleMetric('gateway_planning_refusals_total')?.get()) ?? {};
    return Object.fromEntries(values.map(({ labels, value }) => [labels['reason'], value]));
  };

  it('have their turns one after the other, however much one of them asks for', async () => {
    await Promise.all([...plans('flood', 0, 9), plan('other', 100), plan(OURSELVES, 200)]);
    expect(done.slice(0, 4)).toEqual(['flood0', 'flood1', 'other100', `${OURSELVES}200`]);
    expect(done).toHaveLength(11);
  });

  it('share what is planned with all who ask for the same, by the earliest turn of any of them', async () => {
    const flood = plans('flood', 0, 9);
    const shared = plan('other', 8);
    await Promise.all([...flood, shared]);
    expect(done.indexOf('other8')).toBeLessThan(4);
    expect(done.indexOf('flood8')).toBeLessThan(4);
    const [one, other] = await Promise.all([planner.plan(quick(1), 'a'), planner.plan(quick(1), 'b')]);
    expect(one).toBe(other);
  });

  it('are refused when too many wait, with a word to come again: whoever has most in line, and nobody else', async () => {
    const flood = plans('flood', 0, 50);
    expect(planner.waiting).toBe(MOST);
    const others = [...plans('other', 100, 2), plan('third', 200), plan(OURSELVES, 300)];
    expect(planner.waiting).toBe(MOST);
    expect(await Promise.all(others)).toEqual(['other100', 'other101', 'third200', `${OURSELVES}300`]);
    const fates = await Promise.all(flood);
    expect(fates.filter((fate) => fate === 'RATE_LIMITED')).toHaveLength(50 - 1 - MOST + 4);
    expect(fates.slice(0, 7)).toEqual(Array.from({ length: 7 }, (_, number) => `flood${number}`));
    expect(await refusals()).toEqual({ full: 43, limit: 0, remembered: 0 });
    await expect(
      Promise.all(Array.from({ length: MOST + 2 }, (_, number) => planner.plan(quick(number), 'a'))),
    ).rejects.toMatchObject({
      transient: true,
      details: { what: 'planning', most: MOST, retryAfterMs: expect.any(Number) },
    });
  });

  it('learn when one of them asks for what cannot be planned, and the others are planned', async () => {
    const wrong = planner.plan('{ nothing }', 'a');
    const right = planner.plan(quick(1), 'a');
    await expect(wrong).rejects.toThrow(/nothing/);
    expect(await right).toMatchObject({ kind: 'QueryPlan' });
  });

  it('are told to ask again when it ends, whoever waits and whoever comes', async () => {
    const waiting = plans('a', 0, 5);
    await planner.close();
    waiting.push(...plans('a', 5, 1));
    const fates = await Promise.all(waiting);
    expect(fates.slice(1)).toEqual(Array.from({ length: 5 }, () => 'SUBGRAPH_UNAVAILABLE'));
  });

  it('are told at once of what took too long of late, and it costs no thread again', async () => {
    const policy = { mostMs: 300, mostMebibytes: 1_024 };
    await using stack = new AsyncDisposableStack();
    const thread = new PlanningThread(mazeSupergraph, policy, silent);
    const line = new PlanningLine(thread, MOST, new PreparationMetrics(new Registry(), [1]));
    stack.defer(() => line.close());
    const tooComplex = { code: 'OPERATION_TOO_COMPLEX', transient: false };
    // Whoever asks meanwhile waits for the same end.
    const [first, second] = await Promise.allSettled([line.plan(SLOW, 'a'), line.plan(SLOW, 'b')]);
    expect([first, second]).toMatchObject([{ reason: tooComplex }, { reason: tooComplex }]);
    await line.plan(quick(0), 'a');
    const started = performance.now();
    await expect(line.plan(SLOW, 'c')).rejects.toMatchObject(tooComplex);
    expect(performance.now() - started).toBeLessThan(policy.mostMs / 2);
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { Registry } from 'prom-client';
import { TypeConditions } from '../../gateway/execute.types.js';
import { SubgraphDirectory } from '../../gateway/fetch.directory.js';
import { defaultFetchPolicy } from '../../gateway/fetch.js';
import { FetchOperations } from '../../gateway/fetch.operation.js';
import { MutationCount } from '../../gateway/fetch.queries.js';
import { Subgraphs } from '../../gateway/fetch.subgraphs.js';
import { GatewayMetrics } from '../../gateway/metrics.js';
import { PlanningHere } from '../../gateway/plan.here.js';
import { PlanningLine } from '../../gateway/plan.line.js';
import { Turns } from '../../gateway/prepare.turns.js';
import { SubscriptionPlans } from '../../gateway/subscribe.plan.js';
import { readEventSources } from '../../gateway/subscribe.source.js';
import { type LoadedSupergraph, loadSupergraph } from '../../gateway/supergraph.js';
import { librarySupergraph, movingSupergraph } from '../support/library.js';
import { silent } from '../support/logger.js';

const NOWHERE = 'http://127.0.0.1:1/graphql';
const loaded = loadSupergraph(librarySupergraph({ books: NOWHERE, authors: NOWHERE }, { events: true }));

interface Opened {
  readonly planner: PlanningLine;
  readonly plans: SubscriptionPlans;
}

const opened: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(opened.splice(0).map((leave) => leave())));

function open(of: LoadedSupergraph, served: readonly string[]): Opened {
  const common = { mutations: new MutationCount(), metrics: new GatewayMetrics(new Registry()), logger: silent };
  const reached = { inProcess: {}, urls: {}, connections: 1, policy: defaultFetchPolicy, signer: null };
  const directory = new SubgraphDirectory({ ...common, ...reached });
  const leases = served.map((name) => directory.lease(name, NOWHERE));
  const subgraphs = new Subgraphs(new Map(leases.map(({ subgraph }) => [subgraph.source.name, subgraph])));
  const steps = { types: new TypeConditions(of.full), operations: new FetchOperations(100), subgraphs };
  const planner = new PlanningLine(new PlanningHere(of), 2, common.metrics.preparation);
  const plans = new SubscriptionPlans(of, planner, steps, readEventSources(of.full, of.api), true, new Turns());
  opened.push(() => planner.close(), ...leases.map((lease) => () => lease.end()));
  return { planner, plans };
}

describe('The plan of a subscription', () => {
  let planner: PlanningLine;
  let plans: SubscriptionPlans;
  beforeEach(() => {
    ({ planner, plans } = open(loaded, ['books', 'authors']));
  });

  const query = 'subscription { bookChanged(id: "b1") { title author { name } } }';
  const text = { query, document: parse(query) };

  it('is one for all who ask for it at once', async () => {
    const asking = ['a', 'a', 'b', undefined].map((asker) => plans.get(text, asker));
    const [first, ...others] = await Promise.all(asking);
    expect(first).toHaveProperty('source');
    for (const other of others) expect(other).toBe(first);
  });

  it('is not refused for ever because too many waited once', async () => {
    const flood = Array.from({ length: 9 }, (_, number) => planner.plan(`query Q${number} { books { id } }`, 'a'));
    const fates = Promise.allSettled(flood);
    await expect(plans.get(text, 'a')).rejects.toMatchObject({ code: 'RATE_LIMITED', transient: true });
    await fates;
    expect(await plans.get(text, 'a')).toHaveProperty('source');
  });

  it('keeps what is wrong with its text', async () => {
    const wrong = { query: 'subscription { nothing }', document: parse('subscription { nothing }') };
    const problems = await plans.get(wrong, 'a');
    expect(problems).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(await plans.get(wrong, 'b')).toBe(problems);
  });

  it('is one for each percentage by which a field moves to another subgraph', async () => {
    const moving = loadSupergraph(movingSupergraph(NOWHERE));
    const drawing = open(moving, ['books', 'authors']);
    const drawn = new Set<unknown>();
    // So often in a row, one of two is drawn by chance once in 10^18 runs.
    for (let index = 0; index < 60; index += 1) drawn.add(await drawing.plans.get(text, 'a'));
    expect(drawn.size).toBe(2);
    for (const plan of drawn) expect(plan).toHaveProperty('source');
  });
});

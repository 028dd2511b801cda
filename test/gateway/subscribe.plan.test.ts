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
import { loadSupergraph } from '../../gateway/supergraph.js';
import { librarySupergraph } from '../support/library.js';
import { silent } from '../support/logger.js';

const NOWHERE = 'http://127.0.0.1:1/graphql';
const loaded = loadSupergraph(librarySupergraph({ books: NOWHERE, authors: NOWHERE }, { events: true }));

describe('The plan of a subscription', () => {
  let planner: PlanningLine;
  let plans: SubscriptionPlans;
  let leave: () => Promise<unknown>;
  beforeEach(() => {
    const common = { mutations: new MutationCount(), metrics: new GatewayMetrics(new Registry()), logger: silent };
    const reached = { inProcess: {}, urls: {}, connections: 1, policy: defaultFetchPolicy, signer: null };
    const directory = new SubgraphDirectory({ ...common, ...reached });
    const leases = ['books', 'authors'].map((name) => directory.lease(name, NOWHERE));
    const subgraphs = new Subgraphs(new Map(leases.map(({ subgraph }) => [subgraph.source.name, subgraph])));
    const steps = { types: new TypeConditions(loaded.full), operations: new FetchOperations(100), subgraphs };
    planner = new PlanningLine(new PlanningHere(loaded), 2, common.metrics.preparation);
    const sources = readEventSources(loaded.full, loaded.api);
    plans = new SubscriptionPlans(loaded, planner, steps, sources, true, new Turns());
    leave = () => Promise.all(leases.map((lease) => lease.end()));
  });
  afterEach(async () => {
    await planner.close();
    await leave();
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
});

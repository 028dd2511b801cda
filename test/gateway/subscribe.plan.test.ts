import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { Registry } from 'prom-client';
import { SubgraphDirectory } from '../../gateway/fetch.directory.js';
import { defaultFetchPolicy } from '../../gateway/fetch.js';
import { MutationCount } from '../../gateway/fetch.queries.js';
import { Generation } from '../../gateway/generation.js';
import { GatewayMetrics } from '../../gateway/metrics.js';
import { defaultPlanning } from '../../gateway/plan.js';
import { Turns } from '../../gateway/prepare.turns.js';
import { librarySupergraph } from '../support/library.js';
import { silent } from '../support/logger.js';

const NOWHERE = 'http://127.0.0.1:1/graphql';

describe('The plan of a subscription', () => {
  let generation: Generation;
  beforeEach(async () => {
    const common = { mutations: new MutationCount(), metrics: new GatewayMetrics(new Registry()), logger: silent };
    const reached = { inProcess: {}, urls: {}, connections: 1, policy: defaultFetchPolicy, signer: null };
    generation = await Generation.build(librarySupergraph({ books: NOWHERE, authors: NOWHERE }, { events: true }), {
      ...common,
      development: true,
      planning: { ...defaultPlanning, mostWaiting: 2 },
      turns: new Turns(),
      directory: new SubgraphDirectory({ ...common, ...reached }),
    });
  });
  afterEach(() => generation.close());

  const query = 'subscription { bookChanged(id: "b1") { title author { name } } }';
  const text = { query, document: parse(query) };

  it('is one for all who ask for it at once', async () => {
    const asking = ['a', 'a', 'b', undefined].map((asker) => generation.plans.get(text, asker));
    const [first, ...others] = await Promise.all(asking);
    expect(first).toHaveProperty('source');
    for (const other of others) expect(other).toBe(first);
  });

  it('is not refused for ever because too many waited once', async () => {
    const flood = Array.from({ length: 9 }, (_, number) => {
      const other = `query Q${number} { books { id } }`;
      return generation.preparation.prepare(other, parse(other), undefined, { asker: 'a' });
    });
    const fates = Promise.allSettled(flood);
    await expect(generation.plans.get(text, 'a')).rejects.toMatchObject({ code: 'RATE_LIMITED', transient: true });
    await fates;
    expect(await generation.plans.get(text, 'a')).toHaveProperty('source');
  });

  it('keeps what is wrong with its text', async () => {
    const wrong = { query: 'subscription { nothing }', document: parse('subscription { nothing }') };
    const problems = await generation.plans.get(wrong, 'a');
    expect(problems).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(await generation.plans.get(wrong, 'b')).toBe(problems);
  });
});

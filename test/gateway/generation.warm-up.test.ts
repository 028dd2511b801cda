import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { Registry } from 'prom-client';
import { SubgraphDirectory } from '../../gateway/fetch.directory.js';
import { defaultFetchPolicy } from '../../gateway/fetch.js';
import { MutationCount } from '../../gateway/fetch.queries.js';
import { Generation, type GenerationOptions } from '../../gateway/generation.js';
import { warmUp } from '../../gateway/generation.warm-up.js';
import { GatewayMetrics } from '../../gateway/metrics.js';
import { defaultPlanning } from '../../gateway/plan.js';
import { Turns } from '../../gateway/prepare.turns.js';
import { librarySupergraph } from '../support/library.js';
import { silent } from '../support/logger.js';

const NOWHERE = { books: 'http://127.0.0.1:1/graphql', authors: 'http://127.0.0.1:1/graphql' };
const ACTIVE = new AbortController().signal;

describe('A warm-up', () => {
  let options: GenerationOptions;
  let present: Generation;
  let next: Generation;
  beforeEach(async () => {
    const common = { mutations: new MutationCount(), metrics: new GatewayMetrics(new Registry()), logger: silent };
    const reached = { inProcess: {}, urls: {}, connections: 1, policy: defaultFetchPolicy, signer: null };
    const planning = defaultPlanning;
    options = {
      ...common,
      development: true,
      planning,
      turns: new Turns(),
      directory: new SubgraphDirectory({ ...common, ...reached }),
    };
    present = await Generation.build(librarySupergraph(NOWHERE), options);
    next = await Generation.build(librarySupergraph(NOWHERE, { titleIsCalled: 'name' }), options);
  });
  afterEach(async () => {
    await present.close();
    await next.close();
  });

  const use = async (text: string, times: number, operationName?: string) => {
    await present.preparation.prepare(text, parse(text), operationName);
    for (let count = 1; count < times; count += 1) present.preparation.find(text, operationName);
  };

  it('prepares what was in use, under the name it was asked by, so that nothing is left to plan', async () => {
    const two = 'query One { books { id } } query Two { books { author { name } } }';
    await use('{ books { id author { name } } }', 3);
    await use(two, 2, 'Two');
    expect(await warmUp(next, present, ACTIVE)).toMatchObject({ prepared: 2, lost: 0 });
    expect(next.preparation.find('{ books { id author { name } } }', undefined)).toBeDefined();
    expect(next.preparation.find(two, 'Two')).toBeDefined();
    expect(next.preparation.find(two, 'One')).toBeUndefined();
  });

  it('leaves out what is not valid any more', async () => {
    await use('{ books { title } }', 5);
    await use('{ books { id } }', 1);
    expect(await warmUp(next, present, ACTIVE)).toMatchObject({ prepared: 1, lost: 1 });
    expect(next.preparation.find('{ books { title } }', undefined)).toBeUndefined();
  });

  it('plans what is left of an operation for those who may not have all of it, but takes it for no text of a client', async () => {
    const text = '{ books { id title } }';
    await present.preparation.prepareValid(text, parse('{ books { id } }'), undefined, { rights: 'not the title' });
    expect(present.preparation.mostUsed(10)).toEqual([]);
    await warmUp(next, present, ACTIVE);
    const planned = present.preparation.lastPlanned(10);
    expect(planned).toHaveLength(1);
    expect(next.preparation.lastPlanned(10)).toEqual(planned);
    expect(next.preparation.find(text, undefined)).toBeUndefined();
  });

  it('takes the most used first, and of texts that differ in literals only one', async () => {
    await use('{ books { id } }', 2);
    await use('{ book(id: "b1") { id } }', 2);
    await use('{ book(id: "b2") { id } }', 2);
    await use('{ author(id: "a1") { id } }', 3);
    const texts = present.preparation.mostUsed(10).map(({ text }) => text);
    expect(texts).toHaveLength(3);
    expect(texts[0]).toMatch(/^\{ book\(/);
    expect(texts.slice(1)).toEqual(['{ author(id: "a1") { id } }', '{ books { id } }']);
    expect(present.preparation.mostUsed(1)).toHaveLength(1);
  });

  it('has its own turns while clients ask for what nobody asked for yet', async () => {
    for (const field of ['id', 'author { id }', 'author { name }']) await use(`{ books { ${field} } }`, 1);
    let planned = 0;
    const flood = Array.from({ length: 200 }, async (_, number) => {
      const text = `query Flood${number} { books { id } }`;
      await next.preparation.prepare(text, parse(text), undefined, { asker: 'flood' });
      planned += 1;
    });
    const flooded = Promise.allSettled(flood);
    expect(await warmUp(next, present, ACTIVE)).toMatchObject({ prepared: 3, lost: 0 });
    // Each of ours takes a few turns.
    expect(planned).toBeLessThan(50);
    await flooded;
    expect(planned).toBe(200);
  });

  it('comes to its end where the planner is gone', async () => {
    await use('{ books { id } }', 1);
    await use('{ books { title } }', 1);
    await next.close();
    expect(await warmUp(next, present, ACTIVE)).toMatchObject({ prepared: 0, lost: 2 });
  });

  it('ends at once when the gateway is closed', async () => {
    await use('{ books { id } }', 1);
    expect(await warmUp(next, present, AbortSignal.abort())).toMatchObject({ prepared: 0 });
  });
});

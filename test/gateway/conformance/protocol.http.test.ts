import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AuditResult, auditServer } from 'graphql-http';
import { compose, type Federation, federate } from './federation.js';

let graph: Federation;
let results: readonly AuditResult[];
beforeAll(async () => {
  const composed = compose({
    one: { sdl: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'world' } } },
    two: { sdl: 'type Query { other: String } type Mutation { set: String }', resolvers: {} },
  });
  // With introspection: some audits ask for types.
  graph = await federate(composed, 'in process');
  results = await auditServer({ url: `${graph.url}/graphql` });
});
afterAll(() => graph.close());

const ids = (status: AuditResult['status']) => results.filter((result) => result.status === status).map(({ id }) => id);

describe("GraphQL over HTTP, by graphql-http's audits", () => {
  it('has no error', () => {
    const errors = results.filter(({ status }) => status === 'error');
    expect(errors.map(({ id, name, ...rest }) => `${id} ${name}: ${'reason' in rest ? rest.reason : ''}`)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(61);
  });

  it('answers application/json with 400 where the audits would rather see 200: a client should not take it for data', () => {
    expect(ids('warn').toSorted()).toEqual(['572B', '7B9B', 'FDE2']);
  });

  it('takes a GET only from who proves to be no foreign page', () => {
    expect(ids('notice').toSorted()).toEqual(['5A70', '6A70', 'D6D5']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { type Source, sourcesIn } from '../support/sources.js';

const ORM = /^(@mikro-orm\/|pg$|pg-boss$|kysely$)/;
const GRAPHQL =
  /^(graphql$|type-graphql$|@apollo\/|@graphql-tools\/|graphql-scalars$)|\/kernel\/graphql\/(?!enums\.ts$)/;

/** Roles of `<noun>.<role>.ts`; a plain `<noun>.ts` is a value of the domain or one of a subgraph's own pages. */
const ROLES = [
  'resolver',
  'type',
  'service',
  'entity',
  'repository',
  'states',
  'errors',
  'client',
  'worker',
  'configuration',
];

const subgraphs = sourcesIn('subgraphs/users', 'subgraphs/merchants', 'subgraphs/payments', 'subgraphs/fx');

function withRole(role: string): Source[] {
  return subgraphs.filter(({ path }) => path.endsWith(`.${role}.ts`));
}

function importing(sources: readonly Source[], forbidden: RegExp): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((name) => forbidden.test(name)).map((name) => `${path} → ${name}`),
  );
}

function saying(sources: readonly Source[], forbidden: RegExp): string[] {
  return sources.flatMap(({ path, code }) => {
    const found = forbidden.exec(code);
    return found ? [`${path}: ${found[0]}`] : [];
  });
}

describe('Roles of files', () => {
  it('come from a closed list', () => {
    const roles = subgraphs
      .filter(({ path }) => !path.includes('/migrations/'))
      .map(({ path }) => /\/[^/.]+\.([^/]+)\.ts$/.exec(path)?.[1] ?? null);
    expect([...new Set(roles)].filter((role) => role !== null && !ROLES.includes(role))).toEqual([]);
  });

  it('keep the ORM out of resolvers', () => {
    expect(importing(withRole('resolver'), ORM)).toEqual([]);
    expect(importing(withRole('resolver'), /\.(repository)\.ts$/)).toEqual([]);
    expect(saying(withRole('resolver'), /\bem\.|\bgetRepository\b|\bEntityManager\b/)).toEqual([]);
  });

  it('keep the ORM out of what clients see', () => {
    expect(importing(withRole('type'), ORM)).toEqual([]);
    expect(importing(withRole('type'), /\.(entity|service|repository)\.ts$/)).toEqual([]);
  });

  it('keep GraphQL and the environment out of services', () => {
    const services = withRole('service');
    expect(services.length).toBeGreaterThan(0);
    expect(importing(services, GRAPHQL)).toEqual([]);
    expect(importing(services, /\.(resolver|type)\.ts$/)).toEqual([]);
    expect(saying(services, /process\.env/)).toEqual([]);
  });

  it('keep services and GraphQL out of entities, and setters too', () => {
    const entities = withRole('entity');
    expect(entities.length).toBeGreaterThan(0);
    expect(importing(entities, GRAPHQL)).toEqual([]);
    expect(importing(entities, /\.(service|resolver|type|repository|client|worker)\.ts$/)).toEqual([]);
    expect(saying(entities, /^\s*set \w+\(/m)).toEqual([]);
  });

  it('let a state table be a table and nothing else', () => {
    expect(importing(withRole('states'), /^(?!.*\/kernel\/(states|error)\.ts$)(?!.*\.(type|states)\.ts$)/)).toEqual([]);
    expect(saying(withRole('states'), /\b(async|await|class)\b/)).toEqual([]);
  });

  it('let repositories decide nothing', () => {
    expect(importing(withRole('repository'), GRAPHQL)).toEqual([]);
    expect(importing(withRole('repository'), /\.(service|resolver|client|worker)\.ts$/)).toEqual([]);
  });

  it('read the environment only where a process begins', () => {
    const elsewhere = sourcesIn('subgraphs', 'gateway', 'connectors').filter(
      ({ path }) => !/(^|\/)main\.ts$|configuration\.ts$|\/migrate\.ts$|kernel\/telemetry\.ts$/.test(path),
    );
    expect(saying(elsewhere, /process\.env/)).toEqual([]);
  });

  it('promise their errors: every service method that throws a refusal says so', () => {
    const silent = withRole('service').filter(
      ({ code, text }) => /\bthrow new \w+/.test(code) && !/@throws/.test(text),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('give every subgraph the same pages', () => {
    for (const name of ['users', 'merchants', 'payments', 'fx'])
      for (const page of ['subgraph.ts', 'schema.ts', 'main.ts'])
        expect(subgraphs.map(({ path }) => path)).toContain(`subgraphs/${name}/${page}`);
  });
});

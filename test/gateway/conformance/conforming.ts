import { afterAll, beforeAll, expect } from '@jest/globals';
import { GraphQLError, Kind, parse } from 'graphql';
import { brief, expectAgreement } from './agreement.js';
import {
  compose,
  type Federation,
  type FederationOptions,
  type Fetch,
  federate,
  type SubgraphModule,
  ways,
} from './federation.js';
import { type Answer, Monolith, type Resolvers } from './monolith.js';

type Variables = Readonly<Record<string, unknown>>;

/** A graph, written once: as a whole it is the monolith, cut by its subgraphs' SDL it is the federation. */
export interface GraphDefinition {
  readonly resolvers?: Resolvers;
  /** What each entity's subgraphs make of a representation: by default the representation itself. */
  readonly references?: Readonly<Record<string, (reference: never) => unknown>>;
  readonly subgraphs: Readonly<Record<string, string | SubgraphDefinition>>;
}

export interface SubgraphDefinition {
  readonly sdl: string;
  /** Instead of the graph's own resolvers and references, in this subgraph only. */
  readonly resolvers?: Resolvers;
}

export interface ConformingGraph {
  /** Asks the gateway both ways and the monolith, and requires the same answer, which it returns. */
  agree(query: string, variables?: Variables, operationName?: string): Promise<Answer>;
  /** The gateway refuses it as graphql-js does, and no subgraph hears of it. Returns the codes. */
  refuse(query: string, variables?: Variables): Promise<unknown[]>;
  /** The gateway's own answer, the same both ways: for what it must answer otherwise than a monolith, by design. */
  answer(query: string, variables?: Variables): Promise<Answer>;
  /** What the subgraphs receive for one operation. */
  fetches(query: string, variables?: Variables): Promise<Fetch[]>;
}

/** Makes a graph for the tests of one file or `describe`. */
export function conforming(definition: GraphDefinition, options: FederationOptions = {}): ConformingGraph {
  let monolith: Monolith;
  let federations: readonly Federation[] = [];
  beforeAll(async () => {
    const composed = compose(cut(definition));
    monolith = new Monolith(composed.api, definition.resolvers ?? {});
    federations = await Promise.all(ways.map((way) => federate(composed, way, options)));
  });
  afterAll(() => Promise.all(federations.map((federation) => federation.close())));

  const askAll = (query: string, variables: Variables, operationName?: string) =>
    Promise.all(federations.map((federation) => federation.run(query, variables, operationName)));
  const described = (way: number, query: string, variables: Variables) =>
    `${ways[way]}: ${query}\nwith ${JSON.stringify(variables)}`;

  return {
    agree: async (query, variables = {}, operationName) => {
      const law = await monolith.run(query, variables, operationName);
      if (law.answer.data === undefined) throw new Error(`not a question: ${JSON.stringify(law.answer.errors)}`);
      const answers = await askAll(query, variables, operationName);
      for (const [way, answer] of answers.entries()) expectAgreement(answer, law, described(way, query, variables));
      return answers[0] ?? {};
    },
    refuse: async (query, variables = {}) => {
      const { answer } = await monolith.run(query, variables);
      if (answer.data !== undefined) throw new Error(`graphql-js answers it: ${JSON.stringify(answer.data)}`);
      for (const federation of federations) federation.fetches.length = 0;
      for (const found of await askAll(query, variables)) {
        expect((found.errors ?? []).map(brief)).toEqual((answer.errors ?? []).map(brief));
        expect(found.data).toBeUndefined();
      }
      expect(federations.flatMap(({ fetches }) => fetches)).toEqual([]);
      return (answer.errors ?? []).map(({ extensions }) => extensions?.['code']);
    },
    answer: async (query, variables = {}) => {
      const [first = {}, second = {}] = await askAll(query, variables);
      expect(JSON.stringify(second.data)).toBe(JSON.stringify(first.data));
      expect((second.errors ?? []).map(brief).toSorted()).toEqual((first.errors ?? []).map(brief).toSorted());
      return first;
    },
    fetches: async (query, variables = {}) => {
      const [federation] = federations;
      if (!federation) throw new Error('no federation');
      federation.fetches.length = 0;
      await federation.run(query, variables);
      return [...federation.fetches];
    },
  };
}

/** An error that a subgraph lets its clients see. */
export function refusal(code: string): GraphQLError {
  return new GraphQLError(`refused: ${code}`, { extensions: { code } });
}

/** The representations that were sent to a subgraph, all of its entity fetches together. */
export function representationsTo(subgraph: string, fetches: readonly Fetch[]): unknown[] {
  return fetches
    .filter((fetch) => fetch.subgraph === subgraph)
    .flatMap(({ variables }) => (variables['representations'] as unknown[] | undefined) ?? []);
}

/** Gives each subgraph the resolvers of the fields that its SDL defines. */
export function cut({ subgraphs, resolvers = {}, references = {} }: GraphDefinition): Record<string, SubgraphModule> {
  const entries = Object.entries(subgraphs).map(([name, given]) => {
    const { sdl, resolvers: special = {} } = typeof given === 'string' ? { sdl: given } : given;
    return [name, { sdl, resolvers: resolversFor(sdl, resolvers, references, special) }];
  });
  return Object.fromEntries(entries);
}

function resolversFor(
  sdl: string,
  resolvers: Resolvers,
  references: NonNullable<GraphDefinition['references']>,
  special: Resolvers,
): Resolvers {
  const picked: Record<string, Record<string, unknown> | Resolvers[string]> = {};
  for (const definition of parse(sdl, { noLocation: true }).definitions) {
    if (!('name' in definition) || !definition.name) continue;
    const name = definition.name.value;
    const whole = resolvers[name];
    if (definition.kind === Kind.SCALAR_TYPE_DEFINITION && whole) picked[name] = whole;
    if (!/^(Object|Interface|Union)Type(Definition|Extension)$/.test(definition.kind)) continue;
    const own = new Map(Object.entries((whole as Record<string, unknown>) ?? {}));
    const fields = 'fields' in definition ? (definition.fields ?? []) : [];
    const isAbstract = !definition.kind.startsWith('Object');
    const wanted = [...fields.map((field) => field.name.value), ...(isAbstract ? ['__resolveType'] : [])];
    // Interfaces have no field resolvers of their own; a type of this name is then an interface object.
    const usable = isAbstract ? ['__resolveType'] : wanted;
    const mine = Object.fromEntries(usable.filter((field) => own.has(field)).map((field) => [field, own.get(field)]));
    const reference = references[name];
    picked[name] = {
      ...picked[name],
      ...mine,
      ...(reference && isEntity(definition) && { __resolveReference: reference }),
      ...(special[name] as Record<string, unknown> | undefined),
    };
  }
  return picked as Resolvers;
}

function isEntity(definition: object): boolean {
  const { directives = [] } = definition as { directives?: readonly { name: { value: string } }[] };
  return directives.some((directive) => directive.name.value === 'key');
}

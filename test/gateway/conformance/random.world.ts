import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import { Registry } from 'prom-client';
import { CompositionError } from '../../../schema/compose.js';
import { disagreements } from './agreement.js';
import { Entropy } from './entropy.js';
import { type Composed, compose, type Federation, federate, ways } from './federation.js';
import { Monolith } from './monolith.js';
import { type RandomGraph, randomGraph } from './random.graph.js';
import type { RandomOperation } from './random.operation.js';
import { keptSdlOf, sdlOf } from './random.sdl.js';
import { type RandomResolvers, resolversOf } from './random.values.js';

/** A random graph, whole and cut. */
export interface RandomWorld {
  readonly sdl: Readonly<Record<string, string>>;
  readonly graph: RandomGraph;
  readonly composed: Composed;
  readonly schema: GraphQLSchema;
  readonly monolith: Monolith;
  readonly federation: Federation;
  readonly resolvers: RandomResolvers;
  readonly metrics: Registry;
}

/**
 * Null: these subgraphs do not compose.
 * @param kept whether the gateway may keep all entities
 */
export async function randomWorld(numbers: readonly number[], kept: boolean): Promise<RandomWorld | null> {
  const graph = randomGraph(new Entropy(numbers));
  const sdl = kept ? keptSdlOf(graph) : sdlOf(graph);
  const resolvers = resolversOf(graph);
  const composed = composedOrNull(sdl, resolvers);
  if (!composed) return null;
  const way = ways[numbers.length % ways.length] ?? 'in process';
  const metrics = new Registry();
  return {
    sdl,
    graph,
    composed,
    schema: buildSchema(composed.api),
    monolith: new Monolith(composed.api, resolvers.whole, () => resolvers.log.push(AGAIN)),
    federation: await federate(composed, way, { metrics }),
    metrics,
    resolvers,
  };
}

function composedOrNull(sdl: Readonly<Record<string, string>>, resolvers: RandomResolvers): Composed | null {
  const modules = Object.entries(sdl).map(([name, text]) => [
    name,
    { sdl: text, resolvers: resolvers.subgraphs[name] ?? {} },
  ]);
  try {
    return compose(Object.fromEntries(modules));
  } catch (thrown) {
    if (thrown instanceof CompositionError) return null;
    throw thrown;
  }
}

const AGAIN = 'again';

export interface Verdict {
  /** What is wrong with the gateway's answer, if anything. */
  readonly problems: string[];
  readonly isValid: boolean;
  readonly hasErrors: boolean;
  readonly fetches: number;
}

export async function judge(world: RandomWorld, { query, variables }: RandomOperation): Promise<Verdict> {
  if (validate(world.schema, parse(query)).length > 0)
    return { problems: [], isValid: false, hasErrors: false, fetches: 0 };
  const { federation, monolith, resolvers } = world;
  federation.fetches.length = 0;
  resolvers.log.length = 0;
  const found = await federation.run(query, variables);
  const ran = resolvers.log.splice(0);
  const fetches = federation.fetches.length;
  const law = await monolith.run(query, variables);
  const problems = [...disagreements(found, law), ...disorder(ran, resolvers.log)];
  return { problems, isValid: true, hasErrors: law.answer.errors !== undefined, fetches };
}

/** All that one needs to see it again by hand. */
export function described(world: RandomWorld, operation: RandomOperation, problems: readonly string[]): string {
  const subgraphs = Object.entries(world.sdl).map(([name, text]) => `# ${name}\n${text.trim()}`);
  return [...problems, '', operation.query, JSON.stringify(operation.variables), '', ...subgraphs].join('\n');
}

/** Mutations in another order than the document's. Those that follow a failure of everything may run or not. */
function disorder(ran: readonly string[], lawful: readonly string[]): string[] {
  const again = lawful.indexOf(AGAIN);
  const [least, most] = again < 0 ? [lawful, lawful] : [lawful.slice(0, again), lawful.slice(again + 1)];
  const rest = most.slice(least.length);
  const isFirst = least.every((line, index) => line === ran[index]);
  const follow = ran.slice(least.length).every((line) => rest.splice(0, rest.indexOf(line) + 1).includes(line));
  return isFirst && follow ? [] : [`ran ${ran.join(', ')}\nnot ${most.join(', ')}`];
}

import type { GraphQLFormattedError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Requirements } from './admission.requirements.js';
import { isRow, type Row } from './execute.row.js';
import { type Age, EntityCache, type EntityCacheLimits } from './fetch.cache.js';
import type { EntityAnswer, EntityQuestion, EntitySource } from './fetch.entities.js';
import { Freshness } from './fetch.freshness.js';
import type { Asking } from './fetch.js';
import type { FetchOperation } from './fetch.operation.js';
import type { MutationCount } from './fetch.queries.js';
import type { Subgraph } from './fetch.subgraphs.js';
import type { EntityCacheMetrics, EntityCacheReading } from './metrics.entity-cache.js';
import type { CacheFigures } from './metrics.preparation.js';
import type { LoadedSupergraph } from './supergraph.js';

export interface CachedEntitiesOptions {
  readonly limits: EntityCacheLimits;
  readonly mutations: MutationCount;
  readonly metrics: EntityCacheMetrics;
}

// Of those that are used least, entities that are kept are then not found again.
const MOST_SOURCES = 10_000;

/** Stands before the subgraphs where the supergraph says that what they answer may be kept. One for each supergraph. */
export class CachedEntities {
  private readonly sources = new LRUCache<string, EntitySource>({ max: MOST_SOURCES });
  private readonly cache: EntityCache;
  private made = 0;

  private constructor(
    private readonly freshness: Freshness,
    private readonly options: CachedEntitiesOptions,
  ) {
    this.cache = new EntityCache({ ...options.limits, onEvicted: () => options.metrics.evicted() });
  }

  /** Null where the supergraph says of nothing that it may be kept, or there is no room for anything. */
  static of(
    loaded: LoadedSupergraph,
    requirements: Requirements,
    options: CachedEntitiesOptions,
  ): CachedEntities | null {
    const freshness = options.limits.mostBytes > 0 ? Freshness.of(loaded, requirements) : null;
    return freshness && new CachedEntities(freshness, options);
  }

  /** The subgraph itself where nothing may be kept of what it answers to this. */
  before(subgraph: Subgraph, operation: FetchOperation): EntitySource {
    const key = `${subgraph.source.name}\n${unnamed(operation)}`;
    const known = this.sources.get(key);
    if (known) return known;
    const keptMs = this.freshness.of(operation.text);
    const source = keptMs > 0 ? this.cachedSource(subgraph, keptMs) : subgraph;
    this.sources.set(key, source);
    return source;
  }

  get reading(): EntityCacheReading {
    const { bytes, size } = this.cache;
    return { bytes, entries: size };
  }

  /** Lets go of everything; from then on everything is asked for. */
  close(): void {
    this.cache.close();
  }

  private cachedSource(subgraph: Subgraph, keptMs: number): EntitySource {
    const { cache } = this;
    const { mutations, metrics } = this.options;
    this.made += 1;
    return new CachedSource(subgraph, String(this.made), {
      cache,
      keptMs,
      mutations,
      figures: metrics.of(subgraph.source.name),
    });
  }
}

interface Keeping {
  readonly cache: EntityCache;
  readonly keptMs: number;
  readonly mutations: MutationCount;
  readonly figures: CacheFigures;
}

const NONE: readonly GraphQLFormattedError[] = [];

/** Answers one fetch operation of one subgraph from the cache where it can, and asks for what is missing. */
class CachedSource implements EntitySource {
  constructor(
    private readonly subgraph: Subgraph,
    /** Stands for the subgraph and the text in keys: nothing else has it. */
    private readonly id: string,
    private readonly keeping: Keeping,
  ) {}

  async askEntities(question: EntityQuestion, asking: Asking): Promise<EntityAnswer> {
    const { cache, keptMs, mutations } = this.keeping;
    const keys = this.keysOf(question);
    const age: Age = { askedAt: cache.now(), keptMs, mutationsBefore: mutations.ended };
    const seen = mutations.seenBy(asking.identity);
    const entities = keys.map((key) => cache.find(key, age.askedAt, seen));
    const missing = missingIn(entities);
    this.count(entities.length - missing.length, missing.length, asking);
    if (missing.length === 0) return { entities, errors: NONE };
    const answer = await this.ask(question, missing, asking);
    const isUntouched = untouchedBy(answer.errors, missing.length);
    for (const [index, position] of missing.entries()) {
      const entity = answer.entities[index] ?? null;
      entities[position] = entity;
      if (isRow(entity) && isUntouched(index)) cache.keep(keys[position] ?? '', entity, age);
    }
    return { entities, errors: answer.errors.map((error) => placedIn(missing, error)) };
  }

  /** Who asks is no part of it: what is PUBLIC is the same for everyone, and most of what is kept would be kept many times. */
  private keysOf({ operation, variables, representations }: EntityQuestion): string[] {
    const opening = `${this.id}\n${operation.variables.length === 0 ? '' : JSON.stringify(variables)}\n`;
    return representations.map((representation) => opening + representation);
  }

  private count(found: number, missing: number, { span }: Asking): void {
    const { hits, misses } = this.keeping.figures;
    hits.add(found);
    misses.add(missing);
    if (found > 0)
      span?.note('entities from the cache', { 'subgraph.name': this.subgraph.source.name, entities: found });
  }

  refusal(thrown: unknown, question: Pick<EntityQuestion, 'operation'>): GraphQLFormattedError {
    return this.subgraph.refusal(thrown, question);
  }

  private async ask(question: EntityQuestion, missing: readonly number[], asking: Asking): Promise<EntityAnswer> {
    const { representations } = question;
    if (missing.length === representations.length) return this.subgraph.askEntities(question, asking);
    const asked = missing.map((position) => representations[position] ?? '');
    try {
      return await this.subgraph.askEntities({ ...question, representations: asked }, asking);
    } catch (thrown) {
      // What is known is answered all the same.
      return { entities: [], errors: [this.refusal(thrown, question)] };
    }
  }
}

/** Clients' names for their operations make no difference to what an entity is. */
function unnamed({ text, name }: FetchOperation): string {
  return name === undefined ? text : text.replace(` ${name}`, '');
}

function missingIn(entities: readonly (Row | null)[]): number[] {
  const missing: number[] = [];
  for (const [position, entity] of entities.entries()) if (!entity) missing.push(position);
  return missing;
}

/** Says of an entity whether no error is about it. One that is about no entity in particular is about all of them. */
function untouchedBy(errors: readonly GraphQLFormattedError[], asked: number): (index: number) => boolean {
  if (errors.length === 0) return () => true;
  const touched = new Set(errors.map(({ path }) => path?.[0]));
  const each = [...touched].every((place) => typeof place === 'number' && place >= 0 && place < asked);
  return (index) => each && !touched.has(index);
}

/** An error about one of those that were missing, where it stands among all that were asked for. */
function placedIn(missing: readonly number[], { path, ...error }: GraphQLFormattedError): GraphQLFormattedError {
  const [index, ...inner] = path ?? [];
  const position = typeof index === 'number' ? missing[index] : undefined;
  // About all of them, or about none: another's place would make it one's own.
  return position === undefined ? error : { ...error, path: [position, ...inner] };
}

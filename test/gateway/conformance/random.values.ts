import { GraphQLError, Kind, parseType, type TypeNode } from 'graphql';
import { hash } from './entropy.js';
import type { Resolvers } from './monolith.js';
import { EXTRA, type RandomEntity, type RandomField, type RandomGraph } from './random.graph.js';

// Every value is a function of its object, its field and its arguments: the same whichever subgraph computes it. An
// object is its name and its `id`, so any subgraph can make it from a representation.

interface Thing {
  readonly __typename: string;
  readonly id: string;
  readonly code?: string;
}
type Resolver = (parent: Thing | undefined, args: object) => unknown;

/** How often things go wrong, out of a thousand. */
const NULLS = 120;
const BROKEN_PROMISES = 12;
const ERRORS = 25;
const GONE = 150;

export interface RandomResolvers {
  readonly whole: Resolvers;
  readonly subgraphs: Readonly<Record<string, Resolvers>>;
  /** The mutations that ran, in their order. */
  readonly log: string[];
}

export function resolversOf(graph: RandomGraph): RandomResolvers {
  const log: string[] = [];
  const values = new Values(graph);
  const mutating = (field: RandomField): Resolver => {
    const resolve = values.resolver('Mutation', field);
    return (parent, args) => {
      log.push(`${field.name} ${canonical(args)}`);
      return resolve(parent, args);
    };
  };
  const roots = (chosen: (field: RandomField) => boolean) => ({
    Query: record(graph.query.filter(chosen), (field) => values.resolver('Query', field)),
    Mutation: record(graph.mutation.filter(chosen), mutating),
  });
  const abstract = Object.fromEntries(
    [...graph.interfaces.keys(), ...graph.unions.keys()].map((name) => [
      name,
      { __resolveType: ({ id, __typename }: Thing) => (isEntityId(id) ? typeOf(id) : __typename) },
    ]),
  );
  const valueTypes = Object.fromEntries(
    graph.values.map(({ name, fields }) => [name, record(fields, (field) => values.resolver(name, field))]),
  );
  const subgraphs: Record<string, Resolvers> = {};
  for (const subgraph of graph.subgraphs) {
    const own = roots(({ owners }) => owners.includes(subgraph));
    const wasHere = ({ movedFrom }: RandomField) => movedFrom === subgraph;
    subgraphs[subgraph] = {
      ...own,
      Query: { ...own.Query, ...record(graph.query.filter(wasHere), () => movedAway) },
      ...valueTypes,
      ...abstract,
      ...interfaceKey(graph, subgraph, abstract),
      ...record(graph.entities, (entity) => ({
        ...record(
          // Also what it only provides; never what was moved away from it.
          entity.fields.filter((field) => !wasHere(field)),
          (field) => (field.requires ? values.required(entity, field) : values.resolver(entity.name, field, entity)),
        ),
        ...record(entity.fields.filter(wasHere), () => movedAway),
        __resolveReference: (reference: Thing) => values.referred(entity, reference, subgraph),
      })),
    };
  }
  const added = graph.interfaceObject;
  if (added) subgraphs[EXTRA] = extra(added, values);
  return {
    log,
    subgraphs,
    whole: {
      ...roots(() => true),
      ...valueTypes,
      ...abstract,
      ...record(graph.entities, (entity) => ({
        ...record(entity.fields, (field) =>
          field.requires ? values.requiredOf(entity, field) : values.resolver(entity.name, field, entity),
        ),
        ...(added && entity.interfaces.includes(added.name) ? extraFields(added, values) : {}),
      })),
      ...(added && { Query: { ...roots(() => true).Query, ...extraRoots(added, values) } }),
    } as Resolvers,
  };
}

type Added = NonNullable<RandomGraph['interfaceObject']>;

function extra(added: Added, values: Values): Resolvers {
  return {
    Query: extraRoots(added, values),
    [added.name]: { ...extraFields(added, values), __resolveReference: ({ id }: Thing) => ({ id }) },
  } as Resolvers;
}

function extraFields({ fields, name }: Added, values: Values) {
  return record(fields, (field) => values.resolver(name, field));
}

function extraRoots({ name }: Added, values: Values) {
  const one: RandomField = { name: 'qExtra', type: name, args: '', owners: [EXTRA] };
  const many: RandomField = { name: 'qExtras', type: `[${name}!]!`, args: '', owners: [EXTRA] };
  return record([one, many], (field) => values.resolver('Query', field));
}

/** The subgraph that has an interface's key tells of which type an object is. */
function interfaceKey({ interfaceObject }: RandomGraph, subgraph: string, abstract: Resolvers): Resolvers {
  if (interfaceObject?.keyIn !== subgraph) return {};
  const { name } = interfaceObject;
  const __resolveReference = ({ id }: Thing) => ({ __typename: typeOf(id), id });
  return { [name]: { ...abstract[name], __resolveReference } } as Resolvers;
}

const movedAway = (): never => {
  throw new Error('this field was moved to another subgraph');
};

class Values {
  constructor(private readonly graph: RandomGraph) {}

  /** @param entity whose objects may be gone where the field lies */
  resolver(type: string, field: RandomField, entity?: RandomEntity): Resolver {
    const node = parseType(field.type);
    return (parent, args) => {
      const seed = hash(parent?.id ?? type, field.name, canonical(args));
      if (entity?.mayBeGone && isGone(parent?.id ?? '', field.owners[0] ?? '')) return null;
      if (!field.safe && seed % 1000 < ERRORS) return failure(field, seed);
      return this.value(node, hash(seed, 'value'), field.safe === true);
    };
  }

  /** As its own subgraph computes it: of what the representation brings. What a plan left out is nothing. */
  required(entity: RandomEntity, field: RandomField): Resolver {
    return (parent, args) => {
      const needed = Object.getOwnPropertyDescriptor(parent ?? {}, field.requires ?? '');
      return this.made(entity, field, parent, args, needed?.value);
    };
  }

  /** As a monolith computes it: it asks its sibling. */
  requiredOf(entity: RandomEntity, field: RandomField): Resolver {
    const sibling = entity.fields.find(({ name }) => name === field.requires);
    if (!sibling) throw new Error(`there is no ${entity.name}.${field.requires}`);
    const resolve = this.resolver(entity.name, sibling, entity);
    return (parent, args) => this.made(entity, field, parent, args, resolve(parent, {}));
  }

  private made(entity: RandomEntity, field: RandomField, parent: Thing | undefined, args: object, needed: unknown) {
    return this.resolver(entity.name, field, entity)(parent, { ...args, needed: JSON.stringify(needed ?? null) });
  }

  /** What a subgraph makes of a representation. */
  referred(entity: RandomEntity, reference: Thing, subgraph: string): object | null {
    const id = reference.id ?? reference.code?.replace(/^code-/, '');
    if (entity.mayBeGone && isGone(id, subgraph)) return null;
    return { ...reference, id, code: `code-${id}` };
  }

  private value(type: TypeNode, seed: number, safe: boolean): unknown {
    if (type.kind === Kind.NON_NULL_TYPE) {
      if (!safe && hash(seed, 'broken') % 1000 < BROKEN_PROMISES) return null;
      return this.present(type.type, seed, safe);
    }
    return hash(seed, 'null') % 1000 < NULLS ? null : this.present(type, seed, safe);
  }

  private present(type: TypeNode, seed: number, safe: boolean): unknown {
    if (type.kind === Kind.NON_NULL_TYPE) return this.present(type.type, seed, safe);
    if (type.kind === Kind.NAMED_TYPE) return this.named(type.name.value, seed);
    return Array.from({ length: hash(seed, 'length') % 4 }, (_, index) =>
      this.value(type.type, hash(seed, index), safe),
    );
  }

  private named(name: string, seed: number): unknown {
    const members = this.graph.interfaces.get(name) ?? this.graph.unions.get(name);
    if (members) return this.named(members[hash(seed, 'member') % members.length] ?? '', seed);
    if (this.graph.entities.some((entity) => entity.name === name)) return thing(`${name}:${hash(seed, 'id') % 5}`);
    switch (name) {
      case 'Int':
        return (seed % 2_000) - 1_000;
      case 'Float':
        return (seed % 2_000) / 8;
      case 'Boolean':
        return seed % 2 === 0;
      case 'Color':
        return ['RED', 'GREEN', 'BLUE'][seed % 3];
      case 'String':
      case 'ID':
        return `v${seed % 10_000}`;
      default:
        return { __typename: name, id: `value ${seed}` };
    }
  }
}

function thing(id: string): Thing {
  return { __typename: typeOf(id), id, code: `code-${id}` };
}

function isEntityId(id: string): boolean {
  return /^E\d:/.test(id);
}

function typeOf(id: string): string {
  return id.slice(0, id.indexOf(':'));
}

function isGone(id: string, subgraph: string): boolean {
  return hash(id, 'gone', subgraph) % 1000 < GONE;
}

// Returned, not thrown: inside a list it is then the error of one item.
function failure(field: RandomField, seed: number): GraphQLError {
  return new GraphQLError(`${field.name} failed`, { extensions: { code: `E_${field.name}_${seed % 1000}` } });
}

/** Arguments in one order: subgraphs may receive them in any. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'absent';
  const fields = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, inner]) => `${key}:${canonical(inner)}`).join()}}`;
}

function record<Item extends { readonly name: string }, Made>(items: readonly Item[], make: (item: Item) => Made) {
  return Object.fromEntries(items.map((item) => [item.name, make(item)]));
}

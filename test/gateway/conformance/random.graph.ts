import type { Entropy } from './entropy.js';

// A random graph and a random cut through it: which subgraph has which field, under which keys.

export interface RandomField {
  readonly name: string;
  /** As SDL: `[E1!]`. */
  readonly type: string;
  /** Empty, or `(n: Int = 1, s: String)`. */
  readonly args: string;
  /** The subgraphs that resolve it; more than one: @shareable. */
  readonly owners: readonly string[];
  /** A sibling in another subgraph whose value it is made of. */
  readonly requires?: string;
  /** The subgraph that it was moved from (@override). */
  readonly movedFrom?: string;
  /** A scalar of the entity that it returns, from another subgraph, which it brings along. */
  readonly provides?: string;
  /** Never fails: something else depends on it. */
  readonly safe?: boolean;
}

export interface RandomEntity {
  readonly name: string;
  readonly fields: readonly RandomField[];
  readonly interfaces: readonly string[];
  /** Also known by `code`: each subgraph by `id`, by `code`, or by both. */
  readonly keys: Readonly<Record<string, readonly ('id' | 'code')[]>>;
  /** Some of its objects are unknown to the subgraphs that add fields to it. */
  readonly mayBeGone: boolean;
}

export interface RandomGraph {
  readonly subgraphs: readonly string[];
  readonly entities: readonly RandomEntity[];
  readonly values: readonly { readonly name: string; readonly fields: readonly RandomField[] }[];
  /** Abstract type → the entities that are one. */
  readonly interfaces: ReadonlyMap<string, readonly string[]>;
  readonly unions: ReadonlyMap<string, readonly string[]>;
  readonly query: readonly RandomField[];
  readonly mutation: readonly RandomField[];
  /** An interface to which a subgraph of its own adds fields (@interfaceObject), and the subgraph that has its key. */
  readonly interfaceObject?: { readonly name: string; readonly keyIn: string; readonly fields: readonly RandomField[] };
}

/** The subgraph that holds an interface object and nothing else. */
export const EXTRA = 'extra';

const SCALARS = ['Int', 'String', 'Boolean', 'ID', 'Float', 'Color'];
const ARGUMENTS = [
  'n: Int',
  's: String = "d"',
  'c: Color',
  'l: [Int!]',
  'i: In',
  'b: Boolean! = true',
  'd: Color = GREEN',
  'm: [[String]]',
  'o: In = { n: 5, l: ["x"] }',
];

export function randomGraph(entropy: Entropy): RandomGraph {
  const subgraphs = ['a', 'b', 'c', 'd'].slice(0, 2 + entropy.below(3));
  const names = ['E0', 'E1', 'E2', 'E3'].slice(0, 1 + entropy.below(4));
  const interfaces = new Map<string, readonly string[]>();
  for (const name of ['I0', 'I1'].slice(0, entropy.below(3))) interfaces.set(name, withOne(entropy, names));
  const unions = new Map<string, readonly string[]>();
  for (const name of ['U0'].slice(0, entropy.below(2))) unions.set(name, withOne(entropy, names));
  const values = ['V0', 'V1'].slice(0, entropy.below(3));
  const composite = [...names, ...values, ...interfaces.keys(), ...unions.keys()];
  const context: Context = { entropy, subgraphs, composite, scalars: SCALARS };

  const shared = new Map([...interfaces.keys()].map((name) => [name, fieldsOf(context, name.toLowerCase(), 2)]));
  const entities = names.map((name) => withRequirements(context, entityOf(context, name, interfaces, shared)));
  const graph: RandomGraph = {
    subgraphs,
    entities,
    // Of values only the value types before them, or they would hold each other without an end.
    values: values.map((name, index) => ({
      name,
      fields: fieldsOf({ ...context, composite: [...names, ...values.slice(0, index)] }, name.toLowerCase(), 3, 1),
    })),
    interfaces,
    unions,
    query: composite
      .filter((name) => !values.includes(name))
      .flatMap((name) => rootsOf(context, 'q', name))
      .concat(fieldsOf(context, 'qx', 2)),
    mutation: names.flatMap((name) => rootsOf(context, 'm', name)),
    ...interfaceObjectOf(context, interfaces),
  };
  return withProvided(context, graph);
}

interface Context {
  readonly entropy: Entropy;
  readonly subgraphs: readonly string[];
  readonly composite: readonly string[];
  readonly scalars: readonly string[];
}

function withOne(entropy: Entropy, names: readonly string[]): string[] {
  const chosen = entropy.some(names, 60);
  return chosen.length > 0 ? chosen : names.slice(0, 1);
}

function fieldsOf(context: Context, prefix: string, most: number, least = 0): RandomField[] {
  const count = least + context.entropy.below(most - least + 1);
  return Array.from({ length: count }, (_, index) => fieldOf(context, `${prefix}${index}`));
}

function fieldOf({ entropy, subgraphs, composite, scalars }: Context, name: string): RandomField {
  const named = entropy.chance(45) && composite.length > 0 ? entropy.pick(composite) : entropy.pick(scalars);
  const owner = entropy.pick(subgraphs);
  const second = entropy.chance(12) ? [entropy.pick(subgraphs)].filter((other) => other !== owner) : [];
  const args = entropy.chance(30) ? [...new Set([entropy.pick(ARGUMENTS), entropy.pick(ARGUMENTS)])] : [];
  const mayMove = second.length === 0 && entropy.chance(6);
  const movedFrom = mayMove ? subgraphs.find((subgraph) => subgraph !== owner) : undefined;
  return {
    name,
    type: wrapped(entropy, named),
    args: args.length > 0 ? `(${args.join(', ')})` : '',
    owners: [owner, ...second],
    ...(movedFrom && { movedFrom }),
  };
}

function wrapped(entropy: Entropy, named: string): string {
  const promised = (type: string) => (entropy.chance(35) ? `${type}!` : type);
  let type = promised(named);
  for (let lists = entropy.below(10); lists > 6; lists -= 2) type = promised(`[${type}]`);
  return type;
}

function entityOf(
  context: Context,
  name: string,
  interfaces: RandomGraph['interfaces'],
  shared: ReadonlyMap<string, readonly RandomField[]>,
): RandomEntity {
  const { entropy, subgraphs } = context;
  const own = [...interfaces].filter(([, members]) => members.includes(name)).map(([interfaceName]) => interfaceName);
  const inherited = own.flatMap((interfaceName) =>
    (shared.get(interfaceName) ?? []).map((field) =>
      // Most fields of an interface lie in one subgraph for all its types; some do not.
      entropy.chance(20) ? { ...field, owners: [entropy.pick(subgraphs)], movedFrom: undefined } : field,
    ),
  );
  const fields = [...inherited, ...fieldsOf(context, name.toLowerCase(), 4, 1)];
  const byCode = own.length === 0 && entropy.chance(25);
  const keys = Object.fromEntries(
    subgraphs.map((subgraph, index) => {
      const ways = [['id'], ['code'], ['id', 'code']] as const;
      // The first knows both, or nobody could go from one to the other.
      return [subgraph, byCode ? (index === 0 ? ways[2] : entropy.pick(ways)) : ways[0]];
    }),
  );
  const isShared = fields.some(({ owners }) => owners.length > 1);
  return { name, fields, interfaces: own, keys, mayBeGone: !byCode && !isShared && entropy.chance(40) };
}

/** Lets some fields be made of a sibling that another subgraph has. */
function withRequirements({ entropy, subgraphs }: Context, entity: RandomEntity): RandomEntity {
  const made: RandomField[] = [];
  const fields = entity.fields.map((field) => {
    const isPlain = SCALARS.includes(field.type.replace('!', '')) && field.args === '' && field.owners.length === 1;
    const others = subgraphs.filter((subgraph) => !field.owners.includes(subgraph));
    if (!isPlain || field.movedFrom || isInherited(field) || !entropy.chance(30)) return field;
    made.push({
      name: `${field.name}r`,
      type: entropy.pick(['String', 'String!', 'Int']),
      args: entropy.chance(30) ? '(n: Int = 1)' : '',
      owners: [entropy.pick(others)],
      requires: field.name,
      // A plan may ask for it where the client does not, with nothing to make it of.
      safe: true,
    });
    return { ...field, safe: true };
  });
  // Nothing can be made of what is gone: there a federation and a monolith differ, by design.
  return { ...entity, fields: [...fields, ...made], mayBeGone: entity.mayBeGone && made.length === 0 };
}

/** Whether a field came with an interface. */
export function isInherited({ name }: RandomField): boolean {
  return name.startsWith('i');
}

function rootsOf({ entropy, subgraphs }: Context, prefix: string, name: string): RandomField[] {
  const types = [`${name}`, `[${name}!]!`, `[[${name}]]`, `${name}!`];
  return types.slice(0, 1 + entropy.below(types.length)).map((type, index) => ({
    name: `${prefix}${name}${index}`,
    type,
    args: entropy.chance(70) ? '(id: ID = "1", n: Int)' : '(id: ID!, i: In)',
    owners: [entropy.pick(subgraphs)],
  }));
}

function interfaceObjectOf(
  context: Context,
  interfaces: RandomGraph['interfaces'],
): { interfaceObject?: RandomGraph['interfaceObject'] } {
  const [name] = interfaces.keys();
  if (!name || !context.entropy.chance(30)) return {};
  const plain = { ...context, subgraphs: [EXTRA], composite: [] };
  // Safe: a plan may fetch them also of an object whose type was not asked for them.
  const fields = fieldsOf(plain, 'x', 3, 1).map(({ name: field, type, args }) => ({
    name: field,
    type,
    args,
    owners: [EXTRA],
    safe: true,
  }));
  return { interfaceObject: { name, keyIn: context.entropy.pick(context.subgraphs), fields } };
}

/** Lets some root fields bring a scalar of their entity along. */
function withProvided({ entropy }: Context, graph: RandomGraph): RandomGraph {
  const query = graph.query.map((field) => {
    const entity = graph.entities.find(({ name }) => field.type.replace(/[[\]!]/g, '') === name);
    const [owner = ''] = field.owners;
    const provided = entity?.fields.find(
      // Not what something is made of: a subgraph that provides that is asked for what it makes of it at once.
      ({ type, args, owners, requires, movedFrom, safe }) =>
        SCALARS.includes(type.replace('!', '')) && !args && !owners.includes(owner) && !requires && !movedFrom && !safe,
    );
    return provided && entropy.chance(25) ? { ...field, provides: provided.name } : field;
  });
  return { ...graph, query };
}

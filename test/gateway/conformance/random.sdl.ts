import { cacheable } from '../../support/cache-control.js';
import { EXTRA, type RandomEntity, type RandomField, type RandomGraph } from './random.graph.js';

const COMMON = `
enum Color { RED GREEN BLUE }
input In { n: Int = 1, s: String, c: Color, l: [String], in: In }
`;

/** The SDL of each subgraph of a random graph. */
export function sdlOf(graph: RandomGraph): Record<string, string> {
  const entries = graph.subgraphs.map((subgraph) => [subgraph, new SubgraphText(graph, subgraph).print()]);
  if (graph.interfaceObject) entries.push([EXTRA, extraSdl(graph.interfaceObject)]);
  return Object.fromEntries(entries);
}

/** The same, but of every object its facts may be kept. */
export function keptSdlOf(graph: RandomGraph): Record<string, string> {
  const hint = '@cacheControl(maxAge: 60)';
  const hinted = (text: string) =>
    text
      .replace(/\b(type|interface) (?!Query\b|Mutation\b)([^{]*)\{/g, `$1 $2${hint} {`)
      .replace(/\bunion (\w+) =/g, `union $1 ${hint} =`);
  return Object.fromEntries(Object.entries(sdlOf(graph)).map(([name, text]) => [name, cacheable(hinted(text))]));
}

function extraSdl({ name, fields }: NonNullable<RandomGraph['interfaceObject']>): string {
  const lines = fields.map((field) => `${field.name}${field.args}: ${field.type}`);
  return `${COMMON}
    type Query { qExtra: ${name} qExtras(n: Int): [${name}!]! }
    type ${name} @key(fields: "id") @interfaceObject { id: ID! ${lines.join(' ')} }`;
}

class SubgraphText {
  /** Types that this subgraph must know because a field of it returns them. */
  private readonly known = new Set<string>();

  constructor(
    private readonly graph: RandomGraph,
    private readonly subgraph: string,
  ) {
    const { entities, query, mutation, interfaceObject } = graph;
    for (const field of [...query, ...mutation]) if (this.has(field)) this.learn(field.type);
    for (const entity of entities) if (entity.fields.some((field) => this.has(field))) this.learn(entity.name);
    if (interfaceObject?.keyIn === subgraph) this.learn(interfaceObject.name);
  }

  print(): string {
    const { entities, values, query, mutation, interfaces, unions } = this.graph;
    const parts = [
      COMMON,
      this.root('Query', query),
      this.root('Mutation', mutation),
      ...entities.filter(({ name }) => this.known.has(name)).map((entity) => this.entity(entity)),
      ...values
        .filter(({ name }) => this.known.has(name))
        .map(({ name, fields }) => `type ${name} @shareable { ${fields.map(line).join(' ')} }`),
      ...[...interfaces.keys()].filter((name) => this.isUsed(name)).map((name) => this.interface(name)),
      ...[...unions].filter(([name]) => this.known.has(name)).map(([name, of]) => `union ${name} = ${of.join(' | ')}`),
    ];
    return parts.filter((part) => part !== '').join('\n');
  }

  private has({ owners, movedFrom }: RandomField): boolean {
    return owners.includes(this.subgraph) || movedFrom === this.subgraph;
  }

  private learn(type: string): void {
    const name = type.replace(/[[\]!]/g, '');
    if (this.known.has(name)) return;
    this.known.add(name);
    const { entities, values, interfaces, unions } = this.graph;
    for (const member of [...(interfaces.get(name) ?? []), ...(unions.get(name) ?? [])]) this.learn(member);
    const inside = [
      ...(values.find((value) => value.name === name)?.fields ?? []),
      ...(entities.find((entity) => entity.name === name)?.fields ?? []).filter((field) => this.has(field)),
    ];
    for (const field of inside) this.learn(field.type);
  }

  private root(name: string, fields: readonly RandomField[]): string {
    const own = fields.filter((field) => this.has(field));
    return own.length > 0 ? `type ${name} { ${own.map((field) => this.line(field)).join(' ')} }` : '';
  }

  private entity(entity: RandomEntity): string {
    const own = entity.fields.filter((field) => this.has(field));
    const keys = entity.keys[this.subgraph] ?? [];
    // A stub may be left only. An interface's key must lead to each of its types.
    const isStub = own.length === 0 && this.graph.interfaceObject?.keyIn !== this.subgraph;
    const directives = keys.map((key) => `@key(fields: "${key}"${isStub ? ', resolvable: false' : ''})`);
    const external = new Set(own.flatMap(({ requires }) => (requires ? [requires] : [])));
    for (const { provides, type } of this.graph.query.filter((field) => this.has(field)))
      if (provides && type.replace(/[[\]!]/g, '') === entity.name) external.add(provides);
    const foreign = entity.fields.filter(({ name }) => external.has(name)).map((field) => `${line(field)} @external`);
    const fields = [...keys.map((key) => `${key}: ID!`), ...own.map((field) => this.line(field)), ...foreign];
    const implemented = entity.interfaces.length > 0 ? ` implements ${entity.interfaces.join(' & ')}` : '';
    return `type ${entity.name}${implemented} ${directives.join(' ')} { ${fields.join(' ')} }`;
  }

  private isUsed(name: string): boolean {
    const members = this.graph.interfaces.get(name) ?? [];
    return this.known.has(name) || members.some((member) => this.known.has(member));
  }

  /** With those of its fields that all of its types have here. */
  private interface(name: string): string {
    const { entities, interfaceObject } = this.graph;
    const members = entities.filter((entity) => entity.interfaces.includes(name) && this.known.has(entity.name));
    const common = (members[0]?.fields ?? []).filter(
      (field) =>
        field.name.startsWith(name.toLowerCase()) &&
        !field.movedFrom &&
        members.every(({ fields }) => fields.some((other) => other.name === field.name && this.has(other))),
    );
    const key = interfaceObject?.name === name && interfaceObject.keyIn === this.subgraph ? ' @key(fields: "id")' : '';
    return `interface ${name}${key} { id: ID! ${common.map(line).join(' ')} }`;
  }

  private line(field: RandomField): string {
    const { owners, movedFrom, requires, provides } = field;
    const directives = [
      owners.length > 1 && '@shareable',
      movedFrom && movedFrom !== this.subgraph && `@override(from: "${movedFrom}")`,
      requires && `@requires(fields: "${requires}")`,
      provides && `@provides(fields: "${provides}")`,
    ];
    return [line(field), ...directives.filter(Boolean)].join(' ');
  }
}

function line({ name, args, type }: RandomField): string {
  return `${name}${args}: ${type}`;
}

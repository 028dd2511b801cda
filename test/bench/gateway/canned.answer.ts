import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind as Node,
  parse,
  type SelectionNode,
  type ValueNode,
  validate,
  valueFromASTUntyped,
} from 'graphql';
import { KEY_FIELD, type Kind, leaves, links, roots } from './canned.world.js';

type Values = Readonly<Record<string, unknown>>;
type Built = Record<string, unknown>;

/** A fetch that was understood: answers it for any variables, as text or as fresh objects. */
export interface CannedAnswer {
  /** The whole JSON body. */
  write(variables: Values): string;
  /** Its `data`, made anew: whoever asked may change it. */
  build(variables: Values): Built;
}

/** How one thing looks in an answer. */
interface Shape {
  readonly write: (key: number) => string;
  readonly build: (key: number) => Built;
}

interface RootField {
  readonly name: string;
  readonly write: (variables: Values) => string;
  readonly build: (variables: Values) => unknown;
}

/**
 * Reads a fetch once; its answers are then made by joining ready parts.
 * @throws Error when it is not a valid query of this subgraph
 */
export function understand(query: string, schema: GraphQLSchema): CannedAnswer {
  const document = parse(query);
  const [problem] = validate(schema, document);
  if (problem) throw new Error(`${problem.message} in ${query}`);
  const fields = new Reader(document).rootFields();
  return {
    write: (variables) => {
      let text = '{"data":{';
      let comma = '';
      for (const field of fields) {
        text += `${comma}"${field.name}":${field.write(variables)}`;
        comma = ',';
      }
      return `${text}}}`;
    },
    build: (variables) => Object.fromEntries(fields.map((field) => [field.name, field.build(variables)])),
  };
}

class Reader {
  private readonly fragments = new Map<string, FragmentDefinitionNode>();

  constructor(private readonly document: DocumentNode) {
    for (const definition of document.definitions)
      if (definition.kind === Node.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
  }

  rootFields(): RootField[] {
    const operation = this.document.definitions.find((definition) => definition.kind === Node.OPERATION_DEFINITION);
    const selections = operation?.selectionSet.selections ?? [];
    return [...this.collect(selections, 'Query')].map(([name, nodes]) => this.rootField(name, nodes));
  }

  private rootField(name: string, nodes: readonly FieldNode[]): RootField {
    const [node] = nodes;
    if (!node || node.name.value === '__typename') return { name, write: () => '"Query"', build: () => 'Query' };
    const argumentsOf = readArguments(node);
    if (node.name.value === '_entities') return { name, ...this.entities(nodes, argumentsOf) };
    const root = roots[node.name.value];
    if (!root) throw new Error(`nothing is known of Query.${node.name.value}`);
    const shape = this.shape(selectionsOf(nodes), root.to);
    const { one, many } = root;
    if (many)
      return {
        name,
        write: (variables) => list(many(argumentsOf(variables)), shape),
        build: (variables) => many(argumentsOf(variables)).map(shape.build),
      };
    if (!one) throw new Error(`Query.${node.name.value} leads nowhere`);
    return {
      name,
      write: (variables) => shape.write(one(argumentsOf(variables))),
      build: (variables) => shape.build(one(argumentsOf(variables))),
    };
  }

  /** In the order and number that was asked: representations may have been merged or deduplicated on the way. */
  private entities(nodes: readonly FieldNode[], argumentsOf: (variables: Values) => Values) {
    const shapes = new Map<Kind, Shape>();
    const shapeOf = (kind: Kind): Shape => {
      const known = shapes.get(kind) ?? this.shape(selectionsOf(nodes), kind);
      shapes.set(kind, known);
      return known;
    };
    const asked = (variables: Values) => (argumentsOf(variables)['representations'] ?? []) as readonly Built[];
    const keyOf = (representation: Built): readonly [Shape, number] => {
      const kind = representation['__typename'] as Kind;
      const key = Number(representation[KEY_FIELD[kind]]);
      if (!Number.isInteger(key)) throw new Error(`no key in ${JSON.stringify(representation)}`);
      return [shapeOf(kind), key];
    };
    return {
      write: (variables: Values) => {
        let text = '[';
        let comma = '';
        for (const representation of asked(variables)) {
          const [shape, key] = keyOf(representation);
          text += comma + shape.write(key);
          comma = ',';
        }
        return `${text}]`;
      },
      build: (variables: Values) =>
        asked(variables).map((representation) => {
          const [shape, key] = keyOf(representation);
          return shape.build(key);
        }),
    };
  }

  private shape(selections: readonly SelectionNode[], kind: Kind): Shape {
    const parts = [...this.collect(selections, kind)].map(([name, nodes], index) => {
      const part = this.part(nodes, kind);
      return { ...part, name, opening: `${index === 0 ? '{' : ','}"${name}":` };
    });
    return {
      write: (key) => {
        let text = '';
        for (const { opening, write } of parts) text += opening + write(key);
        return `${text}}`;
      },
      build: (key) => {
        const built: Built = {};
        for (const { name, build } of parts) built[name] = build(key);
        return built;
      },
    };
  }

  private part(
    nodes: readonly FieldNode[],
    kind: Kind,
  ): { write: (key: number) => string; build: (key: number) => unknown } {
    const name = nodes[0]?.name.value ?? '';
    if (name === '__typename') return { write: () => `"${kind}"`, build: () => kind };
    const leaf = leaves[kind][name];
    if (leaf) return { write: leaf.json, build: leaf.value };
    const link = links[kind][name];
    if (!link) throw new Error(`nothing is known of ${kind}.${name}`);
    const shape = this.shape(selectionsOf(nodes), link.to);
    const { one, many } = link;
    if (many) return { write: (key) => list(many(key), shape), build: (key) => many(key).map(shape.build) };
    if (!one) throw new Error(`${kind}.${name} leads nowhere`);
    return { write: (key) => shape.write(one(key)), build: (key) => shape.build(one(key)) };
  }

  /** Fields by the name they have in the answer, with fragments spread out. Conditions are not understood, and refused. */
  private collect(selections: readonly SelectionNode[], kind: Kind | 'Query', into = new Map<string, FieldNode[]>()) {
    for (const selection of selections) {
      if (selection.directives?.length) throw new Error('the canned subgraphs know no directives');
      if (selection.kind === Node.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        into.set(name, [...(into.get(name) ?? []), selection]);
        continue;
      }
      const fragment = selection.kind === Node.INLINE_FRAGMENT ? selection : this.fragments.get(selection.name.value);
      const condition = fragment?.typeCondition?.name.value ?? kind;
      if (fragment && (condition === kind || condition === '_Entity'))
        this.collect(fragment.selectionSet.selections, kind, into);
    }
    return into;
  }
}

function selectionsOf(nodes: readonly FieldNode[]): readonly SelectionNode[] {
  return nodes.flatMap((node) => node.selectionSet?.selections ?? []);
}

function list(keys: readonly number[], shape: Shape): string {
  let text = '[';
  let comma = '';
  for (const key of keys) {
    text += comma + shape.write(key);
    comma = ',';
  }
  return `${text}]`;
}

function readArguments(node: FieldNode): (variables: Values) => Values {
  const given = (node.arguments ?? []).map((argument) => [argument.name.value, readValue(argument.value)] as const);
  return (variables) => Object.fromEntries(given.map(([name, read]) => [name, read(variables)]));
}

function readValue(node: ValueNode): (variables: Values) => unknown {
  if (node.kind === Node.VARIABLE) return (variables) => variables[node.name.value];
  return (variables) => valueFromASTUntyped(node, { ...variables });
}

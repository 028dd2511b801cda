import {
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
} from 'graphql';
import { type Entropy, hash } from './entropy.js';

export interface RandomOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface OperationOptions {
  /** Aliases that are the names of other fields, of keys, or of what every object has. */
  readonly hostile: boolean;
  /** An interface that is narrowed to its object types only: Apollo's planner cannot narrow an interface object else. */
  readonly whole?: string;
}

const DEEPEST = 6;
const MOST_FIELDS = 60;
const HOSTILE = ['id', 'code', '__proto__', 'constructor', 'toString', 'e00', 'e10', 'i00', 'length', '_entities'];

/** A random operation over a schema. Most are valid; whoever asks checks. */
export function randomOperation(schema: GraphQLSchema, entropy: Entropy, options: OperationOptions): RandomOperation {
  return new OperationText(schema, entropy, options).write();
}

class OperationText {
  private readonly variables: Record<string, unknown> = {};
  private readonly declarations: string[] = [];
  private readonly fragments: { name: string; type: string; text: string }[] = [];
  private fields = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly entropy: Entropy,
    private readonly options: OperationOptions,
  ) {}

  write(): RandomOperation {
    const mutation = this.schema.getMutationType();
    const isMutation = Boolean(mutation) && this.entropy.chance(15);
    const root = isMutation ? mutation : this.schema.getQueryType();
    if (!root) throw new Error('a schema without a query type');
    const selections = this.selections(root, 0);
    const declared = this.declarations.length > 0 ? ` Random(${this.declarations.join(', ')})` : '';
    const fragments = this.fragments.map(({ name, type, text }) => `fragment ${name} on ${type} ${text}`);
    const query = [`${isMutation ? 'mutation' : 'query'}${declared} ${selections}`, ...fragments].join('\n');
    return { query, variables: this.variables };
  }

  private selections(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + this.entropy.below(depth === 0 ? 4 : 5);
    const lines = Array.from({ length: count }, () => this.selection(type, depth));
    return `{ ${lines.join(' ')} }`;
  }

  private selection(type: GraphQLCompositeType, depth: number): string {
    const way = this.entropy.below(100);
    if (way >= 92) return this.spread(type, depth);
    if (way >= 78 && depth < DEEPEST) return this.inline(type, depth);
    if (way >= 73 || isUnionType(type)) return `${this.alias('__typename', '')}__typename${this.directives()}`;
    return this.field(type, depth);
  }

  private inline(type: GraphQLCompositeType, depth: number): string {
    const on = this.entropy.chance(75) ? this.entropy.pick(this.overlapping(type)) : type;
    const condition = on !== type || this.entropy.chance(50) ? ` on ${on.name}` : '';
    return `...${condition}${this.directives()} ${this.selections(on, depth + 1)}`;
  }

  /** The types that an object of this type may be of too. */
  private overlapping(type: GraphQLCompositeType): GraphQLCompositeType[] {
    const possible = new Set(this.possible(type));
    const whole = this.schema.getType(this.options.whole ?? '');
    if (isAbstractType(whole) && this.possible(whole).some((one) => possible.has(one))) return [type, ...possible];
    return Object.values(this.schema.getTypeMap()).filter(
      (other): other is GraphQLCompositeType =>
        isCompositeType(other) && !other.name.startsWith('__') && this.possible(other).some((one) => possible.has(one)),
    );
  }

  private possible(type: GraphQLCompositeType): readonly GraphQLObjectType[] {
    return isAbstractType(type) ? this.schema.getPossibleTypes(type) : [type];
  }

  private spread(type: GraphQLCompositeType, depth: number): string {
    const fitting = this.fragments.filter((fragment) => fragment.type === type.name && fragment.text !== '');
    if (fitting.length > 0 && this.entropy.chance(60))
      return `...${this.entropy.pick(fitting).name}${this.directives()}`;
    const on = this.entropy.chance(50) ? this.entropy.pick(this.overlapping(type)) : type;
    const fragment = { name: `F${this.fragments.length}`, type: on.name, text: '' };
    this.fragments.push(fragment);
    // Until it is written it has no text, so that nothing inside it spreads it.
    fragment.text = this.selections(on, depth + 1);
    return `...${fragment.name}${this.directives()}`;
  }

  private field(type: GraphQLCompositeType, depth: number): string {
    const all = isUnionType(type) ? [] : Object.values(type.getFields());
    this.fields += 1;
    const isFull = depth >= DEEPEST || this.fields > MOST_FIELDS;
    const usable = isFull ? all.filter((field) => !isCompositeType(getNamedType(field.type))) : all;
    if (usable.length === 0) return '__typename';
    const field = this.entropy.pick(usable);
    const args = this.args(field);
    const inner = getNamedType(field.type);
    const selections = isCompositeType(inner) ? ` ${this.selections(inner, depth + 1)}` : '';
    return `${this.alias(field.name, args)}${field.name}${args}${this.directives()}${selections}`;
  }

  /** Most aliases depend on what they stand for, or nothing that is asked for twice could be merged. */
  private alias(name: string, args: string): string {
    if (this.options.hostile && this.entropy.chance(25)) return `${this.entropy.pick(HOSTILE)}: `;
    if (args !== '' && this.entropy.chance(90)) return `${name}_${hash(args) % 1000}: `;
    return this.entropy.chance(20) ? `${name}_${this.entropy.below(2)}: ` : '';
  }

  private directives(): string {
    if (!this.entropy.chance(14)) return '';
    const names = this.entropy.chance(15) ? ['skip', 'include'] : [this.entropy.pick(['include', 'skip'])];
    return names.map((name) => ` @${name}(if: ${this.flag()})`).join('');
  }

  private flag(): string {
    if (this.entropy.chance(30)) return String(this.entropy.chance(50));
    const name = `if${this.entropy.below(4)}`;
    if (!this.declarations.some((line) => line.startsWith(`$${name}:`))) {
      const hasDefault = this.entropy.chance(30);
      this.declarations.push(`$${name}: Boolean!${hasDefault ? ` = ${this.entropy.chance(50)}` : ''}`);
      if (!hasDefault || this.entropy.chance(50)) this.variables[name] = this.entropy.chance(50);
    }
    return `$${name}`;
  }

  private args(field: GraphQLField<unknown, unknown>): string {
    const given = field.args.flatMap((arg) => {
      const isRequired = isNonNullType(arg.type) && arg.defaultValue === undefined;
      if (!isRequired && !this.entropy.chance(60)) return [];
      return [`${arg.name}: ${this.value(arg.type, arg.defaultValue !== undefined, 0)}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  /** A literal, or a variable that stands for one. */
  private value(type: GraphQLInputType, hasDefault: boolean, depth: number): string {
    if (this.entropy.chance(45)) return this.variable(type, hasDefault);
    if (!isNonNullType(type) && this.entropy.chance(12)) return 'null';
    const plain = isNonNullType(type) ? type.ofType : type;
    if (isListType(plain)) {
      const count = this.entropy.below(4);
      return `[${Array.from({ length: count }, () => this.value(plain.ofType, false, depth + 1)).join(', ')}]`;
    }
    if (isInputObjectType(plain)) {
      const fields = Object.values(plain.getFields()).filter(() => depth < 3 && this.entropy.chance(45));
      return `{ ${fields.map(({ name, type: of }) => `${name}: ${this.value(of, false, depth + 1)}`).join(', ')} }`;
    }
    return literal(this.plain(plain), isEnumType(plain));
  }

  private variable(type: GraphQLInputType, hasDefault: boolean): string {
    const name = `v${this.declarations.length}`;
    const ownDefault = this.entropy.chance(25);
    // Where the place has a default of its own, a nullable variable may stand for a promised value: null is then an error.
    const isPromised = isNonNullType(type) && !(hasDefault && this.entropy.chance(20));
    const declared = isNonNullType(type) && !isPromised ? type.ofType : type;
    this.declarations.push(`$${name}: ${declared}${ownDefault ? ` = ${written(this.plain(type))}` : ''}`);
    if (isNonNullType(declared) && !ownDefault) this.variables[name] = this.plain(declared);
    else if (this.entropy.chance(65)) {
      const isNull = !isNonNullType(type) && this.entropy.chance(15);
      this.variables[name] = isNull ? null : this.plain(type);
    }
    return `$${name}`;
  }

  /** A plain value of an input type, as JSON has it. */
  private plain(type: GraphQLInputType, depth = 0): unknown {
    if (isNonNullType(type)) return this.plain(type.ofType, depth);
    if (isListType(type)) {
      return Array.from({ length: this.entropy.below(3) }, () => this.plain(type.ofType, depth + 1));
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(() => depth < 2 && this.entropy.chance(45));
      return Object.fromEntries(fields.map(({ name, type: of }) => [name, this.plain(of, depth + 1)]));
    }
    if (isEnumType(type)) return this.entropy.pick(type.getValues()).name;
    switch (type.name) {
      case 'Int':
        return this.entropy.below(5) - 1;
      case 'Boolean':
        return this.entropy.chance(50);
      default:
        return String(this.entropy.below(5));
    }
  }
}

function literal(value: unknown, isEnum: boolean): string {
  return isEnum ? String(value) : JSON.stringify(value);
}

/** A plain value as a literal. Only enum values are in capitals here. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key}: ${written(inner)}`)
      .join(', ')} }`;
  return literal(value, typeof value === 'string' && /^[A-Z]+$/.test(value));
}

import type { Supergraph } from '@apollo/federation-internals';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { z } from 'zod';
import { argumentsCost, type Cost, FREE, type Size, sizeOf, sumOf, type WeightOf } from './admission.cost.input.js';
import { applicationsOf, COST, type Definition, directiveNameIn } from './admission.features.js';
import { conditionOf, isIncluded, type Variables, withDefaults } from './admission.selections.js';

// As in Apollo Router.
const MUTATION_COST = 10;

const weightSchema = z.object({ weight: z.coerce.number() });
const listSizeSchema = z.object({
  assumedSize: z.number().nullish(),
  slicingArguments: z.array(z.string()).nullish(),
  sizedFields: z.array(z.string()).nullish(),
  requireOneSlicingArgument: z.boolean().default(true),
});

/** Lists below a field whose length that field knows. */
interface Sized {
  readonly fields: SelectionSetNode;
  readonly size: Size;
}

/**
 * Estimates what operations cost before they run, by `@cost` and `@listSize` as Apollo Router's static cost: each object
 * 1, scalars nothing, a mutation 10, arguments that are input objects 1; times the length of the lists around it. An
 * operation is read once, variables are put in for each request. One for each supergraph.
 */
export class Costs {
  private readonly cost: string | null;
  private readonly listSize: string | null;
  private readonly compiled = new WeakMap<OperationDefinitionNode, Cost>();

  /** @param defaultSize how long a list is that says nothing of it */
  constructor(
    supergraph: Supergraph,
    private readonly full: GraphQLSchema,
    private readonly defaultSize: number,
  ) {
    this.cost = directiveNameIn(supergraph, COST, 'cost');
    this.listSize = directiveNameIn(supergraph, COST, 'listSize');
  }

  /**
   * @param operation of a document that need not be valid: what is unknown costs nothing
   * @throws InvalidError BAD_USER_INPUT for a list that needs exactly one argument with its length
   */
  of(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables): number {
    const known = this.compiled.get(operation);
    const cost = known ?? new Reading(this, this.full, document).operation(operation);
    if (!known) this.compiled.set(operation, cost);
    return cost(withDefaults(operation, variables));
  }

  /** What one value of a field costs, without what is selected of it. Whatever may be behind an interface: the most. */
  ofField(parent: GraphQLNamedType, field: GraphQLField<unknown, unknown>): number {
    const type = getNamedType(field.type);
    const own = this.weight(field) ?? this.weight(type) ?? (isCompositeType(type) ? 1 : 0);
    const behind = isAbstractType(type) ? this.full.getPossibleTypes(type).map((of) => this.weight(of) ?? 1) : [];
    const implementations = isInterfaceType(parent) ? this.full.getPossibleTypes(parent) : [];
    const fields = implementations.map((of) => this.weight(of.getFields()[field.name] ?? {}) ?? own);
    return Math.max(own, ...behind, ...fields);
  }

  readonly ofInput: WeightOf = (definition) =>
    this.weight(definition) ?? this.weight(getNamedType(definition.type) as GraphQLNamedType);

  sizes(field: GraphQLField<unknown, unknown>, node: FieldNode): { own: Size | null; below: Sized | null } {
    const [written] = applicationsOf(field, this.listSize);
    if (!written) return { own: null, below: null };
    const {
      assumedSize = null,
      slicingArguments,
      sizedFields,
      requireOneSlicingArgument,
    } = listSizeSchema.parse(written);
    const size = sizeOf(field, node.arguments ?? [], {
      assumedSize,
      slicingArguments: slicingArguments ?? [],
      requireOneSlicingArgument,
    });
    const fields = sizedFields?.length ? selectionOf(sizedFields.join(' ')) : null;
    return { own: size, below: fields && { fields, size } };
  }

  /** How many there are, when nothing else says it. */
  get unsized(): number {
    return this.defaultSize;
  }

  private weight(definition: Definition): number | null {
    const [written] = applicationsOf(definition, this.cost);
    return written ? weightSchema.parse(written).weight : null;
  }
}

/** Reads one document. */
class Reading {
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  private readonly known = new Map<string, Cost>();
  // What is being read: a fragment within itself is not valid, a field may require one that requires it.
  private readonly inside = new Set<string>();

  constructor(
    private readonly costs: Costs,
    private readonly full: GraphQLSchema,
    document: DocumentNode,
  ) {
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  operation({ operation, selectionSet }: OperationDefinitionNode): Cost {
    const root = this.full.getRootType(operation);
    if (!root) return FREE;
    const base: Cost = operation === 'mutation' ? () => MUTATION_COST : FREE;
    return sumOf([base, this.selections(selectionSet, root, [])]);
  }

  private selections(set: SelectionSetNode, type: GraphQLNamedType, sized: readonly Sized[]): Cost {
    const costs = set.selections.map((node): Cost => {
      const cost = node.kind === Kind.FIELD ? this.field(node, type, sized) : this.fragment(node, type, sized);
      if (cost === FREE || !node.directives?.length) return cost;
      return (variables) => (isIncluded(node, variables) ? cost(variables) : 0);
    });
    return sumOf(costs);
  }

  private fragment(
    node: Exclude<SelectionSetNode['selections'][number], FieldNode>,
    type: GraphQLNamedType,
    sized: readonly Sized[],
  ): Cost {
    if (node.kind === Kind.INLINE_FRAGMENT)
      return this.selections(node.selectionSet, conditionOf(this.full, node) ?? type, sized);
    const name = node.name.value;
    const fragment = this.fragments.get(name);
    if (!fragment) return FREE;
    const read = () => this.selections(fragment.selectionSet, conditionOf(this.full, fragment) ?? type, sized);
    if (sized.length > 0) return this.once(`...${name}`, read);
    const known = this.known.get(name);
    const cost = known ?? this.once(`...${name}`, read);
    if (!known) this.known.set(name, cost);
    return cost;
  }

  private field(node: FieldNode, parent: GraphQLNamedType, sized: readonly Sized[]): Cost {
    if (!isObjectType(parent) && !isInterfaceType(parent)) return FREE;
    const field = parent.getFields()[node.name.value];
    if (!field) return FREE;
    const { own, below } = this.costs.sizes(field, node);
    const here = sized.flatMap(({ fields, size }) => selected(fields, node).map((each) => ({ each, size })));
    const inner = here.flatMap(({ each, size }) => (each.selectionSet ? [{ fields: each.selectionSet, size }] : []));
    const children = node.selectionSet
      ? this.selections(node.selectionSet, getNamedType(field.type), below ? [...inner, below] : inner)
      : FREE;
    const weight = this.costs.ofField(parent, field);
    const each: Cost = weight === 0 ? children : (variables) => weight + children(variables);
    const upstream = here.find(({ each: { selectionSet } }) => !selectionSet)?.size;
    const whole = isListType(getNullableType(field.type))
      ? this.times(each, upstream ?? null, own)
      : checked(each, own);
    return sumOf([whole, argumentsCost(field, node.arguments ?? [], this.costs.ofInput), this.required(field, parent)]);
  }

  private times(each: Cost, upstream: Size | null, own: Size | null): Cost {
    if (each === FREE) return own ? checked(FREE, own) : FREE;
    return (variables) => {
      const size = upstream?.(variables) ?? own?.(variables) ?? this.costs.unsized;
      return size * each(variables);
    };
  }

  /** What `@requires` makes the gateway fetch for a field. */
  private required(field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType): Cost {
    const needed = applicationsOf(field, 'join__field').flatMap(({ requires }) =>
      typeof requires === 'string' ? [requires] : [],
    );
    if (needed.length === 0) return FREE;
    return this.once(`${parent.name}.${field.name}`, () => this.selections(selectionOf(needed.join(' ')), parent, []));
  }

  private once(what: string, read: () => Cost): Cost {
    if (this.inside.has(what)) return FREE;
    this.inside.add(what);
    const cost = read();
    this.inside.delete(what);
    return cost;
  }
}

/** Also a field that is no list, or costs nothing, may demand that its size is said. */
function checked(cost: Cost, size: Size | null): Cost {
  if (!size) return cost;
  return (variables) => {
    size(variables);
    return cost(variables);
  };
}

function selected(set: SelectionSetNode, { name }: FieldNode): FieldNode[] {
  return set.selections.filter((node) => node.kind === Kind.FIELD).filter((node) => node.name.value === name.value);
}

/** A field set as directives write it: `a b { c }`. */
function selectionOf(fields: string): SelectionSetNode {
  const [definition] = parse(`{ ${fields} }`).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`no set of fields: ${fields}`);
  return definition.selectionSet;
}

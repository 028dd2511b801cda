import type { Supergraph } from '@apollo/federation-internals';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../subgraphs/kernel/principal.js';
import { both, isMet, type Requirement, Requirements } from './admission.requirements.js';
import { type AuthorizedOperation, restrict, unrestricted } from './admission.restriction.js';
import { conditionOf } from './admission.selections.js';

/**
 * Says which part of an operation a principal may run, as Apollo Router does: fields that they may not have are taken
 * out before planning and come back as null, with an error. One for each supergraph.
 */
export class Authorizer {
  readonly requirements: Requirements;
  // By document: whoever keeps parsed documents by their text also keeps these.
  private readonly operations = new WeakMap<DocumentNode, Map<string, GuardedOperation>>();

  /** @throws Error when the supergraph asks for what nothing here enforces */
  constructor(
    supergraph: Supergraph,
    private readonly full: GraphQLSchema,
  ) {
    this.requirements = new Requirements(supergraph, full);
  }

  /**
   * @param document valid for this graph. What it says of unknown fields is for validation to refuse; here it is let
   * through.
   */
  authorize(document: DocumentNode, operationName: string | undefined, principal: Principal): AuthorizedOperation {
    if (this.requirements.none) return unrestricted(document);
    const byName = this.operations.get(document) ?? new Map<string, GuardedOperation>();
    const known = byName.get(operationName ?? '');
    const operation = known ?? new GuardedOperation(this.requirements, this.full, document, operationName);
    if (!known) this.operations.set(document, byName.set(operationName ?? '', operation));
    return operation.for(principal);
  }
}

// Askers with other answers than these many share nothing with each other: their operation is filtered anew.
const MOST_ANSWERS = 64;

type FragmentNode = Exclude<SelectionNode, FieldNode>;

/** What one operation requires, found once; and what is left of it, found once for each set of answers. */
class GuardedOperation {
  private readonly distinct = new Map<string, { readonly requirement: Requirement; readonly nodes: SelectionNode[] }>();
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  private readonly operation: OperationDefinitionNode | null;
  private readonly read = new Set<string>();
  private readonly byAnswers = new LRUCache<string, AuthorizedOperation>({ max: MOST_ANSWERS });

  constructor(
    private readonly requirements: Requirements,
    private readonly full: GraphQLSchema,
    private readonly document: DocumentNode,
    operationName: string | undefined,
  ) {
    const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
    this.fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
    this.operation = getOperationAST(document, operationName) ?? null;
    const root = this.operation && full.getRootType(this.operation.operation);
    if (this.operation && root) this.readSelections(this.operation.selectionSet, root);
  }

  for(principal: Principal): AuthorizedOperation {
    const entries = [...this.distinct.values()];
    const answers = entries.map(({ requirement }) => (isMet(requirement, principal) ? '1' : '0')).join('');
    if (!this.operation || !answers.includes('0')) return unrestricted(this.document);
    const known = this.byAnswers.get(answers);
    if (known) return known;
    const refused = new Set(entries.flatMap(({ nodes }, n) => (answers[n] === '0' ? nodes : [])));
    const { full, operation, fragments } = this;
    const authorized = restrict({ full, operation, fragments, refused, key: answers });
    this.byAnswers.set(answers, authorized);
    return authorized;
  }

  private readSelections(set: SelectionSetNode, type: GraphQLNamedType): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) this.readField(selection, type);
      else this.readFragment(selection, type);
    }
  }

  private readField(node: FieldNode, parent: GraphQLNamedType): void {
    if (!isObjectType(parent) && !isInterfaceType(parent)) return;
    const field = parent.getFields()[node.name.value];
    // `__typename`, `__schema` and `__type`: introspection says nothing of anyone. What else is unknown is not valid.
    if (!field) return;
    const type = getNamedType(field.type);
    // A root type is nobody's value: what it requires stands before each of its fields.
    const root = this.isRoot(parent) ? this.requirements.ofType(parent) : null;
    const own = both(root, this.requirements.ofField(parent, field));
    this.require(node, both(own, both(this.requirements.ofType(type), this.behind(type, node.selectionSet))));
    if (node.selectionSet) this.readSelections(node.selectionSet, type);
  }

  private readFragment(node: FragmentNode, parent: GraphQLNamedType): void {
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.fragments.get(node.name.value) : node;
    if (!fragment) return;
    const { selectionSet } = fragment;
    const type = conditionOf(this.full, fragment) ?? parent;
    if (!this.isRoot(type)) this.require(node, both(this.requirements.ofType(type), this.behind(type, selectionSet)));
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      if (this.read.has(node.name.value)) return;
      this.read.add(node.name.value);
    }
    this.readSelections(selectionSet, type);
  }

  private isRoot(type: GraphQLNamedType): boolean {
    return type === this.full.getRootType(this.operation?.operation ?? OperationTypeNode.QUERY);
  }

  /**
   * What an interface requires when a field is selected of whatever is behind it. With `__typename` only, or with
   * fragments on its implementations, nothing: they ask for themselves.
   */
  private behind(type: GraphQLNamedType, set: SelectionSetNode | undefined): Requirement | null {
    const selectsFields = set?.selections.some(
      (selection) => selection.kind === Kind.FIELD && !selection.name.value.startsWith('__'),
    );
    return selectsFields ? this.requirements.ofImplementations(type) : null;
  }

  private require(node: SelectionNode, requirement: Requirement | null): void {
    if (!requirement) return;
    const known = this.distinct.get(requirement.key);
    if (known) known.nodes.push(node);
    else this.distinct.set(requirement.key, { requirement, nodes: [node] });
  }
}

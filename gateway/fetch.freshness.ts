import {
  type GraphQLNamedType,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { z } from 'zod';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { applicationsOf, type Definition, directiveNamesIn } from './admission.features.js';
import type { Requirements } from './admission.requirements.js';
import type { LoadedSupergraph } from './supergraph.js';

const CACHE_CONTROL = 'cacheControl';
// Says nothing against keeping something.
const ANY = Number.POSITIVE_INFINITY;

/** What `@cacheControl` says of a type or a field. */
interface Hint {
  /** In seconds; undefined where it does not say. */
  readonly maxAge: number | undefined;
  readonly isPrivate: boolean;
  /** As long as what leads to it. */
  readonly inherits: boolean;
}

const SILENT: Hint = { maxAge: undefined, isPrivate: false, inherits: false };

const hintSchema = z
  .object({
    maxAge: z.number().min(0).nullish(),
    scope: z.enum(['PUBLIC', 'PRIVATE']).nullish(),
    inheritMaxAge: z.boolean().nullish(),
  })
  .transform(
    ({ maxAge, scope, inheritMaxAge }): Hint => ({
      maxAge: inheritMaxAge ? undefined : (maxAge ?? undefined),
      isPrivate: scope === 'PRIVATE',
      inherits: inheritMaxAge === true,
    }),
  )
  // Nobody knows what it means: then nothing is kept.
  .catch({ maxAge: 0, isPrivate: true, inherits: false });

/**
 * For how long the entities that a fetch brings may be kept, by Apollo's rules for `@cacheControl` without a default:
 * the least that any part of the selection says. A field's hint stands before its type's; an object without one is not
 * kept, unless it inherits; a scalar is as its object. Stricter than Apollo's: PRIVATE cannot be taken back by a field,
 * what is behind an interface or a union counts too, and nothing is kept that not everyone may have.
 */
export class Freshness {
  private constructor(
    private readonly full: LoadedSupergraph['full'],
    private readonly requirements: Requirements,
    private readonly directives: readonly string[],
  ) {}

  /** Null where the supergraph says it of nothing. */
  static of({ supergraph, full }: LoadedSupergraph, requirements: Requirements): Freshness | null {
    const directives = directiveNamesIn(supergraph, CACHE_CONTROL);
    return directives.length > 0 ? new Freshness(full, requirements, directives) : null;
  }

  /**
   * In milliseconds; 0: not at all.
   * @param text of a fetch of entities, as the planner writes it
   */
  of(text: string): number {
    const [definition] = parse(text, { noLocation: true }).definitions;
    if (definition?.kind !== Kind.OPERATION_DEFINITION) return 0;
    const seconds = leastOf(definition.selectionSet, (root) =>
      root.kind === Kind.FIELD && root.name.value === '_entities' && root.selectionSet
        ? leastOf(root.selectionSet, (selection) => this.entity(selection))
        : 0,
    );
    return Number.isFinite(seconds) ? seconds * SECOND : 0;
  }

  private entity(selection: SelectionNode): number {
    if (selection.kind === Kind.FIELD) return selection.name.value === '__typename' ? ANY : 0;
    // The planner writes fragments out.
    if (selection.kind === Kind.FRAGMENT_SPREAD) return 0;
    const { typeCondition, selectionSet } = selection;
    if (!typeCondition) return leastOf(selectionSet, (inner) => this.entity(inner));
    const type = this.full.getType(typeCondition.name.value);
    // Nothing leads to an entity of which it could inherit.
    if (!type || this.hintOf(type).maxAge === undefined) return 0;
    return Math.min(this.value(type, SILENT), this.selections(selectionSet, type));
  }

  private selections(set: SelectionSetNode, parent: GraphQLNamedType): number {
    return leastOf(set, (selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return 0;
      if (selection.kind === Kind.FIELD)
        return Math.min(
          this.field(parent, selection.name.value),
          selection.selectionSet ? this.below(parent, selection.name.value, selection.selectionSet) : ANY,
        );
      const { typeCondition, selectionSet } = selection;
      const type = typeCondition ? this.full.getType(typeCondition.name.value) : parent;
      if (!type || this.isGuarded(type)) return 0;
      return this.selections(selectionSet, type);
    });
  }

  private below(parent: GraphQLNamedType, name: string, set: SelectionSetNode): number {
    const type = fieldOf(parent, name)?.type;
    return type ? this.selections(set, getNamedType(type)) : 0;
  }

  /** A field's value, without what is selected of it. Of an interface, whatever is behind it. */
  private field(parent: GraphQLNamedType, name: string): number {
    if (name === '__typename') return ANY;
    const field = fieldOf(parent, name);
    if (!field || !(isObjectType(parent) || isInterfaceType(parent))) return 0;
    if (this.requirements.ofField(parent, field)) return 0;
    const type = getNamedType(field.type);
    const own = this.hintOf(field);
    if (isObjectType(parent)) return this.value(type, own);
    const behind = this.full.getPossibleTypes(parent).map((each) => this.hintOf(fieldOf(each, name) ?? {}));
    return Math.min(ANY, ...behind.map((each) => this.value(type, stricter([own, each]))));
  }

  /** @param leading what the field says that leads to it */
  private value(type: GraphQLNamedType, leading: Hint): number {
    if (leading.isPrivate || this.isGuarded(type)) return 0;
    if (!isCompositeType(type)) return leading.maxAge ?? ANY;
    const own = this.hintOf(type);
    if (own.isPrivate) return 0;
    const said = leading.maxAge ?? own.maxAge ?? (leading.inherits || own.inherits ? ANY : 0);
    const behind = isAbstractType(type) ? this.full.getPossibleTypes(type).map((each) => this.hintOf(each)) : [];
    return Math.min(said, ...behind.map(({ maxAge = ANY, isPrivate }) => (isPrivate ? 0 : maxAge)));
  }

  private isGuarded(type: GraphQLNamedType): boolean {
    return this.requirements.ofType(type) !== null || this.requirements.ofImplementations(type) !== null;
  }

  private hintOf(definition: Definition): Hint {
    const hints = this.directives.flatMap((name) => applicationsOf(definition, name)).map((it) => hintSchema.parse(it));
    return hints.length > 1 ? stricter(hints) : (hints[0] ?? SILENT);
  }
}

/** Several say it of the same. */
function stricter(hints: readonly Hint[]): Hint {
  const saying = hints.filter((hint) => hint !== SILENT);
  const ages = saying.flatMap(({ maxAge }) => maxAge ?? []);
  return {
    maxAge: ages.length > 0 ? Math.min(...ages) : undefined,
    isPrivate: saying.some(({ isPrivate }) => isPrivate),
    inherits: saying.length > 0 && saying.every(({ inherits }) => inherits),
  };
}

function leastOf({ selections }: SelectionSetNode, of: (selection: SelectionNode) => number): number {
  return Math.min(ANY, ...selections.map(of));
}

function fieldOf(parent: GraphQLNamedType, name: string) {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

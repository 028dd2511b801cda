import type { Supergraph } from '@apollo/federation-internals';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { z } from 'zod';
import type { Principal } from '../subgraphs/kernel/principal.js';
import {
  AUTHENTICATED,
  applicationsOf,
  type Definition,
  directiveNameIn,
  POLICY,
  REQUIRES_SCOPES,
} from './admission.features.js';

/** Groups of scopes: one group must be there, with all its scopes. */
type ScopeGroups = readonly (readonly string[])[];

/** What an asker needs, to be given something. */
export interface Requirement {
  /** The same for equal requirements. */
  readonly key: string;
  readonly authenticated: boolean;
  /** Each of these must hold. */
  readonly scopes: readonly ScopeGroups[];
}

type Fielded = GraphQLObjectType | GraphQLInterfaceType;

const scopesSchema = z.object({ scopes: z.array(z.array(z.string()).nonempty()).nonempty() });

/** Whether this principal is given what that is required for. */
export function isMet({ authenticated, scopes }: Requirement, principal: Principal): boolean {
  if (authenticated && principal.kind === 'ANONYMOUS') return false;
  return scopes.every((groups) => groups.some((group) => group.every((scope) => principal.hasScope(scope))));
}

/** Both; null where nothing is required. */
export function both(left: Requirement | null, right: Requirement | null): Requirement | null {
  if (!left || !right || left.key === right.key) return left ?? right;
  return requirement(left.authenticated || right.authenticated, [...left.scopes, ...right.scopes]);
}

function requirement(authenticated: boolean, scopes: readonly ScopeGroups[]): Requirement {
  const distinct = new Map(scopes.map((groups) => [JSON.stringify(groups), groups]));
  const key = `${authenticated ? 'authenticated' : ''} ${[...distinct.keys()].toSorted().join(' ')}`;
  return { key, authenticated, scopes: [...distinct.values()] };
}

/**
 * What `@authenticated` and `@requiresScopes` of a supergraph ask for. The rules are Apollo Router's: requirements of a
 * type and of a field add up, and a field that an interface offers is had by who may have it of every implementation.
 */
export class Requirements {
  private readonly authenticated: string | null;
  private readonly scopes: string | null;
  private readonly known = new Map<string, Requirement | null>();

  /** @throws Error for a supergraph with `@policy`, or with scopes that say nothing: nobody could enforce them */
  constructor(
    supergraph: Supergraph,
    private readonly full: GraphQLSchema,
  ) {
    if (directiveNameIn(supergraph, POLICY, 'policy')) throw new Error('@policy is not supported: nothing enforces it');
    this.authenticated = directiveNameIn(supergraph, AUTHENTICATED, 'authenticated');
    this.scopes = directiveNameIn(supergraph, REQUIRES_SCOPES, 'requiresScopes');
    // Reads all of them now: one that cannot be enforced must not be found by the first who asks for it.
    for (const type of Object.values(full.getTypeMap())) {
      this.ofType(type);
      if (isObjectType(type) || isInterfaceType(type))
        for (const field of Object.values(type.getFields())) this.ofField(type, field);
    }
  }

  /** Nothing in this graph is protected. */
  get none(): boolean {
    return !this.authenticated && !this.scopes;
  }

  /** For a value of this type. An interface alone requires nothing: what is selected of it does. */
  ofType(type: GraphQLNamedType): Requirement | null {
    if (isInterfaceType(type)) return null;
    return this.remembered(type.name, () => this.withInherited(type, type));
  }

  /** For a value of an interface, whatever is behind it: what any of its implementations requires. */
  ofImplementations(type: GraphQLNamedType): Requirement | null {
    if (!isInterfaceType(type)) return null;
    return this.remembered(`${type.name} *`, () =>
      this.full.getPossibleTypes(type).reduce((sum, of) => both(sum, this.ofType(of)), this.written(type)),
    );
  }

  /** For the field itself, not for what it returns. */
  ofField(type: Fielded, field: GraphQLField<unknown, unknown>): Requirement | null {
    return this.remembered(`${type.name}.${field.name}`, () => {
      if (isObjectType(type)) return this.withInherited(type, field);
      return this.full.getPossibleTypes(type).reduce((sum, implementation) => {
        const own = implementation.getFields()[field.name];
        return own ? both(sum, this.ofField(implementation, own)) : sum;
      }, this.written(field));
    });
  }

  private remembered(key: string, read: () => Requirement | null): Requirement | null {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const found = read();
    this.known.set(key, found);
    return found;
  }

  /**
   * What is written on an object type or its field. Composers write on an interface what its implementations require.
   * Older ones also took what subgraphs had written on an interface alone, and anyone could get around it by naming an
   * implementation: that holds for every implementation here.
   */
  private withInherited(type: GraphQLNamedType, element: GraphQLNamedType | GraphQLField<unknown, unknown>) {
    const own = this.written(element);
    if (!isObjectType(type)) return own;
    const isField = element !== type;
    return type.getInterfaces().reduce((sum, face) => {
      const counterpart = (of: Fielded): Definition | undefined => (isField ? of.getFields()[element.name] : of);
      const above = this.written(counterpart(face) ?? {});
      const isAlone = !this.full.getPossibleTypes(face).some((of) => this.written(counterpart(of) ?? {}));
      return isAlone ? both(sum, above) : sum;
    }, own);
  }

  private written(definition: Definition): Requirement | null {
    const authenticated = applicationsOf(definition, this.authenticated).length > 0;
    const scopes = applicationsOf(definition, this.scopes).map((written) => {
      const { success, data } = scopesSchema.safeParse(written);
      // Read as "anyone" or as "nobody", it would surprise somebody.
      if (!success) throw new Error(`@${this.scopes} names no scopes: ${JSON.stringify(written)}`);
      return data.scopes;
    });
    return authenticated || scopes.length > 0 ? requirement(authenticated, scopes) : null;
  }
}

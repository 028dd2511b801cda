import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql';
import type { Place } from './execute.place.js';
import type { FieldCollection } from './shape.fields.js';

/** The places in a client's answer that stand for one place in what the fetches brought. */
export type PlaceTranslation = (place: Place) => readonly Place[];

/**
 * Compiles the way back from our names to the client's, for the paths of errors. A client that asks for one field under
 * two names reads its error at both.
 */
export function compilePlaces(
  schema: GraphQLSchema,
  fields: FieldCollection,
  nameOf: (field: FieldNode) => string,
  root: GraphQLObjectType,
  selectionSet: SelectionSetNode,
): PlaceTranslation {
  // Thousands of rows may each have an error at the same field.
  const known = new Map<string, readonly (readonly string[])[]>();

  const namesOf = (
    parents: readonly GraphQLObjectType[],
    sets: readonly SelectionSetNode[],
    path: readonly string[],
  ): readonly (readonly string[])[] => {
    const [name, ...rest] = path;
    if (name === undefined) return [[]];
    const found = new Map<string, readonly string[]>();
    for (const parent of parents)
      for (const [responseName, nodes] of fields.collect(parent, sets)) {
        const [node] = nodes;
        if (!node || nameOf(node) !== name) continue;
        const type = getNamedType(parent.getFields()[node.name.value]?.type);
        const inner = nodes.flatMap((each) => (each.selectionSet ? [each.selectionSet] : []));
        for (const tail of namesOf(objectsOf(schema, type), inner, rest)) {
          const names = [responseName, ...tail];
          found.set(names.join('.'), names);
        }
      }
    // Nothing that the client asked for: a key, or what another field requires. Its own name is all there is to tell.
    return found.size > 0 ? [...found.values()] : [path];
  };

  return (place) => {
    const path = place.filter((part) => typeof part === 'string');
    const key = path.join('.');
    const names = known.get(key) ?? namesOf([root], [selectionSet], path);
    known.set(key, names);
    return names.map((own) => withIndexes(place, own));
  };
}

function objectsOf(schema: GraphQLSchema, type: unknown): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return [type];
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
}

/** Puts the list indexes back where they were. */
function withIndexes(place: Place, names: readonly string[]): Place {
  const result: (string | number)[] = [];
  let next = 0;
  for (const part of place) {
    if (typeof part === 'number') {
      result.push(part);
      continue;
    }
    const name = names[next];
    if (name === undefined) break;
    result.push(name);
    next += 1;
  }
  return result;
}

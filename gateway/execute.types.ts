import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

/** Answers whether a fragment's type condition holds for a runtime type. Each pair is looked up once. */
export class TypeConditions {
  private readonly known = new Map<string, boolean>();

  /** @param schema the whole supergraph's: a plan also names types that clients cannot see */
  constructor(private readonly schema: GraphQLSchema) {}

  applies(condition: string, typename: string): boolean {
    if (condition === typename) return true;
    const key = `${condition} ${typename}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const applies = this.look(condition, typename);
    // Type names come from subgraphs: one that invents them must not fill the memory.
    if (this.schema.getType(typename)) this.known.set(key, applies);
    return applies;
  }

  /** Whether it can be what an object is: a subgraph that knows a type as an interface object only says the interface. */
  isObject(typename: string): boolean {
    return isObjectType(this.schema.getType(typename));
  }

  private look(condition: string, typename: string): boolean {
    const wider = this.schema.getType(condition);
    const type = this.schema.getType(typename);
    if (!isAbstractType(wider) || !(isObjectType(type) || isInterfaceType(type))) return false;
    return this.schema.isSubType(wider, type);
  }
}

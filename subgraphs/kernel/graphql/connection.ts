import 'reflect-metadata';
import { ArgsType, type ClassType, Directive, Field, Int, ObjectType } from 'type-graphql';
import { InvalidError } from '../error.js';
import type { Page, PageRequest } from '../page.js';

// Where resolvers look for them; services, which know no GraphQL, take them from the kernel's `page.ts`.
export { type Page, type PageRequest, pageOf } from '../page.js';

@Directive('@shareable')
@ObjectType({ description: 'Where a page lies in its list.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'There is more after `endCursor`.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'There is more before `startCursor`.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'The cursor of the first edge.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'The cursor of the last edge.' })
  endCursor!: string | null;
}

@ArgsType()
export class ConnectionArgs {
  @Field(() => Int, { nullable: true, description: 'How many from the start, at most 100.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many from the end, at most 100.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes before this cursor.' })
  before?: string | null;
}

const LARGEST_PAGE = 100;
const DEFAULT_PAGE = 20;

/** On a field that returns a connection: lets the gateway reckon from the page's size what an operation will cost. */
export function Paged(): MethodDecorator {
  return Directive(
    `@listSize(assumedSize: ${DEFAULT_PAGE}, slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)`,
  );
}

/**
 * @param key what the sort keys of this list look like: a cursor of another list is refused
 * @throws InvalidError INVALID_PAGE, INVALID_CURSOR
 */
export function pageRequest(args: ConnectionArgs, key: RegExp): PageRequest {
  const { first, last, after, before } = args;
  if (first != null && last != null) throw new InvalidError('INVALID_PAGE', 'Ask for `first` or `last`, not for both.');
  const limit = first ?? last ?? DEFAULT_PAGE;
  if (limit < 0 || limit > LARGEST_PAGE)
    throw new InvalidError('INVALID_PAGE', `A page has 0 to ${LARGEST_PAGE} entries.`, { most: LARGEST_PAGE });
  return {
    limit,
    after: after == null ? null : decodeCursor(after, key),
    before: before == null ? null : decodeCursor(before, key),
    backward: last != null,
  };
}

/** The opaque cursor of a sort key. */
export function encodeCursor(key: string): string {
  return Buffer.from(`k:${key}`, 'utf8').toString('base64url');
}

// Ours are ids and moments. What else a client sends must not reach the database: it refuses some characters.
const KEY = /^k:([\x20-\x7e]{1,200})$/;

function decodeCursor(cursor: string, form: RegExp): string {
  const [, key] = KEY.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (key === undefined || !form.test(key))
    throw new InvalidError('INVALID_CURSOR', 'This cursor is not one of this list.');
  return key;
}

export interface Edge<Node> {
  cursor: string;
  node: Node;
}

export interface Connection<Node> {
  edges: Edge<Node>[];
  nodes: Node[];
  pageInfo: PageInfo;
}

/** The connection of a page. */
export function connectionOf<Row, Node>(
  page: Page<Row>,
  keyOf: (row: Row) => string,
  toNode: (row: Row) => Node,
): Connection<Node> {
  const edges = page.rows.map((row) => ({ cursor: encodeCursor(keyOf(row)), node: toNode(row) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** The Relay types of a node type: `XConnection` and `XEdge`. */
export function connectionType<Node extends object>(
  name: string,
  node: () => ClassType<Node>,
): ClassType<Connection<Node>> {
  @ObjectType(`${name}Edge`, { description: 'One entry of a list, with its place.' })
  class EdgeType implements Edge<Node> {
    @Field(() => String, { description: 'The place of this entry.' })
    cursor!: string;

    @Field(node, { description: 'The entry.' })
    node!: Node;
  }

  @ObjectType(`${name}Connection`, { description: 'A page of a list.' })
  class ConnectionType implements Connection<Node> {
    @Field(() => [EdgeType], { description: 'The entries with their places.' })
    edges!: EdgeType[];

    @Field(() => [node()], { description: 'The entries alone.' })
    nodes!: Node[];

    @Field(() => PageInfo, { description: 'Whether there is more.' })
    pageInfo!: PageInfo;
  }

  return ConnectionType;
}

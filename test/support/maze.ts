import { parse } from 'graphql';
import { composeSupergraph } from '../../schema/compose.js';
import type { SubgraphModule } from '../gateway/conformance/federation.js';

// A graph in which the planner has a choice at each field: it weighs thousands of plans for some operations, and takes
// seconds, whatever machine it is on.

const FIELDS = Array.from({ length: 12 }, (_, index) => `part${index}`);
const part = () => ({ id: 'p', size: 1 });
const owner = `type Query { ${FIELDS.map((field) => `${field}: Part!`).join(' ')} } type Part @key(fields: "id") { id: ID! }`;
const choice = 'type Part @key(fields: "id") { id: ID! size: Int! @shareable }';
const resolvers = { Part: { __resolveReference: part, size: () => 1 } };

export const mazeModules: Readonly<Record<string, SubgraphModule>> = {
  owner: { sdl: owner, resolvers: { Query: Object.fromEntries(FIELDS.map((field) => [field, part])) } },
  left: { sdl: choice, resolvers },
  middle: { sdl: choice, resolvers },
  right: { sdl: choice, resolvers },
};

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])\n`;

export const mazeSupergraph = composeSupergraph(
  Object.entries(mazeModules).map(([name, { sdl }]) => ({
    name,
    url: `http://${name}.invalid`,
    typeDefs: parse(LINK + sdl),
  })),
);

/** Takes seconds to plan, and dozens of MiB. */
export const SLOW = `{ ${FIELDS.map((field) => `${field} { size }`).join(' ')} }`;

/** Takes milliseconds; another one for each number. */
export const quick = (number: number) => `query Quick${number} { part0 { id } }`;

import { describe, expect, it } from '@jest/globals';
import { conforming, representationsTo } from './conforming.js';

interface Seat {
  row: number;
  letter: string;
  hall: { id: string; house: { code: string } };
  sku: string;
}
const seat = (row: number, letter: string, hall: string): Seat => ({
  row,
  letter,
  hall: { id: hall, house: { code: `${hall}-house` } },
  sku: `${hall}${row}${letter}`,
});
const SEATS = [seat(1, 'A', 'h1'), seat(1, 'B', 'h1'), seat(2, 'A', 'h2')];
const found = (fits: (seat: Seat) => boolean) => SEATS.find(fits) ?? null;
type Reference = { sku?: string; row?: number; letter?: string; hall?: { id: string; house?: { code: string } } };
const bySku = ({ sku }: Reference) => found((one) => one.sku === sku);
const byPlace = ({ row, letter }: Reference) => found((one) => one.row === row && one.letter === letter);
const byHall = ({ row, hall, letter }: Reference) =>
  found((one) => one.row === row && one.letter === letter && one.hall.house.code === hall?.house?.code);

const theatre = conforming({
  resolvers: {
    Query: {
      seats: () => SEATS,
      sold: () => [SEATS[2], null, SEATS[0]],
      cheapest: () => SEATS[1],
    },
    Seat: {
      price: ({ sku }: Seat) => sku.length * 10,
      view: ({ row, letter }: Seat) => `${row}${letter} of the stage`,
      exit: ({ hall }: Seat) => `door of ${hall.house.code}`,
      neighbours: (self: Seat) => SEATS.filter((one) => one !== self),
    },
    Hall: { size: ({ id }: { id: string }) => (id === 'h1' ? 2 : 1) },
  },
  subgraphs: {
    seats: {
      sdl: `
        type Query { seats: [Seat!]! sold: [Seat] }
        type Seat @key(fields: "sku") @key(fields: "row letter") {
          sku: ID! row: Int! letter: String! hall: Hall! @shareable neighbours: [Seat!]!
        }
        type Hall @key(fields: "id") { id: ID! house: House! @shareable }
        type House @shareable { code: ID! }`,
      resolvers: {
        Seat: { __resolveReference: (ref: Reference) => (ref.sku ? bySku(ref) : byPlace(ref)) },
        Hall: { __resolveReference: ({ id }: { id: string }) => ({ id, house: { code: `${id}-house` } }) },
      },
    },
    prices: {
      sdl: `
        type Query { cheapest: Seat }
        type Seat @key(fields: "sku") { sku: ID! price: Int! }`,
      resolvers: { Seat: { __resolveReference: bySku } },
    },
    views: {
      sdl: 'type Seat @key(fields: "row letter") { row: Int! letter: String! view: String! }',
      resolvers: { Seat: { __resolveReference: byPlace } },
    },
    exits: {
      sdl: `
        type Seat @key(fields: "row letter hall { house { code } }") {
          row: Int! letter: String! hall: Hall! @shareable exit: String!
        }
        type Hall { house: House! @shareable }
        type House @shareable { code: ID! }`,
      resolvers: { Seat: { __resolveReference: byHall } },
    },
    halls: {
      sdl: 'type Hall @key(fields: "id") { id: ID! size: Int! }',
      resolvers: { Hall: { __resolveReference: (reference: object) => reference } },
    },
  },
});

describe('A key', () => {
  it('of one field leads to another subgraph', () => theatre.agree('{ seats { price } }'));
  it('of two fields leads to another subgraph', () => theatre.agree('{ seats { view } sold { view } }'));
  it('of nested objects leads to another subgraph', () => theatre.agree('{ seats { exit } }'));
  it('of an entity inside another', () => theatre.agree('{ seats { hall { size } exit hall { house { code } } } }'));

  it('is one of several: each subgraph is asked by its own', async () => {
    const query = '{ sold { price view exit hall { id size } } }';
    await theatre.agree(query);
    const fetches = await theatre.fetches(query);
    expect(representationsTo('prices', fetches)).toContainEqual({ __typename: 'Seat', sku: 'h22A' });
    expect(representationsTo('views', fetches)).toContainEqual({ __typename: 'Seat', row: 2, letter: 'A' });
    expect(representationsTo('exits', fetches)).toContainEqual({
      __typename: 'Seat',
      row: 2,
      letter: 'A',
      hall: { house: { code: 'h2-house' } },
    });
  });

  it('is fetched in between where the first subgraph has another one', async () => {
    const query = '{ cheapest { price view exit hall { size } } }';
    await theatre.agree(query);
    expect((await theatre.fetches(query)).map(({ subgraph }) => subgraph).slice(0, 2)).toEqual(['prices', 'seats']);
  });

  it('is never shown unless it is asked for', async () => {
    const { data } = await theatre.agree('{ cheapest { view } seats { hall { size } } }');
    expect(data?.['cheapest']).toEqual({ view: '1B of the stage' });
  });

  it('is right where the client gives its fields other names', () =>
    theatre.agree('{ seats { a: sku b: row c: letter d: hall { e: id f: house { g: code } } view exit } }'));

  it.each([
    '{ seats { sku: letter letter: sku price view } }',
    '{ seats { row: sku hall: letter exit price view } }',
    '{ seats { hall { id: __typename size } exit } }',
    '{ seats { sku: view price } }',
    '{ cheapest { row: price sku: view letter: exit } }',
  ])("is right where the client gives a key's name to another field: %s", (query) => theatre.agree(query));

  it('leads on from entities that another entity holds', () =>
    theatre.agree('{ cheapest { neighbours { view price neighbours { sku exit price } } } }'));
});

describe('A subgraph that cannot be entered by a key (resolvable: false)', () => {
  const orders = conforming({
    resolvers: {
      Query: {
        orders: () => [
          { id: 'o1', buyer: { id: 'u1' } },
          { id: 'o2', buyer: { id: 'u2' } },
        ],
        me: () => ({ id: 'u1' }),
      },
      User: {
        name: ({ id }: { id: string }) => `User ${id}`,
        orders: ({ id }: { id: string }) => [{ id: `o${id.slice(1)}`, buyer: { id } }],
      },
    },
    references: { User: (reference: object) => reference },
    subgraphs: {
      orders: `
        type Query { orders: [Order!]! }
        type Order @shareable { id: ID! buyer: User! }
        type User @key(fields: "id", resolvable: false) { id: ID! }`,
      users: `
        type Query { me: User! }
        type User @key(fields: "id") { id: ID! name: String! }`,
      history: `
        type User @key(fields: "id") { id: ID! orders: [Order!]! }
        type Order @shareable { id: ID! buyer: User! }`,
    },
  });
  it('gives its key and is left for all else', async () => {
    await orders.agree('{ orders { id buyer { id } } }');
    await orders.agree('{ orders { id buyer { name id } } me { name } }');
  });
});

import { describe, expect, it } from '@jest/globals';
import { conforming, refusal, representationsTo } from './conforming.js';

interface Parcel {
  id: string;
  weight: number | null;
  size?: { height: number; width: number; unit: { name: string } } | null;
  tags?: (string | null)[] | null;
  parts?: { code: string; grams: number }[] | null;
  content?: { __typename: string; name?: string; volume?: number; amount: number | null } | null;
}

const PARCELS: Parcel[] = [
  {
    id: 'p1',
    weight: 10,
    size: { height: 2, width: 3, unit: { name: 'cm' } },
    tags: ['a', 'b'],
    parts: [
      { code: 'x', grams: 4 },
      { code: 'y', grams: 6 },
    ],
    content: { __typename: 'Solid', name: 'brick', amount: 3 },
  },
  { id: 'p2', weight: 0, size: null, tags: [], parts: [], content: { __typename: 'Liquid', volume: 5, amount: null } },
  {
    id: 'p3',
    weight: null,
    size: { height: 1, width: 1, unit: { name: 'in' } },
    tags: null,
    parts: null,
    content: null,
  },
];
const byId = ({ id }: { id: string }) => PARCELS.find((parcel) => parcel.id === id);
const weigh = ({ weight }: Parcel, { factor }: { factor: number }) => (weight === null ? null : weight * factor);

// Each is a function of what it requires alone: of a representation where its subgraph runs it.
const shipping = {
  Parcel: {
    postage: ({ weight }: Parcel) => (weight === null || weight === undefined ? null : weight * 2),
    area: ({ size }: Parcel) => (size ? `${size.height * size.width}${size.unit.name}` : 'none'),
    label: ({ tags }: Parcel) => (tags ? tags.join('+') : 'untagged'),
    contents: ({ parts }: Parcel) => (parts ?? []).map(({ code, grams }) => ({ id: code, heavy: grams > 5 })),
    insured: ({ weight, size }: Parcel) => `${weight ?? '?'}/${size?.height ?? '?'}`,
    load: ({ content }: Parcel) => (content ? `load ${content.amount}` : 'no load'),
    hint: ({ content }: Parcel) => content?.name ?? content?.volume?.toString() ?? 'nothing',
  },
};

const post = conforming({
  resolvers: {
    Query: {
      parcels: () => PARCELS,
      parcel: (_: unknown, ref: { id: string }) => byId(ref),
      shelves: () => [[PARCELS[0]], [PARCELS[1], PARCELS[2]]],
    },
    Parcel: {
      ...shipping.Parcel,
      heaviness: (parcel: Parcel) => weigh(parcel, { factor: 1000 }),
      weightIn: weigh,
      total: (parcel: Parcel) => {
        const postage = shipping.Parcel.postage(parcel);
        return postage === null ? null : postage + 1;
      },
      invoice: (parcel: Parcel) => {
        const postage = shipping.Parcel.postage(parcel);
        return { text: `pay ${postage === null ? 'null' : postage + 1} for ${parcel.id}` };
      },
    },
    Content: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
  },
  references: { Parcel: byId },
  subgraphs: {
    parcels: `
      type Query { parcels: [Parcel!]! parcel(id: ID!): Parcel shelves: [[Parcel]] }
      type Parcel @key(fields: "id") {
        id: ID! weight: Int size: Size tags: [String] parts: [Part!] content: Content
        weightIn(factor: Int! = 1): Int
      }
      type Size { height: Int! width: Int! unit: Unit! }
      type Unit { name: String! }
      type Part { code: ID! grams: Int! }
      union Content = Solid | Liquid
      type Solid { name: String! amount: Int! } type Liquid { volume: Int! amount: Float }`,
    shipping: {
      sdl: `
        type Parcel @key(fields: "id") {
          id: ID!
          weight: Int @external
          size: Size @external
          tags: [String] @external
          parts: [Part!] @external
          content: Content @external
          weightIn(factor: Int! = 1): Int @external
          postage: Int @requires(fields: "weight")
          area: String! @requires(fields: "size { height width unit { name } }")
          label: String! @requires(fields: "tags")
          contents: [Content2!]! @requires(fields: "parts { code grams }")
          insured: String @requires(fields: "weight size { height }")
          hint: String @requires(fields: "content { __typename ... on Solid { name } ... on Liquid { volume } }")
          load: String @requires(fields: "content { ... on Solid { amount } ... on Liquid { amount } }")
          heaviness: Int @requires(fields: "weightIn(factor: 1000)")
        }
        type Content2 @key(fields: "id") { id: ID! heavy: Boolean! }
        type Size @external { height: Int! width: Int! unit: Unit! }
        type Unit @external { name: String! }
        type Part @external { code: ID! grams: Int! }
        union Content = Solid | Liquid
        type Solid @external { name: String! amount: Int! }
        type Liquid @external { volume: Int! amount: Float }`,
      resolvers: {
        Parcel: {
          __resolveReference: (reference: Parcel) => reference,
          heaviness: ({ weightIn }: { weightIn: number | null }) => weightIn,
        },
      },
    },
    billing: {
      sdl: `
        type Parcel @key(fields: "id") {
          id: ID! postage: Int @external
          total: Int @requires(fields: "postage")
        }`,
      resolvers: {
        Parcel: {
          __resolveReference: (reference: Parcel) => reference,
          total: ({ postage }: { postage: number | null }) => (postage === null ? null : postage + 1),
        },
      },
    },
    invoices: {
      sdl: `
        type Parcel @key(fields: "id") {
          id: ID! total: Int @external
          invoice: Invoice! @requires(fields: "total")
        }
        type Invoice { text: String! }`,
      resolvers: {
        Parcel: {
          __resolveReference: (reference: Parcel) => reference,
          invoice: ({ id, total }: { id: string; total: number | null }) => ({ text: `pay ${total} for ${id}` }),
        },
      },
    },
  },
});

describe('@requires', () => {
  it.each([
    ['a scalar', 'postage'],
    ['a scalar that is asked for too', 'weight postage'],
    ['a scalar that is asked for under another name', 'w: weight postage weight2: weight'],
    ['an object, nested', 'area'],
    ['an object that is asked for in part', 'size { width } area size { unit { name } }'],
    ['a list of scalars', 'label'],
    ['a list of objects', 'contents { id heavy }'],
    ['several fields', 'insured'],
    ['members of a union', 'hint'],
    ['a field with an argument', 'heaviness'],
    [
      'a field with an argument, asked for with another one elsewhere',
      'w: weightIn(factor: 3) heaviness other: weightIn',
    ],
    ['what another subgraph requires something for', 'total'],
    ['a chain of three subgraphs', 'invoice { text }'],
    ['all of them at once', 'invoice { text } total postage area label contents { heavy } insured hint heaviness'],
    ['all of them twice', 'a: postage b: postage c: total d: total e: invoice { t: text } f: invoice { text }'],
  ])('brings what a field needs from another subgraph: %s', async (_what, selection) => {
    await post.agree(`{ parcels { ${selection} } }`);
    await post.agree(`{ shelves { id ${selection} } }`);
    await post.agree(`query ($id: ID!) { parcel(id: $id) { ${selection} } }`, { id: 'p1' });
    await post.agree(`query ($id: ID!) { parcel(id: $id) { ${selection} } }`, { id: 'none' });
  });

  it.each([
    ['an object', 'size: id area'],
    ['a scalar', 'weight: id postage'],
    ['a scalar, by what requires it', 'weight: postage'],
    ['the key', 'id: weight postage'],
    ['the key, by what requires something', 'id: postage weight: area'],
    ['a field with other arguments', 'weightIn(factor: 3) heaviness other: weightIn'],
    ['a field inside what is required', 'size { height: width } area insured'],
  ])('is right where the client gives the name of what is required to another field: %s', (_what, selection) =>
    post.agree(`{ parcels { ${selection} } shelves { ${selection} } }`),
  );

  it.each([
    ['alone', 'load'],
    ['with what is asked for', 'load content { ... on Solid { amount } ... on Liquid { l: amount } }'],
  ])(
    'brings members of a union whose fields have one name and different types, also when null: %s',
    (_what, selection) => post.agree(`{ parcels { ${selection} } }`),
  );

  it('does not show what it needed', async () => {
    const { data } = await post.agree('{ parcel(id: "p1") { invoice { text } } }');
    expect(data).toEqual({ parcel: { invoice: { text: 'pay 21 for p1' } } });
  });

  it('hands a null over as null', async () => {
    const fetches = await post.fetches('{ parcel(id: "p3") { postage area } }');
    expect(representationsTo('shipping', fetches)).toEqual([
      { __typename: 'Parcel', id: 'p3', weight: null, size: { height: 1, width: 1, unit: { name: 'in' } } },
    ]);
  });

  it('spares what is skipped', async () => {
    const query = 'query ($if: Boolean!) { parcels { id postage @include(if: $if) invoice @skip(if: $if) { text } } }';
    for (const value of [true, false]) await post.agree(query, { if: value });
  });

  it('is spared alone: what is skipped takes nothing else of the same subgraph with it', async () => {
    const query = `query ($if: Boolean!) {
      parcels { postage label @skip(if: $if) area @include(if: $if) ... @skip(if: $if) { contents { id } } insured }
    }`;
    for (const value of [true, false]) await post.agree(query, { if: value });
  });

  it('follows a field that is required inside a list that is required', () =>
    post.agree('{ shelves { contents { id heavy } parts { code } } }'));
});

const failing = conforming({
  resolvers: {
    Query: { rooms: () => ['r1', 'r2', 'r3', 'r4'].map((id) => ({ id })) },
    Room: {
      beds: ({ id }: { id: string }) => {
        if (id === 'r2') throw refusal('NO_BEDS');
        return id === 'r3' ? null : 2;
      },
      // In a monolith it asks its sibling itself; a federation cannot compute it without.
      guests: ({ id }: { id: string }) => (['r1', 'r4'].includes(id) ? 4 : null),
      noise: ({ id }: { id: string }) => {
        if (id === 'r4') throw refusal('TOO_LOUD');
        return 'quiet';
      },
    },
  },
  references: { Room: (reference: object) => reference },
  subgraphs: {
    rooms: 'type Query { rooms: [Room!]! } type Room @key(fields: "id") { id: ID! }',
    beds: 'type Room @key(fields: "id") { id: ID! beds: Int noise: String }',
    guests: {
      sdl: `type Room @key(fields: "id") { id: ID! beds: Int @external guests: Int @requires(fields: "beds") }`,
      resolvers: {
        Room: {
          guests: ({ beds }: { beds?: number | null }) => (beds === null || beds === undefined ? null : beds * 2),
        },
      },
    },
  },
});

describe('A required field that fails', () => {
  it('leaves what requires it null, and has its own error once, also where nobody asked for it', async () => {
    const { data, errors } = await failing.answer('{ rooms { id guests } }');
    expect(data).toEqual({
      rooms: [
        { id: 'r1', guests: 4 },
        { id: 'r2', guests: null },
        { id: 'r3', guests: null },
        { id: 'r4', guests: 4 },
      ],
    });
    // A monolith asks no sibling, so it has no such error. Without one the client would not know why it has nothing.
    expect(errors?.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([
      [['rooms', 1, 'beds'], 'NO_BEDS'],
    ]);
  });

  it('is one error where it is asked for too', async () => {
    await failing.agree('{ rooms { id beds guests } }');
  });

  it('does not disturb its siblings', async () => {
    const { errors } = await failing.agree('{ rooms { guests noise beds } }');
    expect(errors).toHaveLength(2);
  });
});

import { describe, expect, it } from '@jest/globals';
import { sleep } from '../../../subgraphs/kernel/clock.js';
import { cacheable } from '../../support/cache-control.js';
import { conforming, refusal } from './conforming.js';
import { type AskedContext, compose, federate, ways } from './federation.js';

// In a monolith everything knows what it was reached by (`above`); a subgraph is given that as an argument.

interface Shop {
  id: string;
  currency: string;
  units: (string | null)[] | null;
  law: { tax: { rate: number } | null } | null;
  offers: (string | null)[];
  best: string;
  shelves: ({ name: string } | null)[];
}

const SHOPS: Shop[] = [
  {
    id: 's1',
    currency: 'EUR',
    units: ['kg', null],
    law: { tax: { rate: 20 } },
    offers: ['p1', null, 'p2'],
    best: 'p1',
    shelves: [{ name: 'a' }, null],
  },
  { id: 's2', currency: 'JPY', units: [], law: { tax: null }, offers: ['p1', 'p3'], best: 'p1', shelves: [] },
  {
    id: 's3',
    currency: 'EUR',
    units: null,
    law: null,
    offers: ['p2', 'p1', 'p1'],
    best: 'p2',
    shelves: [{ name: 'c' }],
  },
  {
    id: 's4',
    currency: 'USD',
    units: ['lb'],
    law: { tax: { rate: 0 } },
    offers: [],
    best: 'p4',
    shelves: [{ name: 'd' }, { name: 'e' }],
  },
];

interface Sold {
  id: string;
  above: Pick<Shop, 'currency' | 'units' | 'law' | 'shelves'>;
}

const soldAt = (above: Sold['above'], id: string | null): Sold | null => (id === null ? null : { id, above });
const shopById = ({ id }: { id: string }) => SHOPS.find((shop) => shop.id === id);
const productIn = ({ id }: { id: string }) => ({ id });

function priceIn(id: string, currency: string): string {
  if (id === 'p3' && currency === 'JPY') throw refusal('NOT_SOLD');
  return `${id} for 10 ${currency}`;
}
const taxed = (id: string, rate: number | null | undefined, currency: string, plus: number) =>
  `${id} for ${10 + plus} ${currency} and ${rate ?? 'no'} tax`;
const sizes = (id: string, units: readonly (string | null)[] | null | undefined) =>
  units ? units.map((unit) => unit && `${id} in ${unit}`) : null;
const shelved = (id: string, names: readonly (string | null)[]) => `${id} on ${JSON.stringify(names)}`;
const label = (id: string, weight: number, currency: string) => `${id}: ${weight} grams, ${currency}`;
const weightOf = ({ id }: { id: string }) => Number(id.slice(1)) * 100;

const market = conforming({
  resolvers: {
    Query: {
      shops: () => SHOPS,
      shop: (_: unknown, reference: { id: string }) => shopById(reference),
      streets: () => [[SHOPS[0], null], [SHOPS[1], SHOPS[2]], []],
    },
    Mutation: {
      open: (_: unknown, { id }: { id: string }) => shopById({ id }),
      move: (_: unknown, { id }: { id: string }) => ({ shop: shopById({ id }) }),
    },
    Shop: {
      offers: (shop: Shop) => shop.offers.map((id) => soldAt(shop, id)),
      best: (shop: Shop) => soldAt(shop, shop.best),
      counter: (shop: Shop) => ({ ...shop, currency: `${shop.currency} cash` }),
      sign: ({ id }: Shop) => `to ${id}`,
    },
    Counter: { gift: (counter: Shop) => soldAt(counter, counter.best) },
    Product: {
      price: ({ id, above }: Sold) => priceIn(id, above.currency),
      firm: ({ id, above }: Sold) => priceIn(id, above.currency),
      taxed: ({ id, above }: Sold, { plus }: { plus: number }) => taxed(id, above.law?.tax?.rate, above.currency, plus),
      sizes: ({ id, above }: Sold) => sizes(id, above.units),
      shelved: ({ id, above }: Sold) =>
        shelved(
          id,
          above.shelves.map((shelf) => shelf?.name ?? null),
        ),
      label: ({ id, above }: Sold) => label(id, weightOf({ id }), above.currency),
      origin: ({ id }: Sold) => SHOPS[Number(id.slice(1)) % SHOPS.length],
      weight: weightOf,
      box: ({ id, above }: Sold) => ({ of: id, above }),
    },
    Box: {
      layers: ({ of, above }: { of: string; above: Shop }) => [[soldAt(above, of), soldAt(above, 'p2')], []],
      contents: ({ above }: { above: Shop }) => ({ name: 'contents', product: soldAt(above, 'p4') }),
    },
  },
  references: { Shop: shopById, Product: productIn },
  subgraphs: {
    shops: {
      sdl: `
        type Query { shops: [Shop!]! shop(id: ID!): Shop streets: [[Shop]!]! }
        type Mutation { open(id: ID!): Shop move(id: ID!): Move }
        type Move { shop: Shop }
        type Shop @key(fields: "id") @context(name: "shop") {
          id: ID! currency: String! units: [String] law: Law offers: [Product]! best: Product! counter: Counter!
          shelves: [Shelf]
        }
        type Shelf { name: String! }
        type Law { tax: Tax }
        type Tax { rate: Int }
        type Counter @key(fields: "id") @context(name: "shop") {
          id: ID! currency: String! units: [String] law: Law gift: Product shelves: [Shelf]
        }
        type Product @key(fields: "id") {
          id: ID!
          weight: Int! @external
          origin: Shop
          price(currency: String @fromContext(field: "$shop { currency }")): String
          firm(currency: String @fromContext(field: "$shop { currency }")): String!
          taxed(
            rate: Int @fromContext(field: "$shop { law { tax { rate } } }")
            currency: String @fromContext(field: "$shop { currency }")
            plus: Int! = 0
          ): String
          sizes(units: [String] @fromContext(field: "$shop { units }")): [String]
          shelved(names: [String] @fromContext(field: "$shop { shelves { name } }")): String
          label(currency: String @fromContext(field: "$shop { currency }")): String @requires(fields: "weight")
        }`,
      resolvers: {
        Product: {
          __resolveReference: (reference: object) => reference,
          price: ({ id }: Sold, { currency }: { currency: string }) => priceIn(id, currency),
          firm: ({ id }: Sold, { currency }: { currency: string }) => priceIn(id, currency),
          taxed: ({ id }: Sold, given: { rate: number | null; currency: string; plus: number }) =>
            taxed(id, given.rate, given.currency, given.plus),
          sizes: ({ id }: Sold, { units }: { units: string[] | null }) => sizes(id, units),
          shelved: ({ id }: Sold, { names }: { names: string[] }) => shelved(id, names),
          label: ({ id, weight }: { id: string; weight: number }, { currency }: { currency: string }) =>
            label(id, weight, currency),
        },
      },
    },
    stock: {
      sdl: `
        type Product @key(fields: "id") { id: ID! weight: Int! box: Box! }
        type Box { layers: [[Product]!]! contents: Contents! }
        type Contents { name: String! product: Product }`,
      resolvers: {
        Box: {
          layers: ({ of }: { of: string }) => [[{ id: of }, { id: 'p2' }], []],
          contents: () => ({ name: 'contents', product: { id: 'p4' } }),
        },
      },
    },
    signs: 'type Shop @key(fields: "id") { id: ID! sign: String! }',
  },
});

describe('@fromContext', () => {
  it.each([
    ['one field', 'offers { price }'],
    ['beside other fields', 'currency offers { id price weight } sign'],
    ['two arguments of one field, one of them nested', 'offers { taxed }'],
    ['beside the client’s own arguments', 'offers { a: taxed(plus: 1) b: taxed(plus: 2) taxed }'],
    ['a list', 'offers { sizes }'],
    ['what each object of a list has', 'best { shelved } offers { shelved sizes } shelves { name: __typename }'],
    ['all of them, under other names', 'best { p: price q: price t: taxed u: sizes w: weight currency: id }'],
    ['where the client gives the value’s name to another field', 'currency: id units: sign offers { price sizes }'],
    ['what is required too', 'offers { label id } best { label weight }'],
    ['through another subgraph’s lists', 'best { box { layers { id price } } }'],
    [
      'through what another subgraph answers once for several',
      'best { box { contents { name product { price taxed } } } }',
    ],
    ['through both', 'best { price box { layers { price box { contents { product { price label } } } } } }'],
  ])('gives a field what stands above it: %s', async (_what, selection) => {
    await market.agree(`{ shops { ${selection} } }`);
    await market.agree(`{ streets { ${selection} } }`);
    await market.agree(`query ($id: ID!) { shop(id: $id) { ${selection} } }`, { id: 's2' });
    await market.agree(`query ($id: ID!) { shop(id: $id) { ${selection} } }`, { id: 'none' });
    await market.agree(`mutation { open(id: "s3") { ${selection} } move(id: "s2") { shop { ${selection} } } }`);
  });

  it('gives one entity in several places the value of each', async () => {
    const { data } = await market.agree('{ shops { best { price box { contents { product { price } } } } } }');
    expect(data?.['shops']).toEqual([
      { best: { price: 'p1 for 10 EUR', box: { contents: { product: { price: 'p4 for 10 EUR' } } } } },
      { best: { price: 'p1 for 10 JPY', box: { contents: { product: { price: 'p4 for 10 JPY' } } } } },
      { best: { price: 'p2 for 10 EUR', box: { contents: { product: { price: 'p4 for 10 EUR' } } } } },
      { best: { price: 'p4 for 10 USD', box: { contents: { product: { price: 'p4 for 10 USD' } } } } },
    ]);
  });

  it('tells requests at the same time apart, and asks for all of them at once', async () => {
    const query =
      'query ($id: ID!) { shop(id: $id) { offers { price taxed } best { price box { contents { name } } } } }';
    await Promise.all(['s1', 's2', 's3', 's4', 's2', 's1'].map((id) => market.agree(query, { id })));
  });

  it('takes the nearest of several', async () => {
    await market.agree('{ shops { best { price } counter { gift { price taxed } currency } } }');
    await market.agree('{ shops { best { price origin { best { price origin { counter { gift { price } } } } } } } }');
  });

  it('asks for each entity once in each context, for all contexts at once', async () => {
    const fetches = await market.fetches('{ shops { offers { price } } }');
    const asked = fetches.slice(1).flatMap(({ variables }) =>
      Object.entries(variables)
        .filter(([name]) => name.startsWith('representations'))
        .flatMap(([name, representations]) => {
          const [, context = ''] = name.split('_');
          const [currency] = Object.entries(variables).filter(([of]) => /^con.*_(\d+)$/.exec(of)?.[1] === context);
          return (representations as { id: string }[]).map(({ id }) => `${id} ${currency?.[1]}`);
        }),
    );
    expect(asked.toSorted()).toEqual(['p1 EUR', 'p1 JPY', 'p2 EUR', 'p3 JPY']);
    expect(fetches).toHaveLength(2);
  });

  it.each([true, false])('is spared what is skipped, and alone: %s', async (value) => {
    await market.agree(
      `query ($if: Boolean!) {
        shops { best { price @skip(if: $if) weight sizes @include(if: $if) } offers @include(if: $if) { taxed label } }
        streets { ... @skip(if: $if) { best { box { layers { price } } } } }
      }`,
      { if: value },
    );
  });

  it('has its errors at their places, in each context its own', async () => {
    const { errors } = await market.agree('{ shops { offers { price id } } streets { offers { name: price } } }');
    expect(errors?.map(({ path }) => path?.join('.'))).toEqual(['shops.1.offers.1.price', 'streets.1.0.offers.1.name']);
  });

  it('leaves null where it fails and is promised, and no more', () =>
    market.agree('{ shops { id offers { id firm } } }'));

  it.each(['"USD"', 'null'])('is nothing that a client can give: %s', async (currency) => {
    await market.refuse(`{ shops { best { price(currency: ${currency}) } } }`);
    const type = '{ __type(name: "Product") { fields { name args { name } } } }';
    expect(JSON.stringify((await market.agree(type)).data)).not.toMatch(/currency|units|rate/);
  });

  it('is nothing that a client’s variables stand in for', async () => {
    const variables = Object.fromEntries([0, 1, 2, 3, 4, 5].map((each) => [`contextualArgument_1_${each}`, 'mine']));
    await market.agree('{ shops { best { price taxed sizes label } } }', variables);
    await market.agree(
      `query ($contextualArgument_1_2: Int!, $own_contextualArgument_1_2: Int!) {
        shops {
          best { price shelved sizes label }
          offers { taxed(plus: $contextualArgument_1_2) t: taxed(plus: $own_contextualArgument_1_2) }
        }
      }`,
      { contextualArgument_1_2: 7, own_contextualArgument_1_2: 8 },
    );
  });
});

const PLACES = [
  { __typename: 'Mall', id: 'm1', floor: 'third', good: 'g1' },
  { __typename: 'Kiosk', id: 'k1', name: 'Kiosk', owner: 'Ada', good: 'g1' },
  { __typename: 'Tent', id: 't1', good: 'g1' },
  { __typename: 'Kiosk', id: 'k2', name: null, owner: null, good: 'g2' },
];

interface Place {
  id: string;
  name?: string | null;
  owner?: string | null;
  floor?: string;
  good: string;
}

/** What stands above something, if it has a name. */
interface Below {
  id: string;
  by?: string | null;
}

const WALKS = [
  { id: 'w1', name: 'Walk One', stops: PLACES },
  { id: 'w2', name: 'Walk Two', stops: PLACES.slice(1, 3) },
];
const SPOTS = [
  { __typename: 'Square', id: 's1', width: 'wide' },
  { __typename: 'Corner', id: 's2', street: 'High Street' },
];
const MEDIA = [
  { __typename: 'Movie', id: 'v1', title: 'A movie' },
  { __typename: 'Book', id: 'b1', title: 'A book' },
];

const said = ({ id, by }: Below) => `${id} by ${by ?? 'nobody'}`;
/** The same in a subgraph, where it is told. */
const told = { by: ({ id }: Below, { by }: Pick<Below, 'by'>) => said({ id, by }) };
const itself = { by: said };
const typeOf = ({ __typename }: { __typename: string }) => __typename;
const kept = { kept: ({ good, owner, floor }: Place): Below => ({ id: good, by: owner ?? floor }) };
const named = { named: ({ good, above }: Place & { above: Below['by'] }): Below => ({ id: good, by: above }) };
const titled = { copy: ({ title }: { title: string }): Below => ({ id: 'c1', by: title }) };
const mediaById = ({ id }: { id: string }) => MEDIA.find((each) => each.id === id);

const places = conforming({
  resolvers: {
    Query: {
      walks: () => WALKS,
      spots: () => SPOTS,
      media: () => MEDIA,
      lists: () => [...MEDIA, MEDIA[0]],
      language: () => 'zh',
      spoken: (): Below => ({ id: 'x1', by: 'zh' }),
      guide: () => ({ word: { id: 'x2', by: 'zh' } }),
    },
    Walk: {
      stops: ({ stops, name }: (typeof WALKS)[number]) => stops.map((place) => ({ ...place, above: name })),
    },
    Place: { __resolveType: typeOf },
    Spot: { __resolveType: typeOf },
    Media: { __resolveType: typeOf, copies: (media: { title: string }) => [titled.copy(media)], ...titled },
    Kiosk: { ...kept, named: ({ good, name }: Place): Below => ({ id: good, by: name }) },
    Mall: { ...kept, ...named },
    Tent: { ...kept, ...named },
    Corner: { seen: ({ street }: { street: string }): Below => ({ id: 'n1', by: street }) },
    Square: { seen: ({ width }: { width: string }): Below => ({ id: 'n1', by: width }) },
    Kept: itself,
    Seen: itself,
    Named: itself,
    Copy: itself,
    Word: itself,
  },
  references: { Copy: (reference: object) => reference, Media: mediaById, Book: mediaById, Movie: mediaById },
  subgraphs: {
    places: {
      sdl: `
        type Query @context(name: "query") {
          walks: [Walk!]! spots: [Spot!]! media: [Media!]! language: String spoken: Word
        }
        type Walk @key(fields: "id") @context(name: "walk") { id: ID! name: String stops: [Place!]! }
        interface Place @context(name: "place") { id: ID! kept: Kept named: Named }
        type Kiosk implements Place @key(fields: "id") @context(name: "walk") {
          id: ID! name: String owner: String kept: Kept named: Named
        }
        type Mall implements Place @key(fields: "id") { id: ID! floor: String kept: Kept named: Named }
        type Tent implements Place @key(fields: "id") { id: ID! kept: Kept named: Named }
        type Kept @key(fields: "id") {
          id: ID!
          by(by: String @fromContext(field: "$place ... on Kiosk { owner } ... on Mall { floor }")): String
        }
        type Named @key(fields: "id") { id: ID! by(by: String @fromContext(field: "$walk { name }")): String }

        union Spot @context(name: "spot") = Corner | Square
        type Corner @key(fields: "id") { id: ID! street: String seen: Seen }
        type Square @key(fields: "id") { id: ID! width: String seen: Seen }
        type Seen @key(fields: "id") {
          id: ID!
          by(by: String @fromContext(field: "$spot ... on Square { width } ... on Corner { street }")): String
        }

        interface Media @key(fields: "id") @context(name: "media") { id: ID! title: String copy: Copy }
        type Book implements Media @key(fields: "id") { id: ID! title: String copy: Copy }
        type Movie implements Media @key(fields: "id") { id: ID! title: String copy: Copy }
        type Copy @key(fields: "id") { id: ID! by(by: String @fromContext(field: "$media { title }")): String }

        type Word @key(fields: "id") { id: ID! by(by: String @fromContext(field: "$query { language }")): String }`,
      resolvers: { Book: titled, Movie: titled, Kept: told, Seen: told, Named: told, Copy: told, Word: told },
    },
    lists: {
      sdl: `
        type Query { lists: [Media!]! guide: Guide! }
        type Guide { word: Word }
        type Word @key(fields: "id") { id: ID! }
        type Media @key(fields: "id") @interfaceObject { id: ID! copies: [Copy] }
        type Copy @key(fields: "id") { id: ID! }`,
      resolvers: {
        Query: { lists: () => [...MEDIA, MEDIA[0]].map((each) => ({ id: each?.id })) },
        Media: { copies: () => [{ id: 'c1' }], __resolveReference: ({ id }: Below) => ({ id }) },
      },
    },
  },
});

describe('A context on abstract types', () => {
  it('is what the type says whose object it is, and null where none does', async () => {
    await places.agree('{ walks { stops { __typename kept { by } } } }');
    const { data } = await places.agree('{ walks { stops { kept { by } } } }');
    expect(JSON.stringify(data).match(/g\d by \w+/g)).toEqual(
      ['third', 'Ada', 'nobody', 'nobody', 'Ada', 'nobody'].map((by, index) => `g${index === 3 ? 2 : 1} by ${by}`),
    );
  });

  it('is what a member of a union says', () =>
    places.agree('{ spots { ... on Corner { seen { by } } ... on Square { width seen { id name: by } } } }'));

  it.each(['Mall Tent Kiosk', 'Kiosk Tent Mall'])(
    'is the nearest for each, where some of those in one list have a nearer one: %s',
    async (types) => {
      const parts = types.split(' ').map((type) => `... on ${type} { named { by id } }`);
      const { data } = await places.agree(`{ walks { stops { ${parts.join(' ')} } } }`);
      expect(
        JSON.stringify(data)
          .match(/by \w+/g)
          ?.join(),
      ).toBe('by Walk,by Kiosk,by Walk,by nobody,by Kiosk,by Walk');
    },
  );

  it('is found where a subgraph knows the interface as an object', async () => {
    await places.agree('{ lists { copies { by } } media { copy { by } copies { id by } } }');
    await places.agree('{ lists { __typename copy { by } title copies { id } } }');
  });

  it('is found on the query type', async () => {
    await places.agree('{ spoken { by } guide { word { id by } } language }');
    await places.agree('{ language: __typename spoken { id by } }');
  });
});

const RATES = new Map<string, string | null>([
  ['c1', '7.1'],
  ['c2', null],
  ['c3', '0.9'],
]);
let rates: 'there' | 'failing' | 'gone' = 'there';
let areGoodsGone = false;
let isOneEnough = false;
/** So that a neighbour that does not wait for it is first. */
const rateOf = async ({ id }: { id: string }) => {
  await sleep(20);
  if (rates === 'failing' && id === 'c1') throw refusal('NO_RATE');
  return RATES.get(id);
};

interface Country {
  id: string;
}

const countries = conforming(
  {
    resolvers: {
      Query: { countries: () => [...RATES.keys()].map((id) => ({ id })) },
      Country: {
        rate: rateOf,
        goods: (country: Country) => [
          { id: 'g1', country },
          { id: 'g2', country },
        ],
        street: (country: Country) => ({ id: country.id, country }),
      },
      Street: { stalls: ({ country }: { country: Country }) => [[{ good: { id: 'g1', country } }], []] },
      Good: {
        local: ({ id, country }: { id: string; country: Country }) => {
          if (id === 'g2' && country.id === 'c3') throw refusal('NOT_THERE');
          return `${id} at ${RATES.get(country.id) ?? 'no rate'}`;
        },
        mass: () => 3,
      },
    },
    references: {
      Country: (reference: object) => reference,
      Good: (reference: object) => reference,
      Street: (reference: object) => reference,
    },
    subgraphs: {
      shops: {
        sdl: `
          type Query { countries: [Country!]! }
          type Country @key(fields: "id") @context(name: "country") {
            id: ID! rate: String @external goods: [Good!]! street: Street!
          }
          type Street @key(fields: "id") { id: ID! }
          type Good @key(fields: "id") {
            id: ID! mass: Int
            local(rate: String @fromContext(field: "$country { rate }")): String
          }`,
        resolvers: {
          Good: {
            local: ({ id }: { id: string }, { rate }: { rate?: string | null }) => {
              if (id === 'g2' && rate === '0.9') throw refusal('NOT_THERE');
              return `${id} at ${rate ?? 'no rate'}`;
            },
          },
        },
      },
      rates: 'type Country @key(fields: "id") { id: ID! rate: String }',
      streets: {
        sdl: `
          type Street @key(fields: "id") { id: ID! stalls: [[Stall]!]! }
          type Stall { good: Good }
          type Good @key(fields: "id") { id: ID! }`,
        resolvers: { Street: { stalls: () => [[{ good: { id: 'g1' } }], []] } },
      },
    },
  },
  {
    spoil: (subgraph, answer) => {
      if (subgraph === 'rates' && rates === 'gone') throw new Error('gone');
      const isOfEntities = Object.keys(answer.data ?? {}).some((name) => name.startsWith('_'));
      if (areGoodsGone && subgraph === 'shops' && isOfEntities) throw new Error('gone');
      if (isOneEnough && Object.keys(answer.data ?? {}).includes('_1'))
        return { errors: [{ message: 'one is enough' }] };
      return answer;
    },
    fetch: { retries: 0 },
  },
);

describe('A context of which another subgraph knows the value', () => {
  it('is asked for first, and its null is a null', async () => {
    rates = 'there';
    await countries.agree('{ countries { goods { local } } }');
    await countries.agree('{ countries { id rate goods { id local mass } } }');
  });

  it.each([
    '{ countries { street { stalls { good { local } } } } }',
    '{ countries { goods { local } street { stalls { good { mass local } } } } }',
    'query ($if: Boolean! = true) { countries { street { stalls { good { local @include(if: $if) } } } } }',
    'query ($if: Boolean! = false) { countries { street { stalls { ... @skip(if: $if) { good { local id } } } } rate } }',
  ])('is waited for also where another way leads to what asks by it: %s', async (query) => {
    const { data } = await countries.agree(query);
    expect(JSON.stringify(data)).toContain('g1 at 7.1');
  });

  it('has its own errors beside those of what asks by it', async () => {
    rates = 'there';
    const { errors } = await countries.agree('{ countries { goods { id mass local } } }');
    expect(errors?.map(({ path }) => path?.join('.'))).toEqual(['countries.2.goods.1.local']);
  });

  it('is null where it fails for one', async () => {
    rates = 'failing';
    const { data, errors } = await countries.answer('{ countries { rate goods { local } } }');
    expect(data?.['countries']).toEqual([
      { rate: null, goods: [{ local: 'g1 at no rate' }, { local: 'g2 at no rate' }] },
      { rate: null, goods: [{ local: 'g1 at no rate' }, { local: 'g2 at no rate' }] },
      { rate: '0.9', goods: [{ local: 'g1 at 0.9' }, { local: null }] },
    ]);
    expect(errors?.map(({ path }) => path?.join('.')).toSorted()).toEqual([
      'countries.0.rate',
      'countries.2.goods.1.local',
    ]);
  });

  it('leaves null what needs it where nobody answers, and the rest as it is', async () => {
    rates = 'gone';
    const { data, errors } = await countries.answer('{ countries { id goods { mass local } } }');
    const goods = [
      { mass: 3, local: null },
      { mass: 3, local: null },
    ];
    expect(data).toEqual({ countries: [...RATES.keys()].map((id) => ({ id, goods })) });
    expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['SUBGRAPH_UNAVAILABLE']);
  });

  it('is asked by one after the other where a subgraph does not answer about several', async () => {
    rates = 'there';
    isOneEnough = true;
    await countries.agree('{ countries { rate goods { id local } } }');
    isOneEnough = false;
  });

  it('is one error where what asks by it is gone, whatever the values', async () => {
    rates = 'there';
    areGoodsGone = true;
    const { errors } = await countries.answer('{ countries { rate goods { local } } }');
    areGoodsGone = false;
    expect(errors?.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([
      [['countries'], 'SUBGRAPH_UNAVAILABLE'],
    ]);
  });
});

const areaOf = (code: string) => ({ id: code, code, sign: { id: 'x', code } });
const signOf = (code: string) => {
  if (code === '0') throw refusal('NO_SIGN');
  return `to ${code}`;
};
const areas = conforming({
  resolvers: {
    Query: {
      area: (_: unknown, { code }: { code: string }) => areaOf(code),
      areas: (_: unknown, { most }: { most: number }) => Array.from({ length: most }, (_area, at) => areaOf(`${at}`)),
    },
    Sign: {
      text: ({ code }: { code: string }) => signOf(code),
      weight: () => 3,
      size: () => 4,
      heavy: ({ code }: { code: string }) => `${signOf(code)}: 3 grams`,
      big: ({ code }: { code: string }) => `${signOf(code)}: 4 meters`,
    },
  },
  references: { Sign: ({ id }: { id: string }) => ({ id }) },
  subgraphs: {
    areas: {
      sdl: cacheable(`
        type Query { area(code: String!): Area areas(most: Int!): [Area!]! }
        type Area @key(fields: "id") @context(name: "area") { id: ID! code: String sign: Sign }
        type Sign @key(fields: "id") @cacheControl(maxAge: 60) {
          id: ID! weight: Int @external size: Int @external
          text(code: String @fromContext(field: "$area { code }")): String
          heavy(code: String @fromContext(field: "$area { code }")): String @requires(fields: "weight")
          big(code: String @fromContext(field: "$area { code }")): String @requires(fields: "size")
        }`),
      resolvers: {
        Sign: {
          __resolveReference: (reference: object) => reference,
          text: (_: unknown, { code }: { code: string }) => signOf(code),
          heavy: ({ weight }: { weight: number }, { code }: { code: string }) => `${signOf(code)}: ${weight} grams`,
          big: ({ size }: { size: number }, { code }: { code: string }) => `${signOf(code)}: ${size} meters`,
        },
      },
    },
    weights: 'type Sign @key(fields: "id") { id: ID! weight: Int size: Int }',
  },
});

describe('What is kept of an entity', () => {
  it('is kept for its context only', async () => {
    const query = 'query ($code: String!) { area(code: $code) { sign { text } } }';
    for (const code of ['a', 'b', 'a', 'c', 'b']) await areas.agree(query, { code });
    expect(await areas.fetches(query, { code: 'a' })).toHaveLength(1);
    expect(await areas.fetches(query, { code: 'new' })).toHaveLength(2);
  });

  it('is asked for in more contexts than a subgraph takes calls at once', () =>
    areas.agree('{ areas(most: 1200) { sign { text } } }'));

  it('is asked for in all of them though one has an error and something is skipped', () =>
    areas.agree('query ($if: Boolean!) { areas(most: 120) { sign { big heavy @skip(if: $if) } } }', { if: true }));
});

describe.each(ways)('What is asked in contexts at the same time, subgraphs %s', (way) => {
  const seats = {
    sdl: `
      type Query { rows: [Row!]! }
      type Row @key(fields: "id") @context(name: "row") { id: ID! name: String seat: Seat }
      type Seat @key(fields: "id") { id: ID! mine(row: String @fromContext(field: "$row { name }")): String }`,
    resolvers: {
      Query: { rows: () => ['a', 'b', 'c'].map((name) => ({ id: name, name, seat: { id: 's' } })) },
      Seat: {
        __resolveReference: (reference: object) => reference,
        mine: (_: unknown, { row }: { row: string }, { asker }: AskedContext) => `${row} of ${asker}`,
      },
    },
  };

  it('is asked with the rights of each', async () => {
    const federation = await federate(compose({ seats }), way);
    const askers = ['ptr_one', 'ptr_two', 'ptr_one', 'ptr_three'];
    const answers = await Promise.all(
      askers.map((asker) => federation.run('{ rows { seat { mine } } }', {}, undefined, asker)),
    );
    await federation.close();
    expect(answers.map(({ data }) => data)).toEqual(
      askers.map((asker) => ({ rows: ['a', 'b', 'c'].map((row) => ({ seat: { mine: `${row} of ${asker}` } })) })),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { conforming, refusal } from './conforming.js';

const FILMS = ['f1', 'f2'].map((id) => ({
  id,
  title: `Film ${id}`,
  directorId: 'd1',
  state: id === 'f1' ? 'OUT' : 'SECRET',
}));
const film = ({ id }: { id: string }) => FILMS.find((one) => one.id === id);

const cinema = conforming({
  resolvers: {
    Query: {
      films: () => FILMS,
      featured: () => FILMS[1],
      screenings: () => FILMS.map(({ id }) => ({ at: `20:00 ${id}`, film: film({ id }) })),
      price: () => ({ amount: 12, currency: { code: 'EUR', digits: 2 } }),
      fee: () => ({ amount: 1, currency: { code: 'JPY', digits: 0 } }),
      today: () => 'MON',
    },
    Film: {
      year: () => 1999,
      rating: ({ id }: { id: string }) => Number(id.slice(1)) + 0.5,
      price: () => ({ amount: 9, currency: { code: 'USD', digits: 2 } }),
      director: ({ directorId }: { directorId: string }) => ({ id: directorId, name: 'Agnès', born: 1928 }),
      states: () => ['OUT', 'SOON'],
      leak: () => ['OUT', 'SECRET', 'SOON'],
    },
    Director: { born: () => 1928, name: () => 'Agnès' },
  },
  references: {
    Film: film,
    Director: ({ id }: { id: string }) => ({ id, name: 'Agnès', born: 1928 }),
  },
  subgraphs: {
    films: `
      type Query { films: [Film!]! price: Price! @shareable today: Day! }
      type Film @key(fields: "id") {
        id: ID! title: String! @shareable year: Int! director: Director! @shareable
        rating: Float! price: Price! @shareable state: State states: [State] leak: [State]
        secret: Int @inaccessible
      }
      type Director @key(fields: "id") { id: ID! name: String! born: Int! }
      type Price @shareable { amount: Int! currency: Currency! }
      type Currency @shareable { code: String! digits: Int! }
      enum State { OUT SOON SECRET @inaccessible }
      enum Day { MON TUE }
      type Hidden @inaccessible { id: ID! }`,
    screens: {
      sdl: `
        type Query {
          featured: Film! @provides(fields: "title director { name }")
          screenings: [Screening!]!
          fee: Price! price: Price! @shareable
        }
        type Screening { at: String! film: Film! @provides(fields: "title") }
        type Film @key(fields: "id") {
          id: ID! title: String! @external
          director: Director! @external
          rating: Float! @override(from: "films")
          price: Price! @shareable
        }
        type Director @key(fields: "id") { id: ID! name: String! @external }
        type Price @shareable { amount: Int! currency: Currency! }
        type Currency @shareable { code: String! digits: Int! }`,
    },
  },
});

const servedBy = async (query: string) => (await cinema.fetches(query)).map(({ subgraph }) => subgraph);

describe('@provides and @external', () => {
  it('answer what is provided without another fetch', async () => {
    await cinema.agree('{ featured { title director { name } } }');
    expect(await servedBy('{ featured { title director { name } } }')).toEqual(['screens']);
    await cinema.agree('{ screenings { at film { id title } } }');
    expect(await servedBy('{ screenings { at film { id title } } }')).toEqual(['screens']);
  });

  it('fetch what is not provided at this place', async () => {
    await cinema.agree('{ featured { title year director { name born } } }');
    await cinema.agree('{ screenings { film { title director { name } year } } }');
    expect(await servedBy('{ screenings { film { year } } }')).toEqual(['screens', 'films']);
  });
});

describe('@override', () => {
  it('moves a field: its old subgraph is not asked for it', async () => {
    await cinema.agree('{ films { title rating } }');
    expect(await servedBy('{ films { title rating } }')).toEqual(['films', 'screens']);
    expect(await servedBy('{ featured { rating } }')).toEqual(['screens']);
  });
});

describe('@shareable and value types', () => {
  it('are answered by whichever subgraph is being asked', async () => {
    await cinema.agree('{ price { amount currency { code digits } } fee { currency { code } } }');
    expect(await servedBy('{ fee { amount } price { amount } }')).toEqual(['screens']);
    await cinema.agree('{ films { price { amount currency { digits code } } } featured { price { amount } } }');
    expect(await servedBy('{ featured { price { amount } } }')).toEqual(['screens']);
    expect(await servedBy('{ films { price { amount } } }')).toEqual(['films']);
  });
});

describe('@inaccessible', () => {
  it('values of an enum are errors where a subgraph answers with one, as for any value that clients do not know', async () => {
    const { errors } = await cinema.agree('{ films { id state } }');
    expect(errors?.map(({ path }) => path)).toEqual([['films', 1, 'state']]);
    await cinema.agree('{ films { states } }');
    await cinema.agree('{ films { leak } }');
  });

  it('fields and types do not exist', async () => {
    expect(await cinema.refuse('{ films { secret } }')).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    const { data } = await cinema.agree(
      '{ __type(name: "Hidden") { name } state: __type(name: "State") { enumValues { name } } }',
    );
    expect(data).toEqual({ __type: null, state: { enumValues: [{ name: 'OUT' }, { name: 'SOON' }] } });
  });
});

const shelf = conforming({
  resolvers: {
    Query: { items: () => ['i1', 'i2'].map((id) => ({ id })) },
    Item: {
      box: ({ id }: { id: string }) => ({ width: 1, height: 2, label: `box ${id}`, inner: { a: 1, b: 2 } }),
      tags: () => ['x', 'y'],
    },
    Box: {
      label: ({ label }: { label: string }) => {
        if (label.endsWith('i2')) throw refusal('NO_LABEL');
        return label;
      },
    },
  },
  references: { Item: (reference: object) => reference },
  subgraphs: {
    left: `
      type Query { items: [Item!]! }
      type Item @key(fields: "id") { id: ID! box: Box! @shareable }
      type Box { width: Int! inner: Inner! @shareable } type Inner { a: Int! }`,
    right: `
      type Item @key(fields: "id") { id: ID! box: Box! @shareable tags: [String!]! }
      type Box { height: Int! label: String inner: Inner! @shareable } type Inner { b: Int! }`,
  },
});

describe('A value type whose fields lie in several subgraphs', () => {
  it('is put together from all of them, at each level', async () => {
    await shelf.agree('{ items { box { width height } } }');
    await shelf.agree('{ items { box { height width inner { b a } } tags } }');
    await shelf.agree('{ items { b: box { h: height w: width inner { x: b } } box { inner { y: a z: b } } } }');
  });

  it('keeps what one of them has when the other fails', async () => {
    const { errors } = await shelf.agree('{ items { box { width label height } } }');
    expect(errors?.map(({ path }) => path)).toEqual([['items', 1, 'box', 'label']]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { conforming, refusal } from './conforming.js';

// `gone` exists in the first subgraph only; `sick` cannot be resolved by the second; `odd` has fields that fail.
const person = (id: string) => ({ id });
const resolved = async ({ id }: { id: string }) => {
  if (id.startsWith('sick')) throw refusal(`CANNOT_RESOLVE_${id.toUpperCase()}`);
  return id.startsWith('gone') ? null : { id };
};
const mood = ({ id }: { id: string }) => {
  if (id.startsWith('odd')) throw refusal('NO_MOOD');
  return id.startsWith('gone') ? null : `mood of ${id}`;
};
const plain = () => {
  throw new Error('connect ECONNREFUSED 10.0.0.7:5432');
};

const people = conforming({
  resolvers: {
    Query: {
      people: (_: unknown, { ids }: { ids: string[] }) => ids.map(person),
      person: (_: unknown, { id }: { id: string }) => person(id),
      rows: (_: unknown, { ids }: { ids: string[][] }) => ids.map((row) => row.map(person)),
      failing: () => {
        throw refusal('ROOT_FAILED');
      },
      crashing: plain,
      other: () => 'fine',
      otherFailing: () => {
        throw new GraphQLError('with details', {
          extensions: {
            code: 'DETAILED',
            transient: true,
            details: { left: 3 },
            secret: 'inner-host',
            stacktrace: ['x'],
          },
        });
      },
      strange: () => ({ name: 'in the second' }),
    },
    Person: {
      friends: ({ id }: { id: string }) => [person(`${id}1`), person(`odd-${id}`)],
      mood,
      luck: ({ id }: { id: string }) => (id.startsWith('gone') ? null : id.length),
      crash: plain,
      list: ({ id }: { id: string }) => [{ word: id }, { word: 'bad' }, { word: 'good' }],
      job: ({ id }: { id: string }) =>
        id.startsWith('gone') ? null : { title: `job of ${id}`, boss: person('odd-boss') },
    },
    Word: {
      word: ({ word }: { word: string }) => {
        if (word === 'bad') throw refusal('BAD_WORD');
        return word;
      },
    },
  },
  subgraphs: {
    first: {
      sdl: `
        type Query {
          people(ids: [ID!]!): [Person!]! person(id: ID!): Person rows(ids: [[ID!]!]!): [[Person]]
          failing: String crashing: String
        }
        type Person @key(fields: "id") { id: ID! friends: [Person!]! }`,
      resolvers: { Person: { __resolveReference: (reference: object) => reference } },
    },
    second: {
      sdl: `
        type Query { other: String otherFailing: String strange: Strange }
        type Strange { name: String! }
        type Person @key(fields: "id") {
          id: ID! mood: String luck: Int crash: String list: [Word] job: Job
        }
        type Word { word: String }
        type Job { title: String! boss: Person! }`,
      resolvers: { Person: { __resolveReference: resolved } },
    },
  },
});

const told = (answer: { errors?: readonly { path?: readonly unknown[]; extensions?: Record<string, unknown> }[] }) =>
  (answer.errors ?? []).map(({ path, extensions }) => `${path?.join('.')} ${extensions?.['code']}`).toSorted();

describe('An error of a subgraph', () => {
  it('at the root stands at its field, and the others are answered', async () => {
    expect(told(await people.agree('{ failing other }'))).toEqual(['failing ROOT_FAILED']);
    expect(told(await people.agree('{ x: failing y: failing other }'))).toEqual(['x ROOT_FAILED', 'y ROOT_FAILED']);
    await people.agree('{ failing otherFailing other people(ids: ["a"]) { id } }');
  });

  it('in an entity stands at its place in the answer', async () => {
    const one = await people.agree('{ person(id: "odd") { id mood luck } }');
    expect(told(one)).toEqual(['person.mood NO_MOOD']);
    const many = await people.agree('{ people(ids: ["a", "odd1", "b", "odd2"]) { id mood luck } }');
    expect(told(many)).toEqual(['people.1.mood NO_MOOD', 'people.3.mood NO_MOOD']);
    const rows = await people.agree('{ rows(ids: [["a"], [], ["b", "odd"]]) { mood } }');
    expect(told(rows)).toEqual(['rows.2.1.mood NO_MOOD']);
  });

  it('stands at the names that the client gave', async () => {
    const answer = await people.agree(
      '{ p: people(ids: ["odd"]) { m: mood mood n: mood } q: person(id: "odd2") { o: mood } }',
    );
    expect(told(answer)).toEqual(['p.0.m', 'p.0.mood', 'p.0.n', 'q.o'].map((path) => `${path} NO_MOOD`));
  });

  it('inside what an entity holds has its whole path', async () => {
    const answer = await people.agree('{ people(ids: ["a", "b"]) { list { w: word } job { boss { mood id } } } }');
    expect(told(answer)).toEqual([
      'people.0.job.boss.mood NO_MOOD',
      'people.0.list.1.w BAD_WORD',
      'people.1.job.boss.mood NO_MOOD',
      'people.1.list.1.w BAD_WORD',
    ]);
  });

  it('two entities away has its whole path', async () => {
    const answer = await people.agree('{ people(ids: ["a", "b"]) { friends { mood friends { mood } } } }');
    expect(told(answer)).toHaveLength(2 + 2 * 3);
    expect(told(answer)).toContain('people.1.friends.0.friends.1.mood NO_MOOD');
  });

  // The same entity in two places is the same error in two places.
  it('stands at each place where the entity is', async () => {
    const answer = await people.agree(
      '{ people(ids: ["odd", "a", "odd"]) { mood } x: person(id: "odd") { mood } rows(ids: [["odd"], ["odd"]]) { mood } }',
    );
    expect(told(answer)).toEqual(
      ['people.0.mood', 'people.2.mood', 'rows.0.0.mood', 'rows.1.0.mood', 'x.mood'].map((path) => `${path} NO_MOOD`),
    );
  });

  it('that a subgraph cannot explain is masked, at its place', async () => {
    const answer = await people.agree('{ crashing people(ids: ["a", "b"]) { crash id } }');
    expect(told(answer)).toEqual(
      ['crashing', 'people.0.crash', 'people.1.crash'].map((path) => `${path} INTERNAL_SERVER_ERROR`),
    );
    expect(JSON.stringify(answer)).not.toContain('10.0.0.7');
  });

  it('keeps its code, message and details, and nothing else', async () => {
    const { errors } = await people.agree('{ otherFailing }');
    expect(errors?.map(({ message, path, extensions }) => ({ message, path, extensions }))).toEqual([
      {
        message: 'with details',
        path: ['otherFailing'],
        extensions: { code: 'DETAILED', transient: true, details: { left: 3 } },
      },
    ]);
  });

  it('leaves an answer without errors no empty list of them', async () => {
    expect(Object.keys(await people.agree('{ person(id: "a") { mood } other }'))).toEqual(['data']);
  });
});

describe('An entity that the second subgraph', () => {
  it('does not know has nulls in its fields there, without an error', async () => {
    expect(told(await people.agree('{ people(ids: ["a", "gone", "b"]) { id mood luck job { title } } }'))).toEqual([]);
    await people.agree('{ person(id: "gone") { mood } rows(ids: [["gone"], ["a", "gone2"]]) { luck } }');
  });

  // A monolith has no such step, so it cannot say this: all that is missing is missing for this one reason.
  it('cannot resolve has nulls there and one error, at the entity', async () => {
    const answer = await people.answer('{ people(ids: ["a", "sick1", "b", "sick2"]) { id mood luck } other }');
    expect(answer.data).toEqual({
      people: [
        { id: 'a', mood: 'mood of a', luck: 1 },
        { id: 'sick1', mood: null, luck: null },
        { id: 'b', mood: 'mood of b', luck: 1 },
        { id: 'sick2', mood: null, luck: null },
      ],
      other: 'fine',
    });
    expect(told(answer)).toEqual(['people.1 CANNOT_RESOLVE_SICK1', 'people.3 CANNOT_RESOLVE_SICK2']);
  });

  it('cannot resolve in several places has its error in each', async () => {
    const answer = await people.answer(
      '{ x: person(id: "sick") { mood } rows(ids: [["sick"], ["a", "sick"]]) { m: mood } }',
    );
    expect(told(answer)).toEqual(['rows.0.0', 'rows.1.1', 'x'].map((path) => `${path} CANNOT_RESOLVE_SICK`));
  });
});

const promising = conforming({
  resolvers: {
    Query: {
      users: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id })),
      user: (_: unknown, { id }: { id: string }) => ({ id }),
      team: (_: unknown, { ids }: { ids: string[] }) => ({ lead: { id: ids[0] }, members: ids.map((id) => ({ id })) }),
      ok: () => true,
    },
    User: {
      name: ({ id }: { id: string }) => (id.startsWith('gone') ? null : `name ${id}`),
      nick: ({ id }: { id: string }) => (id.startsWith('gone') ? null : `nick ${id}`),
      home: ({ id }: { id: string }) => (id.startsWith('gone') ? null : { street: `street ${id}` }),
      sad: ({ id }: { id: string }) => {
        if (id === 'b') throw refusal('SAD');
        return null;
      },
    },
  },
  references: { User: ({ id }: { id: string }) => (id.startsWith('gone') ? null : { id }) },
  subgraphs: {
    one: `
      type Query { users(ids: [ID!]!): [User] user(id: ID!): User! team(ids: [ID!]!): Team ok: Boolean! }
      type Team { lead: User! members: [User!]! }
      type User @key(fields: "id") { id: ID! }`,
    two: `
      type User @key(fields: "id") { id: ID! name: String! nick: String home: Home! sad: String }
      type Home { street: String! }`,
  },
});

describe('An entity that is gone and promised a field', () => {
  it('is null itself, with one error at the field', async () => {
    const answer = await promising.agree('{ users(ids: ["a", "gone", "b"]) { id name } ok }');
    expect(answer.data?.['users']).toEqual([{ id: 'a', name: 'name a' }, null, { id: 'b', name: 'name b' }]);
    expect(told(answer)).toEqual(['users.1.name INTERNAL_SERVER_ERROR']);
  });

  it('is not null where only nullable fields are asked for', async () => {
    expect(told(await promising.agree('{ users(ids: ["gone"]) { id nick } ok }'))).toEqual([]);
  });

  it('takes with it what promised it', async () => {
    const answer = await promising.agree('{ team(ids: ["a", "gone"]) { lead { name } members { n: name } } ok }');
    expect(answer.data).toEqual({ team: null, ok: true });
    expect(told(answer)).toEqual(['team.members.1.n INTERNAL_SERVER_ERROR']);
    expect((await promising.agree('{ ok user(id: "gone") { home { street } } }')).data).toBeNull();
  });

  it('has an error for each field that it promised, or for one of them: never two for one', async () => {
    await promising.agree('{ users(ids: ["gone", "a"]) { name home { street } nick } }');
    await promising.agree('{ users(ids: ["gone1", "gone2"]) { a: name b: name c: home { street } } ok }');
  });

  it('is told also beside an error of a subgraph', async () => {
    const answer = await promising.agree('{ users(ids: ["gone", "a"]) { name } user(id: "b") { name sad } }');
    expect(told(answer)).toEqual(['user.sad SAD', 'users.0.name INTERNAL_SERVER_ERROR']);
    await promising.agree('{ users(ids: ["a", "gone", "b"]) { sad name } }');
  });
});

const hasty = conforming({
  resolvers: {
    Query: {
      user: (_: unknown, { id }: { id: string }) => ({ id }),
      rows: () => [[{ id: 'a' }], [{ id: 'b' }, { id: 'sick' }]],
      ok: () => true,
    },
    User: { name: ({ id }: { id: string }) => id },
  },
  references: {
    // Thrown at once, not as a rejected promise: @apollo/subgraph then fails the whole of `_entities`.
    User: ({ id }: { id: string }) => {
      if (id === 'sick') throw refusal('ALL_FAILED');
      return { id };
    },
  },
  subgraphs: {
    one: `
      type Query { user(id: ID!): User rows: [[User]] ok: Boolean }
      type User @key(fields: "id") { id: ID! }`,
    two: 'type User @key(fields: "id") { id: ID! name: String }',
  },
});

const ward = conforming({
  resolvers: {
    Query: {
      patients: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ __typename: 'Adult', id })),
      everyone: () => [
        { __typename: 'Child', id: 'c1' },
        { __typename: 'Adult', id: 'a1' },
        { __typename: 'Child', id: 'bad' },
        null,
        { __typename: 'Adult', id: 'bad' },
      ],
    },
    Person: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
    Adult: {
      pulse: ({ id }: { id: string }) => {
        if (id === 'bad') throw refusal('NO_PULSE');
        return 60;
      },
      name: ({ id }: { id: string }) => `Adult ${id}`,
      age: () => 40,
    },
    Child: {
      name: ({ id }: { id: string }) => {
        if (id === 'bad') throw refusal('NO_NAME');
        return `Child ${id}`;
      },
    },
  },
  references: { Adult: (reference: object) => reference, Child: (reference: object) => reference },
  subgraphs: {
    ward: `
      type Query { patients(ids: [ID!]!): [Adult] everyone: [Person] }
      union Person = Adult | Child
      type Adult @key(fields: "id") { id: ID! }
      type Child @key(fields: "id") { id: ID! }`,
    charts: `
      type Adult @key(fields: "id") { id: ID! pulse: Int! name: String! age: Int }
      type Child @key(fields: "id") { id: ID! name: String }`,
  },
});

describe('An entity of which one promised field fails', () => {
  // The subgraph answers null for all of it: that its other fields are missing is no error of theirs.
  it('is null for this reason alone', async () => {
    for (const selection of ['name pulse', 'pulse name', 'n: name age p: pulse', 'age name ... on Adult { pulse }']) {
      const answer = await ward.agree(`{ patients(ids: ["a", "bad", "b"]) { ${selection} } }`);
      expect(told(answer)).toEqual([`patients.1.${selection.includes('p: ') ? 'p' : 'pulse'} NO_PULSE`]);
    }
  });
});

describe('An error of an entity in a list of several types', () => {
  it('stands at its own row, also when other rows are asked elsewhere or not at all', async () => {
    expect(told(await ward.agree('{ everyone { ... on Adult { pulse } } }'))).toEqual(['everyone.4.pulse NO_PULSE']);
    expect(told(await ward.agree('{ everyone { __typename ... on Child { name } } }'))).toEqual([
      'everyone.2.name NO_NAME',
    ]);
    expect(told(await ward.agree('{ everyone { ... on Child { c: name } ... on Adult { id pulse } } }'))).toEqual([
      'everyone.2.c NO_NAME',
      'everyone.4.pulse NO_PULSE',
    ]);
  });
});

const twice = conforming({
  resolvers: {
    Query: { rooms: () => ['ok', 'sick'].map((id) => ({ id })) },
    Room: { size: () => 3, floor: () => 1, rent: ({ id }: { id: string }) => `rent of ${id}` },
  },
  references: {
    Room: async (reference: { id: string }) => reference,
  },
  subgraphs: {
    rooms: 'type Query { rooms: [Room!]! } type Room @key(fields: "id") { id: ID! }',
    plans: {
      sdl: `
        type Room @key(fields: "id") { id: ID! size: Int floor: Int @external rent: String @requires(fields: "floor") }`,
      resolvers: {
        Room: {
          __resolveReference: async (reference: { id: string }) => {
            if (reference.id === 'sick') throw refusal('SICK');
            return reference;
          },
        },
      },
    },
    floors: 'type Room @key(fields: "id") { id: ID! floor: Int }',
  },
});

describe('An entity that cannot be resolved in several fetches', () => {
  it('has one error all the same', async () => {
    const answer = await twice.answer('{ rooms { id size rent } }');
    expect(answer.data).toEqual({
      rooms: [
        { id: 'ok', size: 3, rent: 'rent of ok' },
        { id: 'sick', size: null, rent: null },
      ],
    });
    expect(told(answer)).toEqual(['rooms.1 SICK']);
  });
});

describe('A fetch of entities that fails as a whole', () => {
  it('leaves null what it was to bring, and the rest as it is', async () => {
    const answer = await hasty.answer('{ rows { id name } user(id: "a") { name } ok }');
    expect(answer.data).toEqual({
      rows: [
        [{ id: 'a', name: null }],
        [
          { id: 'b', name: null },
          { id: 'sick', name: null },
        ],
      ],
      user: { name: 'a' },
      ok: true,
    });
    expect(new Set((answer.errors ?? []).map(({ extensions }) => extensions?.['code']))).toEqual(
      new Set(['ALL_FAILED']),
    );
  });

  it('is told with places of the answer, not of the fetch', async () => {
    for (const [query, places] of [
      ['{ user(id: "sick") { name } }', ['user', 'user.name']],
      ['{ x: user(id: "sick") { n: name } }', ['x', 'x.n']],
    ] as const) {
      const [error, ...others] = (await hasty.answer(query)).errors ?? [];
      expect(others).toEqual([]);
      expect(places).toContain(error?.path?.join('.'));
    }
    // Several places: the list that holds them, each of them, or none is named.
    for (const { path = [] } of (await hasty.answer('{ rows { name } }')).errors ?? [])
      expect('rows.1.1.name'.startsWith(path.join('.')) || /^rows\.[01]\.[01]$/.test(path.join('.'))).toBe(true);
  });
});

const odd = conforming(
  {
    resolvers: {
      Query: { things: () => ['1', '2', '3'].map((id) => ({ id })), ok: () => true },
      Thing: { color: ({ id }: { id: string }) => (id === '2' ? 'RED' : 'BLUE'), weight: () => 5, name: () => 'name' },
    },
    references: { Thing: (reference: object) => reference },
    subgraphs: {
      things: `
        type Query { things: [Thing!]! ok: Boolean }
        type Thing @key(fields: "id") { id: ID! name: String! }`,
      colors: `
        type Thing @key(fields: "id") { id: ID! color: Color weight: Int! }
        enum Color { RED BLUE }`,
    },
  },
  {
    // The second thing is of another type than its subgraph was told: no fragment fits, and no field comes back.
    spoil: (_subgraph, { data, ...rest }) => {
      const entities = data?.['_entities'];
      if (!Array.isArray(entities)) return { data, ...rest };
      const spoilt = entities.map((entity, index) => (index === 1 ? {} : entity));
      return { ...rest, data: { ...data, _entities: spoilt } };
    },
  },
);

describe('An entity that comes back in another type than it was asked for', () => {
  it('has nulls in the fields that it does not bring', async () => {
    const { data, errors } = await odd.answer('{ things { id __typename color } ok }');
    expect(data?.['things']).toEqual([
      { id: '1', __typename: 'Thing', color: 'BLUE' },
      { id: '2', __typename: 'Thing', color: null },
      { id: '3', __typename: 'Thing', color: 'BLUE' },
    ]);
    expect(errors).toBeUndefined();
  });

  it('is an error where it was promised one', async () => {
    const answer = await odd.answer('{ ok things { weight } }');
    expect(answer.data).toBeNull();
    expect(told(answer)).toEqual(['things.1.weight INTERNAL_SERVER_ERROR']);
  });
});

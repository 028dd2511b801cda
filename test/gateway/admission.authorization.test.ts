import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  parse,
  print,
  specifiedRules,
  validate,
} from 'graphql';
import { Authorizer } from '../../gateway/admission.authorization.js';
import { copyForApollo } from '../../gateway/admission.features.js';
import { type LoadedSupergraph, loadSupergraph } from '../../gateway/supergraph.js';
import { composeSupergraph } from '../../schema/compose.js';
import { Principal } from '../../subgraphs/kernel/principal.js';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated",
  "@requiresScopes", "@requires", "@external", "@shareable"])\n`;

const SDL = `
  type Query {
    open: String
    me: User @authenticated
    user: User!
    users: [User!]!
    matrix: [[User]]
    vault: Vault
    level: Level
    code: Code
    posts: [Post!]!
    things: [Thing]
    reports: Report @requiresScopes(scopes: [["read", "reports"], ["admin"]])
  }
  type Mutation { rename: User! wipe: Boolean @requiresScopes(scopes: [["admin"]]) }
  type User {
    id: ID!
    name: String
    email: String @requiresScopes(scopes: [["email"]])
    secret: String! @requiresScopes(scopes: [["top"]])
    friends: [User!] @authenticated
    best: User
  }
  type Vault @authenticated { gold: Int coins: [Int!] }
  enum Level @authenticated { LOW HIGH }
  scalar Code @requiresScopes(scopes: [["code"]])
  type Report { title: String pages: Int @authenticated }
  interface Post { id: ID! title: String views: Int }
  type PublicBlog implements Post { id: ID! title: String views: Int tags: [String!] }
  type PrivateBlog implements Post @authenticated { id: ID! title: String views: Int @requiresScopes(scopes: [["views"]]) owner: User }
  union Thing = User | Vault | PublicBlog
`;

function load(...typeDefs: string[]): LoadedSupergraph {
  const services = typeDefs.map((sdl, n) => ({ name: `s${n}`, url: `http://s${n}`, typeDefs: parse(LINK + sdl) }));
  return loadSupergraph(composeSupergraph(services));
}

const loaded = load(SDL);
const authorizer = new Authorizer(loaded.supergraph, loaded.full);

const stranger = Principal.anonymous();
const known = (...scopes: string[]) =>
  new Principal({ kind: 'OPERATOR', subject: 'opr_us_one', scopes, merchantIds: [] });

const authorize = (query: string, principal: Principal, name?: string) => {
  const document = parse(query);
  expect(validate(loaded.api, document, specifiedRules)).toEqual([]);
  return authorizer.authorize(document, name, principal);
};

/** What is left of a query, in one line. */
const left = (query: string, principal: Principal) => {
  const { document } = authorize(query, principal);
  return document && print(document).replace(/\s+/g, ' ');
};

const removed = (query: string, principal: Principal) =>
  authorize(query, principal).removed.map(({ path }) => path.join('.'));

const user = (id: string, depth = 2): Record<string, unknown> => ({
  __typename: 'User',
  id,
  name: `name ${id}`,
  email: `${id}@x`,
  secret: 's',
  friends: depth > 0 ? [user(`${id}a`, depth - 1), user(`${id}b`, depth - 1)] : null,
  best: depth > 0 ? user(`${id}c`, depth - 1) : null,
});
const vault = { __typename: 'Vault', gold: 7, coins: [1, 2] };
const publicBlog = { __typename: 'PublicBlog', id: 'p1', title: 'open', views: 1, tags: ['a'] };
const privateBlog = { __typename: 'PrivateBlog', id: 'p2', title: 'closed', views: 2, owner: user('o') };
const world = {
  open: 'open',
  me: user('me'),
  user: user('u'),
  users: [user('1'), user('2')],
  matrix: [[user('3'), null], null, [user('4')]],
  vault,
  level: 'HIGH',
  code: 'c',
  posts: [publicBlog, privateBlog],
  things: [user('t'), vault, null, publicBlog],
  reports: { title: 'r', pages: 3 },
  rename: user('r'),
  wipe: true,
};

const run = (
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: object,
  fieldResolver?: GraphQLFieldResolver<unknown, unknown>,
) =>
  execute({ schema, document, rootValue: world, variableValues: { ...variables }, fieldResolver }) as ExecutionResult;

/** What a client gets: the rest executed, and what was removed put back. */
function answer(query: string, principal: Principal, variables: Record<string, unknown> = {}) {
  const { document, complete } = authorize(query, principal);
  const result = document ? run(loaded.api, document, variables) : {};
  const { data, errors } = complete(result, variables);
  expect((errors ?? []).map(({ extensions }) => extensions['code'])).toEqual(
    (errors ?? []).map(() => 'UNAUTHORIZED_FIELD_OR_TYPE'),
  );
  return JSON.parse(JSON.stringify({ data, paths: (errors ?? []).map(({ path }) => path?.join('.')) }));
}

describe('Authorization', () => {
  it('leaves alone what asks for nothing, and what the asker may have: the very same document', () => {
    const document = parse('{ open me { id email friends { name } } reports { pages } }');
    const whole = authorizer.authorize(document, undefined, known('email', 'admin'));
    expect(whole.document).toBe(document);
    expect(whole).toMatchObject({ key: '', removed: [] });
    const result = { data: { open: 'x' } };
    expect(whole.complete(result, {})).toBe(result);
  });

  it('takes out fields that need someone known, and answers them with null and an error', () => {
    expect(left('{ open me { id } }', stranger)).toBe('{ open }');
    expect(answer('{ open me { id } }', stranger)).toEqual({ data: { open: 'open', me: null }, paths: ['me'] });
  });

  it('takes one of several groups of scopes, whole', () => {
    const query = '{ open reports { title } }';
    for (const scopes of [['read', 'reports'], ['admin'], ['x', 'reports', 'read']])
      expect(removed(query, known(...scopes))).toEqual([]);
    for (const scopes of [[], ['read'], ['reports'], ['readreports']])
      expect(removed(query, known(...scopes))).toEqual(['reports']);
    expect(removed(query, stranger)).toEqual(['reports']);
  });

  it('asks for what a type requires wherever it is returned: objects, enums, scalars', () => {
    const query = '{ open vault { gold } level code }';
    expect(left(query, stranger)).toBe('{ open }');
    expect(left(query, known())).toBe('{ open vault { gold } level }');
    expect(left(query, known('code'))).toBe(left(query, known('code', 'more')));
  });

  it('answers under the names that the client chose, at each place of a list', () => {
    expect(answer('{ all: users { key: id mail: email } }', stranger)).toEqual({
      data: {
        all: [
          { key: '1', mail: null },
          { key: '2', mail: null },
        ],
      },
      paths: ['all.0.mail', 'all.1.mail'],
    });
    expect(removed('{ all: users { key: id mail: email } matrix { id email } }', stranger)).toEqual([
      'all.@.mail',
      'matrix.@.@.email',
    ]);
    expect(answer('{ matrix { id email } }', stranger)).toEqual({
      data: { matrix: [[{ id: '3', email: null }, null], null, [{ id: '4', email: null }]] },
      paths: ['matrix.0.0.email', 'matrix.2.0.email'],
    });
  });

  it('lets null go up as the schema demands: to the next place that may be null', () => {
    expect(answer('{ open vault { gold } user { id best { id secret } } }', known())).toEqual({
      data: { open: 'open', vault: { gold: 7 }, user: { id: 'u', best: null } },
      paths: ['user.best.secret'],
    });
    expect(answer('{ open users { id secret } }', known())).toEqual({ data: null, paths: ['users.0.secret'] });
    expect(answer('{ matrix { id secret } }', known())).toEqual({
      data: { matrix: [[null, null], null, [null]] },
      paths: ['matrix.0.0.secret', 'matrix.2.0.secret'],
    });
  });

  it('asks for nothing of a field of which nothing is left: it is null, and says which field was refused', () => {
    expect(left('{ open user { best { secret email } } matrix { email } }', stranger)).toBe('{ open }');
    expect(answer('{ open matrix { email } }', stranger)).toEqual({
      data: { open: 'open', matrix: null },
      paths: ['matrix'],
    });
    expect(answer('{ open me { best { secret mail: email } } }', known())).toEqual({
      data: { open: 'open', me: null },
      paths: ['me.best.secret', 'me.best.mail'],
    });
  });

  it('fetches nothing when nothing is left', () => {
    const { document } = authorize('{ me { id } vault { gold } }', stranger);
    expect(document).toBeNull();
    expect(answer('{ me { id } mine: vault { gold } }', stranger)).toEqual({
      data: { me: null, mine: null },
      paths: ['me', 'mine'],
    });
  });

  it('runs the mutations that are left, and not those that are not', () => {
    expect(left('mutation { wipe rename { id email } }', known('email'))).toBe('mutation { rename { id email } }');
    expect(left('mutation { wipe }', known())).toBeNull();
  });

  it('follows fragments, named and inline, however often they are spread', () => {
    const query = `query Q { open user { ...F best { ...F } ... { email } } }
      fragment F on User { id ...G } fragment G on User { email }`;
    expect(left(query, stranger)).toBe('query Q { open user { ...F best { ...F } } } fragment F on User { id }');
    expect(removed(query, stranger)).toEqual(['user.email', 'user.best.email']);
    expect(answer(query, stranger)).toEqual({
      data: { open: 'open', user: { id: 'u', email: null, best: { id: 'uc', email: null } } },
      paths: ['user.email', 'user.best.email'],
    });
  });

  it('leaves introspection and __typename alone', () => {
    const query = '{ __typename __schema { types { name } } __type(name: "Vault") { name } me { id } }';
    expect(left(query, stranger)).toBe('{ __typename __schema { types { name } } __type(name: "Vault") { name } }');
  });

  it('respects @skip and @include: what was not asked for is not refused', () => {
    const query = 'query ($x: Boolean = true) { open me @skip(if: $x) { id } vault @include(if: $x) { gold } }';
    expect(answer(query, stranger)).toEqual({ data: { open: 'open', vault: null }, paths: ['vault'] });
    expect(answer(query, stranger, { x: false })).toEqual({ data: { open: 'open', me: null }, paths: ['me'] });
  });

  it('takes names such as __proto__ for names', () => {
    expect(answer('{ open __proto__: me { id } }', stranger).paths).toEqual(['__proto__']);
    const { complete } = authorize('{ open __proto__: me { id } }', stranger);
    expect(Object.keys(complete({ data: { open: 'x' } }, {}).data ?? {})).toEqual(['open', '__proto__']);
  });

  it('knows the operation that is asked for among others', () => {
    const query = 'query A { open } query B { me { id } open }';
    expect(authorize(query, stranger, 'A').key).toBe('');
    expect(print(authorize(query, stranger, 'B').document as DocumentNode).replace(/\s+/g, ' ')).toBe(
      'query B { open }',
    );
  });
});

describe('Authorization of interfaces and unions', () => {
  it('gives a field of an interface to those who may have it of every implementation', () => {
    const query = '{ open posts { id title } }';
    expect(left(query, known())).toBe('{ open posts { id title } }');
    // It could be a PrivateBlog: the whole field goes, as in Apollo Router.
    expect(left(query, stranger)).toBe('{ open }');
    expect(removed(query, stranger)).toEqual(['posts.@']);
    expect(left('{ posts { id views } }', known())).toContain('posts { id typename_: __typename }');
    expect(removed('{ posts { id views } }', known())).toEqual(['posts.@.views']);
    expect(removed('{ posts { id views } }', known('views'))).toEqual([]);
  });

  it('lets implementations ask for themselves when only fragments on them are selected', () => {
    const query = '{ posts { __typename ... on PublicBlog { id views } ... on PrivateBlog { id title } } }';
    expect(left(query, stranger)).toBe('{ posts { __typename ... on PublicBlog { id views } typename_: __typename } }');
    expect(answer(query, stranger)).toEqual({
      data: null,
      paths: ['posts.1.id'],
    });
    expect(answer('{ posts { __typename ... on PublicBlog { id } ... on PrivateBlog { title } } }', stranger)).toEqual({
      data: {
        posts: [
          { __typename: 'PublicBlog', id: 'p1' },
          { __typename: 'PrivateBlog', title: null },
        ],
      },
      paths: ['posts.1.title'],
    });
  });

  it('is not got around by a fragment on the interface', () => {
    expect(left('{ open posts { ... on Post { title } } }', stranger)).toBe('{ open }');
    expect(left('{ open posts { ...F } } fragment F on Post { title }', stranger)).toBe('{ open }');
    expect(left('{ open posts { ... { title } } }', stranger)).toBe('{ open }');
  });

  it('checks each member of a union where it is selected', () => {
    const query = '{ things { ... on User { id email } ... on Vault { gold } ... on PublicBlog { id } } }';
    expect(left(query, stranger)).toBe(
      '{ things { ... on User { id } ... on PublicBlog { id } typename_: __typename } }',
    );
    expect(answer(query, stranger)).toEqual({
      data: { things: [{ id: 't', email: null }, { gold: null }, null, { id: 'p1' }] },
      paths: ['things.0.email', 'things.1.gold'],
    });
  });

  it('asks for types under a name that the client does not use', () => {
    expect(left('{ things { typename_: __typename ... on Vault { gold } } }', stranger)).toBe(
      '{ things { typename_: __typename typename__: __typename } }',
    );
  });

  it('holds for every implementation what an older composer wrote on an interface alone', () => {
    const { sdl } = load(
      'type Query { i: I a: A } interface I { x: Int y: Int } type A implements I { x: Int @authenticated y: Int }',
    );
    // The interface's own word is all that is left.
    const older = sdl.replace(/type A [\s\S]*?\}/, (type) => type.replace(' @authenticated', ''));
    expect(older).not.toBe(sdl);
    const { supergraph, full } = loadSupergraph(older);
    const rights = new Authorizer(supergraph, full).authorize(
      parse('{ i { ... on A { x } } a { y x } }'),
      undefined,
      stranger,
    );
    expect(rights.removed.map(({ path }) => path.join('.'))).toEqual(['i.x', 'a.x']);
  });
});

describe('What is shared', () => {
  it('is one filtered document for all askers with the same answers', () => {
    const document = parse('{ open me { id } reports { title } }');
    const of = (principal: Principal) => authorizer.authorize(document, undefined, principal);
    expect(of(known('a'))).toBe(of(known('b')));
    expect(of(known('admin')).document).toBe(document);
    expect(of(stranger).document).not.toBe(of(known()).document);
    expect(new Set([of(stranger).key, of(known()).key, of(known('admin')).key]).size).toBe(3);
  });
});

describe('A supergraph', () => {
  const policy = (sdl: string, purpose: string) =>
    sdl.replace(/^schema /, `schema @link(url: "https://specs.apollo.dev/policy/v0.1"${purpose}) `);

  it('loads with @authenticated and @requiresScopes, which clients do not see', () => {
    expect(loaded.sdl).toContain('@authenticated');
    expect(loaded.api.getDirective('authenticated')).toBeUndefined();
    expect(loaded.api.getDirective('requiresScopes')).toBeUndefined();
    expect(Object.keys(loaded.api.getTypeMap()).filter((name) => /scope/i.test(name))).toEqual([]);
  });

  it('is refused with @policy, also where it does not say what for', () => {
    expect(() => loadSupergraph(policy(loaded.sdl, ', for: SECURITY'))).toThrow(/policy/);
    const silent = loadSupergraph(policy(loaded.sdl, ''));
    expect(() => new Authorizer(silent.supergraph, silent.full)).toThrow(/policy/);
  });

  it('is refused with any other feature that is needed for security or execution', () => {
    for (const purpose of ['SECURITY', 'EXECUTION']) {
      const link = `schema @link(url: "https://specs.example/unheardOf/v1.0", for: ${purpose}) `;
      expect(() => loadSupergraph(loaded.sdl.replace(/^schema /, link))).toThrow(/unheardOf/);
    }
    const newer = loaded.sdl.replace('authenticated/v0.1', 'authenticated/v9.0');
    expect(() => loadSupergraph(newer)).toThrow(/authenticated/);
  });

  it('is refused when it asks for scopes and names none', () => {
    const silent = loadSupergraph(loaded.sdl.replace('[["admin"]]', '[]'));
    expect(() => new Authorizer(silent.supergraph, silent.full)).toThrow(/requiresScopes/);
  });

  it('is enforced under whatever names it links the directives', () => {
    const renamed = loaded.sdl
      .replace('authenticated/v0.1"', 'authenticated/v0.1", as: "signedIn"')
      .replaceAll('@authenticated', '@signedIn')
      .replace('requiresScopes/v0.1"', 'requiresScopes/v0.1", import: [{ name: "@requiresScopes", as: "@may" }]')
      .replaceAll(/@requiresScopes(?=\(scopes:)/g, '@may');
    const { supergraph, full } = loadSupergraph(renamed);
    const query = parse('{ open me { id } reports { title } }');
    const rights = new Authorizer(supergraph, full).authorize(query, undefined, stranger);
    expect(rights.removed.map(({ coordinate }) => coordinate)).toEqual(['Query.me', 'Query.reports']);
  });

  it("is handed to Apollo's gateway without the demand that it enforces them too", () => {
    const copy = copyForApollo(loaded.sdl);
    expect(copy).not.toMatch(/authenticated\/v0.1", for/);
    expect(copy).toMatch(/join\/v0.5", for: EXECUTION/);
    expect(() => loadSupergraph(copyForApollo(policy(loaded.sdl, ', for: SECURITY')))).toThrow(/policy/);
  });

  it('may let the gateway itself use protected fields, as keys and for @requires', () => {
    const { supergraph, full, api } = load(
      'type Query { p: P } type P @key(fields: "id") { id: ID! @authenticated weight: Int name: String }',
      'type P @key(fields: "id") { id: ID! weight: Int @external cost: Int @requires(fields: "weight") }',
    );
    const query = parse('{ p { name cost } }');
    expect(validate(api, query)).toEqual([]);
    expect(new Authorizer(supergraph, full).authorize(query, undefined, stranger).document).toBe(query);
  });
});

describe('For any operation', () => {
  // Concrete types and fragments on them; `__typename` everywhere, so that no object is left without a field.
  const scopes = ['email', 'top', 'read', 'reports', 'admin', 'views'];
  const leaf = (names: string[]) => fc.constantFrom(...names);
  const alias = fc.constantFrom('', '', 'x: ', 'y: ');
  const condition = fc.constantFrom('', '', ' @include(if: $yes)', ' @skip(if: $yes)', ' @skip(if: $no)');
  const { userSet } = fc.letrec<{ userSet: string; userField: string }>((tie) => ({
    userField: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.tuple(alias, leaf(['id', 'name', 'email', 'secret']), condition).map((parts) => parts.join('')),
      fc.tuple(alias, leaf(['friends', 'best']), condition, tie('userSet')).map((parts) => parts.join('')),
      fc.tuple(condition, tie('userSet')).map(([when, set]) => `... on User${when} ${set}`),
    ),
    userSet: fc.array(tie('userField'), { maxLength: 3 }).map((fields) => ` { __typename ${fields.join(' ')} }`),
  }));
  const postSet = fc
    .tuple(leaf(['id', 'title', 'views', 'tags']), leaf(['id', 'title', 'views']), userSet)
    .map(
      ([a, b, set]) => `{ __typename ... on PublicBlog { ${a} } ... on PrivateBlog { __typename ${b} owner ${set} } }`,
    );
  const rootField = fc.oneof(
    fc.tuple(alias, leaf(['open', 'level']), condition).map((parts) => parts.join('')),
    fc.tuple(alias, leaf(['me', 'user', 'users', 'matrix']), condition, userSet).map((parts) => parts.join('')),
    fc.tuple(alias, leaf(['posts']), postSet).map((parts) => parts.join('')),
    fc.tuple(userSet).map(([set]) => `things { __typename ... on User ${set} ... on Vault { __typename gold coins } }`),
  );
  const query = fc
    .array(rootField, { minLength: 1, maxLength: 4 })
    .map(
      (fields) =>
        `query ($yes: Boolean!, $no: Boolean!) { __typename u: __typename @include(if: $yes) @skip(if: $no) ${fields.join(' ')} }`,
    )
    // Names that mean two things are not valid.
    .filter((text) => validate(loaded.api, parse(text), specifiedRules).length === 0);

  it('answers as if the resolver of each field that the asker may not have had thrown', () => {
    fc.assert(
      fc.property(query, fc.subarray(scopes), fc.boolean(), (text, held, isStranger) => {
        const principal = isStranger ? stranger : known(...held);
        const may = (...needed: string[]) => needed.every((scope) => principal.hasScope(scope));
        const forbidden = (type: string, field: string, returned: string) =>
          (isStranger && ['Query.me', 'User.friends'].includes(`${type}.${field}`)) ||
          (isStranger && ['Vault', 'Level'].includes(returned)) ||
          (isStranger && ['Vault', 'PrivateBlog'].includes(type)) ||
          (!may('email') && `${type}.${field}` === 'User.email') ||
          (!may('top') && `${type}.${field}` === 'User.secret') ||
          (!may('views') && `${type}.${field}` === 'PrivateBlog.views');
        const expected = run(loaded.api, parse(text), { yes: true, no: false }, (source, _args, _context, info) => {
          const [, returned = ''] = /(\w+)/.exec(String(info.returnType)) ?? [];
          if (forbidden(info.parentType.name, info.fieldName, returned))
            throw new GraphQLError('', { extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE' } });
          return (source as Record<string, unknown>)[info.fieldName];
        });
        const { data, paths } = answer(text, principal, { yes: true, no: false });
        expect(data).toEqual(JSON.parse(JSON.stringify(expected.data)));
        const places = (expected.errors ?? []).map(({ path }) => path?.join('.'));
        // Where null went up, graphql-js names one of the fields that it went up from.
        if (data) expect(paths.length > 0).toBe(places.length > 0);
        expect(places.filter((place) => paths.includes(place)).length > 0).toBe(places.length > 0);
      }),
      { numRuns: 100 },
    );
  });
});

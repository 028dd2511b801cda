import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isCompositeType, isInterfaceType, isObjectType } from 'graphql';
import { Requirements } from '../../gateway/admission.requirements.js';
import { Freshness } from '../../gateway/fetch.freshness.js';
import { type LoadedSupergraph, loadSupergraph } from '../../gateway/supergraph.js';
import { cacheable } from '../support/cache-control.js';
import { root } from '../support/sources.js';
import { compose } from './conformance/federation.js';

const SDL = `
  type Query { books: [Book!]! }
  type Book @key(fields: "id") @cacheControl(maxAge: 60) {
    id: ID! title: String!
    stock: Int @cacheControl(maxAge: 5)
    none: Int @cacheControl(maxAge: 0)
    longer: Int @cacheControl(maxAge: 600)
    mine: Boolean @cacheControl(scope: PRIVATE)
    inheriting: Int @cacheControl(inheritMaxAge: true)
    printed(in: String): String
    plain: Plain
    plainSaid: Plain @cacheControl(maxAge: 20)
    plainInherited: [Plain!] @cacheControl(inheritMaxAge: true)
    plainPrivate: Plain @cacheControl(inheritMaxAge: true, scope: PRIVATE)
    author: Author
    authorLater: Author @cacheControl(maxAge: 300)
    authorInherited: Author @cacheControl(inheritMaxAge: true)
    inherits: Inherits
    secret: Secret @cacheControl(maxAge: 60, scope: PUBLIC)
    staff: String @authenticated
    audit: String @requiresScopes(scopes: [["audit"]])
    vault: Vault @cacheControl(maxAge: 60)
    next: Media
    mixed: Mixed
    either: Either
  }
  type Plain { text: String deeper: Plain said: String @cacheControl(maxAge: 7) }
  type Author @cacheControl(maxAge: 30) { name: String! }
  type Inherits @cacheControl(inheritMaxAge: true) { text: String }
  type Secret @cacheControl(maxAge: 60, scope: PRIVATE) { word: String }
  type Vault @authenticated { word: String }
  interface Media @cacheControl(maxAge: 50) { id: ID! length: Int }
  type Film implements Media @cacheControl(maxAge: 40) { id: ID! length: Int cut: String @cacheControl(maxAge: 3) }
  type Tape implements Media { id: ID! length: Int @cacheControl(maxAge: 9) }
  interface Mixed @cacheControl(maxAge: 50) { id: ID! }
  type Open implements Mixed { id: ID! }
  type Closed implements Mixed @cacheControl(scope: PRIVATE) { id: ID! }
  union Either @cacheControl(maxAge: 25) = Film | Plain
  type Unsaid @key(fields: "id") { id: ID! title: String @cacheControl(maxAge: 60) }
  type OfNobody @key(fields: "id") @cacheControl(inheritMaxAge: true) { id: ID! title: String }
  type Personal @key(fields: "id") @cacheControl(maxAge: 60, scope: PRIVATE) { id: ID! title: String }
  type Guarded @key(fields: "id") @cacheControl(maxAge: 60) @authenticated { id: ID! title: String }
`;

const supergraphOf = (sdl: string, link?: Parameters<typeof cacheable>[1]) =>
  compose({ books: { sdl: cacheable(sdl, link), resolvers: {} } }).supergraph;

const freshnessOf = (loaded: LoadedSupergraph) =>
  Freshness.of(loaded, new Requirements(loaded.supergraph, loaded.full));

const entities = (selection: string) =>
  `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${selection} } }`;

describe('What a fetch of entities brings is fresh', () => {
  const freshness = freshnessOf(loadSupergraph(supergraphOf(SDL)));
  const seconds = (selection: string) => (freshness?.of(entities(selection)) ?? Number.NaN) / 1_000;
  const ofBook = (selection: string) => seconds(`... on Book { ${selection} }`);

  it.each([
    ['as its type says, scalars too', 'id title __typename', 60],
    ['as the least of its fields says', 'title stock', 5],
    ['no longer than its type, whatever a field says', 'title longer', 60],
    ['as a field says under another name', 'a: title b: stock', 5],
    ['not at all with a field that says 0', 'title none', 0],
    ['not at all with a field that is PRIVATE', 'title mine', 0],
    ['as its type says for a scalar that inherits', 'inheriting', 60],
    ['not at all with an object that says nothing', 'title plain { text }', 0],
    ['as a field says of the object that it leads to', 'plainSaid { text }', 20],
    ['as the object around it, for a list that inherits', 'plainInherited { text }', 60],
    ['as the least inside an object that inherits', 'plainInherited { said }', 7],
    ['not at all with an object within it that says nothing', 'plainInherited { deeper { text } }', 0],
    ['not at all with an object that inherits and is PRIVATE', 'plainPrivate { text }', 0],
    ['as an inner type says', 'author { name }', 30],
    ['no longer than its type, where a field says more of an inner one', 'authorLater { name }', 60],
    ['as an inner type says that has its own age to inherit', 'authorInherited { name }', 30],
    ['as the object around a type that inherits', 'inherits { text }', 60],
    ['not at all with a PRIVATE type, though a field calls it PUBLIC', 'secret { word }', 0],
    ['not at all with a field that needs sign-in', 'title staff', 0],
    ['not at all with a field that needs scopes', 'title audit', 0],
    ['not at all with a type that needs sign-in', 'vault { word }', 0],
    ['as the least of an interface and what is behind it', 'next { id }', 40],
    ['as the least that any implementation says of a field', 'next { length }', 9],
    ['as a fragment inside an interface says', 'next { ... on Film { cut } }', 3],
    ['not at all where something PRIVATE may be behind an interface', 'mixed { id }', 0],
    ['as a union says', 'either { ... on Film { id } }', 25],
    ['as the least, whatever conditions leave out', 'title ... @include(if: $a) { stock }', 5],
    ['not at all with a fragment that stands elsewhere', 'title ...Elsewhere', 0],
    ['not at all with a field that nobody knows', 'title unheard', 0],
  ])('%s: %s', (_law, selection, expected) => {
    expect(ofBook(selection)).toBe(expected);
  });

  it.each([
    ['of a type that says nothing, whatever its fields say', '... on Unsaid { title }', 0],
    ['of a type that inherits: nothing leads to an entity', '... on OfNobody { title }', 0],
    ['of a PRIVATE type', '... on Personal { title }', 0],
    ['of a type that needs sign-in', '... on Guarded { title }', 0],
    ['of a type that nobody knows', '... on Nobody { title }', 0],
    ['where one of two types says nothing', '... on Book { title } ... on Unsaid { title }', 0],
  ])('not at all %s', (_law, selection, expected) => {
    expect(seconds(selection)).toBe(expected);
  });

  it('under whatever condition stands around the type', () => {
    expect(seconds('... @skip(if: $a) { ... on Book { title } }')).toBe(60);
  });

  it('not at all where something else is asked than entities', () => {
    expect(freshness?.of('{ books { title } }')).toBe(0);
    expect(
      freshness?.of('query ($r: [_Any!]!) { _entities(representations: $r) { ... on Book { id } } books { id } }'),
    ).toBe(0);
  });
});

describe('A supergraph', () => {
  const book = entities('... on Book { title stock }');

  it.each([
    ['linked from anywhere', { url: 'https://elsewhere.example/specs/cacheControl/v0.1' }],
    ['under another name', { import: '{ name: "@cacheControl", as: "@keep" }', name: 'keep' }],
    [
      'as a part of another specification',
      { url: 'https://elsewhere.example/caching/v2.3', enumName: 'caching__Scope' },
    ],
  ])('is believed with a @cacheControl %s', (_law, link) => {
    const loaded = loadSupergraph(supergraphOf(SDL, link));
    expect(freshnessOf(loaded)?.of(book)).toBe(5_000);
    expect(Object.keys(loaded.api.getTypeMap()).filter((name) => /Scope$/.test(name))).toEqual([]);
  });

  it('is believed with a @cacheControl that is called as its whole link is', () => {
    const renamed = supergraphOf(SDL)
      .replace('cacheControl/v1.0", import: ["@cacheControl"])', 'cacheControl/v1.0", as: "hints")')
      .replace(/@cacheControl\b/g, '@hints')
      .replaceAll('cacheControl__', 'hints__');
    expect(renamed).toContain('as: "hints"');
    expect(freshnessOf(loadSupergraph(renamed))?.of(book)).toBe(5_000);
  });

  it('keeps nothing without it', () => {
    const plain = compose({ books: { sdl: SDL.replace(/@cacheControl\([^)]*\)/g, ''), resolvers: {} } });
    expect(freshnessOf(loadSupergraph(plain.supergraph))).toBeNull();
  });

  it('keeps nothing of what it says in words that nobody knows', () => {
    const strange = supergraphOf(SDL).replace(
      'type Book @cacheControl(maxAge: 60)',
      'type Book @cacheControl(maxAge: -1)',
    );
    expect(strange).toContain('(maxAge: -1)');
    expect(freshnessOf(loadSupergraph(strange))?.of(book)).toBe(0);
  });
});

describe('Of our own graph', () => {
  const loaded = loadSupergraph(readFileSync(join(root, 'schema', 'supergraph.graphql'), 'utf8'));
  const freshness = freshnessOf(loaded);

  it('only the facts of merchants are kept: nothing of a payment, a traveler, a wallet, or what others add to a merchant', () => {
    const kept = Object.values(loaded.full.getTypeMap())
      .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'))
      .flatMap((type) =>
        Object.values(isObjectType(type) || isInterfaceType(type) ? type.getFields() : {}).map((field) => {
          const inner = String(field.type).replace(/[[\]!]/g, '');
          const isObject = isCompositeType(loaded.full.getType(inner));
          const selection = `... on ${type.name} { ${field.name} ${isObject ? '{ __typename }' : ''} }`;
          return { field: `${type.name}.${field.name}`, ms: freshness?.of(entities(selection)) };
        }),
      );
    expect(kept.length).toBeGreaterThan(200);
    const facts = ['id', 'name', 'localName', 'categoryCode', 'city', 'countryCode'];
    expect(kept.filter(({ ms }) => ms !== 0)).toEqual(facts.map((name) => ({ field: `Merchant.${name}`, ms: 60_000 })));
  });
});

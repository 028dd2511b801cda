import { describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { apiSchemaOf, CompositionError, composeSupergraph, printSorted } from '../../schema/compose.js';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible"])';
const service = (name: string, sdl: string) => ({
  name,
  url: `http://${name}/graphql`,
  typeDefs: parse(`${LINK} ${sdl}`),
});

describe('Composition', () => {
  it('keeps what is inaccessible for the gateway and from clients', () => {
    const supergraph = composeSupergraph([service('one', 'type Query { open: Int secret: Int @inaccessible }')]);
    expect(supergraph).toContain('secret');
    expect(apiSchemaOf(supergraph)).toBe('type Query {\n  open: Int\n}\n');
  });

  it('says why subgraphs do not fit together', () => {
    const services = [
      service('one', 'type Query { a: Thing } type Thing @key(fields: "id") { id: ID! size: Int }'),
      service('two', 'type Query { b: Thing } type Thing @key(fields: "id") { id: ID! size: String }'),
    ];
    expect(() => composeSupergraph(services)).toThrow(CompositionError);
    expect(() => composeSupergraph(services)).toThrow(/Thing\.size/);
  });

  it('does not move a line when the code only changes its order', () => {
    const one = printSorted(parse('type B { b: Int } scalar Z type A { a: Int }'));
    const other = printSorted(parse('scalar Z type A { a: Int } type B { b: Int }'));
    expect(one).toBe(other);
  });
});

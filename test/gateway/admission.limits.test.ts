import { describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { brokenLimit, defaultLimits, weigh } from '../../gateway/admission.limits.js';

const of = (text: string) => weigh(parse(text));

describe('The weight of a document', () => {
  it('is its depth, aliases, fields and root fields, with fragments spread out', () => {
    expect(of('{ a { b c: d } ...F ... { e } } fragment F on Q { x: f { g } h }')).toMatchObject({
      depth: 2,
      aliases: 2,
      fields: 7,
      rootFields: 4,
    });
  });

  it('counts a fragment as often as it is spread', () => {
    expect(of('{ a { ...F } b { ...F } } fragment F on Q { x: y z }')).toMatchObject({ aliases: 2, fields: 6 });
  });

  it('counts directives wherever they stand, and the most on one thing', () => {
    const text = `query ($v: Int @a) @b { x @c @d @e ...F @f ... @g { y } } fragment F on Q @h { z @i }`;
    expect(of(text)).toMatchObject({ directives: 9, directivesPerField: 3 });
  });

  it('is that of the heaviest operation in each respect', () => {
    expect(of('query A { a { b { c } } } query B { a b c d }')).toMatchObject({ depth: 3, fields: 4, rootFields: 4 });
  });

  it('is nothing for what validation refuses: unknown fragments and those within themselves', () => {
    expect(of('{ ...Nowhere ...F } fragment F on Q { ...F a }')).toMatchObject({ fields: 1 });
  });

  it('is found at once, also where fragments stand for millions of fields', () => {
    const bomb = `{ ...A0 } ${Array.from({ length: 40 }, (_, n) => `fragment A${n} on Q { ...A${n + 1} ...A${n + 1} }`).join(' ')} fragment A40 on Q { a }`;
    expect(of(bomb).fields).toBe(2 ** 40);
  });
});

describe('A limit', () => {
  const broken = (text: string) => brokenLimit(parse(text), defaultLimits);
  const many = (count: number, of: (n: number) => string) => Array.from({ length: count }, (_, n) => of(n)).join(' ');

  it.each([
    ['depth', 25, `{ ${'a { '.repeat(26)} b ${'} '.repeat(26)} }`],
    ['aliases', 100, `{ ${many(101, (n) => `a${n}: x`)} }`],
    ['fields', 2_000, `{ a { ${many(2_000, () => 'x')} } }`],
    ['rootFields', 50, `{ ${many(51, () => 'x')} }`],
    ['directives', 200, `{ a { ${many(101, () => 'x @b @c')} } }`],
    ['directivesPerField', 10, `{ x ${many(11, () => '@a')} }`],
  ])('on %s is told with the most that it allows', (what, most, text) => {
    expect(broken(text)).toMatchObject({ code: 'OPERATION_TOO_COMPLEX', details: { what, most } });
  });

  it('lets through what reaches it', () => {
    expect(broken(`{ ${many(50, (n) => `a${n}: x`)} }`)).toBeNull();
  });
});

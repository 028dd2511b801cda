import { describe, expect, it } from '@jest/globals';
import { sourcesIn } from '../support/sources.js';

/** The only places where amounts and rates meet `*` and `/`. */
const ARITHMETIC = /^subgraphs\/kernel\/money\/(money|rate|division)\.ts$/;

const sources = sourcesIn('subgraphs', 'connectors');

/** Lines of code that match, as `path: line`. */
function lines(pattern: RegExp, chosen = sources): string[] {
  return chosen.flatMap(({ path, code }) =>
    code
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
}

describe('Amounts in the code', () => {
  it('are never read as floating point', () => {
    expect(lines(/\bparseFloat\(|\.toFixed\(/)).toEqual([]);
    expect(lines(/\bNumber\([^)]*(amount|minor|money|rate|price|total|fee|spread)/i)).toEqual([]);
    expect(lines(/(^|[^\w$])\+(amount|minor|total|fee|spread|\w+\.(amount|minor|total|fee|spread))\b/)).toEqual([]);
  });

  it('are never declared as numbers', () => {
    expect(lines(/\b(amount|minor|amountMinor|total|fee|spread|\w+Minor|midRate|customerRate)\??: number\b/)).toEqual(
      [],
    );
  });

  it('are stored exactly: no column of money or rate is a float', () => {
    const migrations = sources.filter(({ path }) => path.includes('/migrations/'));
    expect(migrations.length).toBeGreaterThan(0);
    expect(lines(/\b(real|float\d?|double precision|money)\s*(not null|null|,|\)|default|check)/i, migrations)).toEqual(
      [],
    );
  });

  it('are multiplied and divided in money.ts, rate.ts and division.ts only', () => {
    const elsewhere = sources.filter(({ path }) => !ARITHMETIC.test(path));
    expect(lines(/\b\w*([mM]inor|\.minor)\b\s*[*/%]\s|[*/%]\s*\w+(\.\w+)*([mM]inor|\.minor)\b/, elsewhere)).toEqual([]);
    expect(lines(/\d+n\s*[*/]\s|[^*]\s[*/]\s*\d+n\b/, elsewhere)).toEqual([]);
  });

  it('would be found by these rules', () => {
    const planted = {
      path: 'planted.ts',
      text: '',
      imports: [],
      code: 'const fee = Number(order.amount);\nfee: number;\nx = total * 2n;',
    };
    expect(lines(/\bNumber\([^)]*(amount|minor)/i, [planted])).toHaveLength(1);
    expect(lines(/\b(fee)\??: number\b/, [planted])).toHaveLength(1);
    expect(lines(/\d+n\s*[*/]\s|[^*]\s[*/]\s*\d+n\b/, [planted])).toHaveLength(1);
  });
});

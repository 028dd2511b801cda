import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { filesIn, root, sourcesIn } from '../support/sources.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
// Thrown while rates are imported, at start: no client ever meets it.
const INTERNAL = new Set(['MALFORMED_RATES']);

const operations = filesIn('schema/operations');

describe('The public schema', () => {
  const api = buildSchema(read('schema/api.graphql'));

  it.each(operations)('takes %s as it is written', (path) => {
    expect(validate(api, parse(read(path)))).toEqual([]);
  });

  it('has one operation in each file, of the name that the file has', () => {
    expect(operations).toHaveLength(26);
    for (const path of operations) {
      const name = getOperationAST(parse(read(path)))?.name?.value ?? '';
      const stem = name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
      expect(basename(path)).toBe(`${stem}.graphql`);
    }
  });

  it('shows clients nothing of how the gateway works', () => {
    expect(read('schema/api.graphql')).not.toMatch(/join__|link__|eventSource|cacheControl|vaultReference|_entities/);
  });

  it('describes every type and field', () => {
    const silent = Object.values(api.getTypeMap()).filter(
      ({ name, description }) =>
        !name.startsWith('__') && !description && !/^(Query|Mutation|Subscription)$/.test(name),
    );
    const builtIn = ['ID', 'Int', 'String', 'Boolean', 'Float'];
    expect(silent.map(({ name }) => name).filter((name) => !builtIn.includes(name))).toEqual([]);
  });
});

describe('The published list of error codes', () => {
  const published = new Set([...read('schema/README.md').matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code]) => code));

  it('has every code that the code can answer with', () => {
    const thrown = /(?:(?:Invalid|Conflict|Unavailable|Forbidden)Error|super)\(\s*'([A-Z][A-Z_]+)'/g;
    const used = sourcesIn('subgraphs', 'gateway').flatMap(({ code }) =>
      [...code.matchAll(thrown)].map(([, found = '']) => found),
    );
    expect(used.length).toBeGreaterThan(40);
    expect([...new Set(used)].filter((code) => !published.has(code) && !INTERNAL.has(code))).toEqual([]);
  });

  it('has every code that the contract promises', () => {
    const promised =
      `UNAUTHENTICATED FORBIDDEN NOT_FOUND INVALID_ID INVALID_MONEY INVALID_CODE CODE_EXPIRED AMOUNT_REQUIRED
      AMOUNT_NOT_ALLOWED MARKET_NOT_LIVE WALLET_NOT_USABLE CHECKOUT_EXPIRED CHECKOUT_ALREADY_CONFIRMED QUOTE_EXPIRED
      SPENDING_LIMIT_EXCEEDED IDEMPOTENCY_KEY_REUSED REFUND_EXCEEDS_PAYMENT REFUND_NOT_ALLOWED RATE_UNAVAILABLE
      RATE_LIMITED OPERATION_TOO_COMPLEX SUBGRAPH_UNAVAILABLE`.split(/\s+/);
    expect(promised.filter((code) => !published.has(code))).toEqual([]);
  });
});

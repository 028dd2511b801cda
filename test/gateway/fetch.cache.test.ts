import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { EntityCache } from '../../gateway/fetch.cache.js';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');

/**
 * What is in use once nothing more is freed: code that aged, and what was only weakly held by the
 * test files that ran here before, go a few collections later than what nobody knows any more.
 */
async function heapInUse(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let unchanged = 0; unchanged < 5; ) {
    await setImmediate();
    gc();
    const used = process.memoryUsage().heapUsed;
    unchanged = used < least - 2_000 ? 0 : unchanged + 1;
    least = Math.min(least, used);
  }
  return least;
}

let now: number;
let evicted: number;
beforeEach(() => {
  now = 1_000;
  evicted = 0;
});

const cacheOf = (mostBytes: number) =>
  new EntityCache({
    mostBytes,
    ticks: () => now,
    onEvicted: () => {
      evicted += 1;
    },
  });
/** Asked for now, for ten seconds. */
const age = (differing: object = {}) => ({ askedAt: now, keptMs: 10_000, mutationsBefore: 0, ...differing });

describe('What is kept of an entity', () => {
  it('is there until just before its time, counted from when it was asked for, and never after', () => {
    const cache = cacheOf(10_000);
    cache.keep('a', { name: 'A' }, age({ askedAt: 400 }));
    now = 10_399;
    expect(cache.find('a', now, 0)).toEqual({ name: 'A' });
    now = 10_400;
    expect(cache.find('a', now, 0)).toBeNull();
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  it('is not even taken in where its answer took longer than it may be kept', () => {
    const cache = cacheOf(10_000);
    cache.keep('a', { name: 'A' }, age({ askedAt: now - 10_000 }));
    expect(cache.size).toBe(0);
  });

  it('is a copy: neither who brought it nor who got it can change what the next one gets', () => {
    const cache = cacheOf(10_000);
    const brought = { name: 'A', at: { city: 'Chengdu' }, tags: [{ word: 'noodles' }] };
    cache.keep('a', brought, age());
    brought.name = 'B';
    brought.at.city = 'Xian';
    const first = cache.find('a', now, 0) as typeof brought;
    first.at.city = 'Wuhan';
    first.tags.push({ word: 'tea' });
    first.name = 'C';
    expect(cache.find('a', now, 0)).toEqual({ name: 'A', at: { city: 'Chengdu' }, tags: [{ word: 'noodles' }] });
  });

  it('may have the names that every object has', () => {
    const cache = cacheOf(10_000);
    const entity = JSON.parse('{"__proto__":{"constructor":1},"toString":"x"}') as Record<string, unknown>;
    cache.keep('a', entity, age());
    expect(JSON.stringify(cache.find('a', now, 0))).toBe('{"__proto__":{"constructor":1},"toString":"x"}');
    expect(cache.find('constructor', now, 0)).toBeNull();
  });

  it('is not for whoever changed something after it was asked for', () => {
    const cache = cacheOf(10_000);
    cache.keep('a', { name: 'A' }, age({ mutationsBefore: 3 }));
    expect(cache.find('a', now, 4)).toBeNull();
    expect(cache.find('a', now, 3)).toEqual({ name: 'A' });
  });

  it('is not replaced by an answer to an earlier question that came later', () => {
    const cache = cacheOf(10_000);
    const earlier = age({ askedAt: 900 });
    cache.keep('a', { name: 'new' }, age({ askedAt: 950 }));
    cache.keep('a', { name: 'old' }, earlier);
    expect(cache.find('a', now, 0)).toEqual({ name: 'new' });
    // The clock may stand still between the two: mutations do not.
    cache.keep('a', { name: 'newest' }, age({ askedAt: 950, mutationsBefore: 1 }));
    cache.keep('a', { name: 'new' }, age({ askedAt: 950 }));
    expect(cache.find('a', now, 0)).toEqual({ name: 'newest' });
  });
});

describe('The room for all that is kept', () => {
  it('is never exceeded: what was used least goes first, and is counted', () => {
    const cache = cacheOf(20_000);
    for (let index = 0; index < 500; index += 1) {
      cache.keep(`key ${index}`, { name: `Shop ${index}`, at: { city: 'Chengdu' } }, age());
      // The first one is always in use.
      expect(cache.find('key 0', now, 0)).not.toBeNull();
      expect(cache.bytes).toBeLessThanOrEqual(20_000);
    }
    expect(cache.size).toBeGreaterThan(10);
    expect(cache.size + evicted).toBe(500);
    expect(cache.find('key 499', now, 0)).not.toBeNull();
    expect(cache.find('key 1', now, 0)).toBeNull();
  });

  it('takes nothing that is larger than itself, and lets go of nothing for it', () => {
    const cache = cacheOf(20_000);
    cache.keep('a', { name: 'A' }, age());
    cache.keep('b', { name: 'x'.repeat(20_000) }, age());
    expect(cache.find('b', now, 0)).toBeNull();
    expect(cache.find('a', now, 0)).toEqual({ name: 'A' });
  });

  it.each([
    ['long texts', (index: number) => ({ text: `小面馆${index} `.repeat(200) })],
    ['many small values', (index: number) => ({ n: Array.from({ length: 100 }, (_, at) => at + index / 3) })],
    ['deep objects', (index: number) => ({ a: { b: { c: { d: { e: index }, f: [[[index]]] } } } })],
    ['short facts', (index: number) => ({ name: `Shop ${index}`, city: 'Chengdu', countryCode: 'CN' })],
    ['nothing much', () => ({ ok: true })],
  ])('is about what they take, never less: %s', async (_what, entityOf) => {
    const cache = cacheOf(4_000_000);
    const answered = (index: number) => JSON.parse(JSON.stringify(entityOf(index))) as Record<string, unknown>;
    for (let index = 0; index < 40_000; index += 1)
      cache.keep(`17\n\n{"__typename":"Merchant","id":"mer_cn_${index}"}`, answered(index), age());
    const { bytes } = cache;
    const full = await heapInUse();
    cache.close();
    const took = full - (await heapInUse());
    expect(bytes).toBeGreaterThan(3_900_000);
    expect(took).toBeLessThan(bytes * 1.1);
    expect(took).toBeGreaterThan(bytes / 4);
  });

  it('is empty once it is closed, and stays so', () => {
    const cache = cacheOf(20_000);
    cache.keep('a', { name: 'A' }, age());
    cache.close();
    expect(cache.find('a', now, 0)).toBeNull();
    cache.keep('a', { name: 'A' }, age());
    expect([cache.size, cache.bytes, evicted]).toEqual([0, 0, 0]);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';
import { Counts, readGauge, Spreads } from '../../gateway/metrics.figures.js';

const BUCKETS = [0.1, 0.5, 1, 5];
const histogram = { name: 'seconds', help: 'How long.', labelNames: ['who', 'how'], buckets: BUCKETS } as const;
const counter = { name: 'times_total', help: 'How often.', labelNames: ['who', 'how'] } as const;
const labels = fc.record({ who: fc.constantFrom('a', 'b', 'c "quoted"\n'), how: fc.constantFrom('x', 'y') });
// Bounds themselves too: a value on a bound is in its bucket.
const value = fc.oneof(fc.constantFrom(...BUCKETS), fc.double({ min: 0, max: 10, noNaN: true }));

/** Lines in any order: prom-client's depends on the order of the first observations. */
const sorted = (text: string) => text.split('\n').sort();

describe('Figures', () => {
  it("are told in the very words of prom-client's own", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(labels, value), { minLength: 1 }), async (observations) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const spreads = new Spreads(ours, histogram);
        const counts = new Counts(ours, counter);
        const theirSpreads = new Histogram({ ...histogram, buckets: BUCKETS, registers: [theirs] });
        const theirCounts = new Counter({ ...counter, registers: [theirs] });
        for (const [place, observed] of observations) {
          spreads.at(place).observe(observed);
          counts.at(place).add();
          theirSpreads.observe(place, observed);
          theirCounts.inc(place);
        }
        expect(sorted(await ours.metrics())).toEqual(sorted(await theirs.metrics()));
      }),
      { numRuns: 50 },
    );
  });

  it('of several workers are added up', async () => {
    const workers = [1, 2].map(async (more) => {
      const registry = new Registry();
      new Spreads(registry, histogram).at({ who: 'a', how: 'x' }).observe(more);
      new Counts(registry, counter).at({ who: 'a', how: 'x' }).add(more);
      readGauge(registry, { name: 'open', help: 'Open.', labelNames: ['who'] }, () => [[{ who: 'a' }, more]]);
      // As it goes from process to process.
      return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as object;
    });
    const text = await AggregatorRegistry.aggregate(await Promise.all(workers)).metrics();
    for (const line of [
      'seconds_bucket{le="1",who="a",how="x"} 1',
      'seconds_bucket{le="5",who="a",how="x"} 2',
      'seconds_bucket{le="+Inf",who="a",how="x"} 2',
      'seconds_sum{who="a",how="x"} 3',
      'seconds_count{who="a",how="x"} 2',
      'times_total{who="a",how="x"} 3',
      'open{who="a"} 3',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('are found again by their labels, in whatever order these are written', () => {
    const counts = new Counts(new Registry(), counter);
    expect(counts.at({ who: 'a', how: 'x' })).toBe(counts.at({ how: 'x', who: 'a' }));
    expect(counts.at({ who: 'a', how: 'x' })).not.toBe(counts.at({ who: 'x', how: 'a' }));
  });

  it('that are read forget what is not there any more', async () => {
    const registry = new Registry();
    let open: readonly (readonly [{ who: string }, number])[] = [[{ who: 'a' }, 1]];
    readGauge(registry, { name: 'open', help: 'Open.', labelNames: ['who'] }, () => open);
    expect(await registry.metrics()).toContain('open{who="a"} 1');
    open = [[{ who: 'b' }, 2]];
    const text = await registry.metrics();
    expect(text).toContain('open{who="b"} 2');
    expect(text).not.toContain('who="a"');
  });
});

import { describe, expect, it } from '@jest/globals';
import { RateLimiter } from '../../gateway/rate-limit.js';

describe('A rate limit', () => {
  it('gives a burst at once, then its rate, and never more than the burst after a pause', () => {
    let now = 0;
    const limiter = new RateLimiter({ perSecond: 10, burst: 3 }, () => now);
    const taken = (attempts: number) => {
      let passed = 0;
      for (let n = 0; n < attempts; n += 1)
        try {
          limiter.take('one');
          passed += 1;
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } });
        }
      return passed;
    };
    expect(taken(5)).toBe(3);
    now += 200;
    expect(taken(5)).toBe(2);
    now += 3_600_000;
    expect(taken(10)).toBe(3);
  });

  it('says how long to wait, and then lets pass', () => {
    let now = 0;
    const limiter = new RateLimiter({ perSecond: 4, burst: 1 }, () => now);
    limiter.take('one');
    expect(() => limiter.take('one')).toThrow(expect.objectContaining({ details: { retryAfterMs: 250 } }));
    now += 250;
    expect(() => limiter.take('one')).not.toThrow();
  });
});

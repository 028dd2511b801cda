import { describe, expect, it } from '@jest/globals';
import { addressKey, RateLimiter } from '../../gateway/rate-limit.js';

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

describe('Of more askers than it counts', () => {
  it('only the one that has been quiet for longest is forgotten, and starts with a full bucket', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, () => 0);
    for (let asker = 0; asker < 50_000; asker += 1) limiter.take(`asker ${asker}`);
    // A refusal counts as a word of it, too.
    expect(() => limiter.take('asker 0')).toThrow();
    limiter.take('one more');
    expect(() => limiter.take('asker 0')).toThrow();
    expect(() => limiter.take('asker 2')).toThrow();
    expect(() => limiter.take('asker 1')).not.toThrow();
  });
});

describe('A debt', () => {
  it('is paid before anything else is given, and is never more than one burst', () => {
    let now = 0;
    const limiter = new RateLimiter({ perSecond: 10, burst: 5 }, () => now);
    limiter.take('one');
    limiter.charge('one', 1_000);
    // From -5 to 1 at ten a second.
    expect(() => limiter.take('one')).toThrow(expect.objectContaining({ details: { retryAfterMs: 600 } }));
    expect(() => limiter.take('another')).not.toThrow();
    now += 600;
    expect(() => limiter.take('one')).not.toThrow();
  });
});

describe('An address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s: an IPv6 host has a whole network of them', (address, counted) => {
    expect(addressKey(address)).toBe(counted);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Expiries } from '../../gateway/subscribe.expiry.js';

class Mortal {
  endedAt: number | null = null;

  constructor(readonly expiresAt: Date | null) {}

  expire(): void {
    this.endedAt = Date.now();
  }
}

let expiries: Expiries;
beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 });
  expiries = new Expiries(Date.now);
});
afterEach(() => {
  expiries.close();
  jest.useRealTimers();
});

const inMs = (ms: number) => new Mortal(new Date(Date.now() + ms));

describe('Expiries', () => {
  it('end each at its time, never before, by one timer for all of them', () => {
    const mortals = Array.from({ length: 500 }, (_, index) => inMs(index * 97));
    for (const mortal of mortals) expiries.add(mortal);
    const timers = jest.getTimerCount();
    expect(timers).toBeLessThanOrEqual(2);
    jest.advanceTimersByTime(60_000);
    for (const { endedAt, expiresAt } of mortals) {
      const late = (endedAt ?? Infinity) - (expiresAt?.getTime() ?? 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(1_250);
    }
  });

  it('leave alone who lives as long as it likes, and who is gone already', () => {
    const [eternal, gone, other] = [new Mortal(null), inMs(2_000), inMs(2_000)];
    for (const mortal of [eternal, gone, other]) expiries.add(mortal);
    expiries.remove(gone);
    jest.advanceTimersByTime(5_000);
    expect([eternal.endedAt, gone.endedAt]).toEqual([null, null]);
    expect(other.endedAt).not.toBeNull();
  });

  it('miss nobody when the machine slept over many of their times', () => {
    const mortals = [inMs(10_000), inMs(20_000), inMs(4_000_000)];
    for (const mortal of mortals) expiries.add(mortal);
    jest.setSystemTime(Date.now() + 3_600_000);
    jest.advanceTimersByTime(1_000);
    expect(mortals.map(({ endedAt }) => endedAt !== null)).toEqual([true, true, false]);
    jest.advanceTimersByTime(400_000);
    expect(mortals[2]?.endedAt).not.toBeNull();
  });

  it('begin again when all were gone', () => {
    const first = inMs(1_000);
    expiries.add(first);
    jest.advanceTimersByTime(3_000);
    jest.advanceTimersByTime(100_000);
    const second = inMs(5_000);
    expiries.add(second);
    jest.advanceTimersByTime(4_000);
    expect(second.endedAt).toBeNull();
    jest.advanceTimersByTime(2_500);
    expect(second.endedAt).not.toBeNull();
  });
});

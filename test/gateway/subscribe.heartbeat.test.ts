import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Heartbeats } from '../../gateway/subscribe.heartbeat.js';

/** Notes when it beats, in milliseconds since the test began. */
class Beater {
  readonly beats: number[] = [];

  beat(): void {
    this.beats.push(Date.now());
  }
}

let heartbeats: Heartbeats;
beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  heartbeats = new Heartbeats();
});
afterEach(() => {
  heartbeats.close();
  jest.useRealTimers();
});

describe('Heartbeats', () => {
  it('beat each stream once in its time, by one timer for all of them', () => {
    const beaters = Array.from({ length: 1_000 }, () => new Beater());
    for (const beater of beaters) heartbeats.add(beater, 12_000);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(60_000);
    for (const { beats } of beaters) {
      expect(beats).toHaveLength(5);
      expect(beats[0]).toBeGreaterThanOrEqual(6_000);
      beats.slice(1).forEach((beat, index) => {
        expect(beat - (beats[index] ?? 0)).toBe(12_000);
      });
    }
  });

  it('are spread out, however many streams begin at once', () => {
    const beaters = Array.from({ length: 1_000 }, () => new Beater());
    for (const beater of beaters) heartbeats.add(beater, 5_000);
    jest.advanceTimersByTime(5_000);
    const together = new Map<number, number>();
    for (const { beats } of beaters) together.set(beats[0] ?? 0, (together.get(beats[0] ?? 0) ?? 0) + 1);
    expect(Math.max(...together.values())).toBeLessThanOrEqual(100);
  });

  it('keep streams of different protocols apart, and stop for those that ended', () => {
    const [slow, quick, gone] = [new Beater(), new Beater(), new Beater()];
    heartbeats.add(slow, 12_000);
    heartbeats.add(quick, 5_000);
    heartbeats.add(gone, 5_000);
    jest.advanceTimersByTime(10_000);
    heartbeats.remove(gone, 5_000);
    jest.advanceTimersByTime(50_000);
    expect([slow, quick, gone].map(({ beats }) => beats.length)).toEqual([5, 12, 2]);
  });
});

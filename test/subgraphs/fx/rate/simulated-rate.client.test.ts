import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SimulatedRates } from '../../../../subgraphs/fx/rate/simulated-rate.client.js';
import type { EventStream } from '../../../../subgraphs/kernel/event/event-bus.js';
import type { Currency } from '../../../../subgraphs/kernel/money/currency.js';
import { Rate } from '../../../../subgraphs/kernel/money/rate.js';
import { clockAt, type FxWorld, fxWorld, stranger } from '../../../support/fx.js';

const TICK = 5_000;
const anchor = async () =>
  new Map<Currency, Rate>([
    ['EUR', Rate.parse('1', 'EUR', 'EUR')],
    ['USD', Rate.parse('1.25', 'EUR', 'USD')],
    ['CNY', Rate.parse('8', 'EUR', 'CNY')],
    ['IDR', Rate.parse('19644.7', 'EUR', 'IDR')],
  ]);

describe('SimulatedRates', () => {
  it('stays within one percent of the reference rate, however it walks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 }),
        async (draws) => {
          const clock = clockAt('2026-11-22T12:00:00Z');
          let drawn = 0;
          const rates = new SimulatedRates(anchor, TICK, clock.now, () => draws[drawn++ % draws.length] ?? 0);
          for (let tick = 0; tick < 150; tick += 1) {
            clock.move(TICK);
            const found = await rates.find('USD', 'CNY');
            const value = Number(found?.rate.toDecimal(8));
            expect(value).toBeGreaterThan(6.4 * 0.99);
            expect(value).toBeLessThan(6.4 * 1.0101);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ['up', 1, '1.25018750', '1.25625000'],
    ['down', 0, '1.24981250', '1.24375000'],
    ['nowhere', 0.5, '1.25000000', '1.25000000'],
  ])(
    'moves %s by 150 parts per million a tick at most, and strays by half a percent at most',
    async (_, draw, first, last) => {
      const clock = clockAt('2026-11-22T12:00:00Z');
      const rates = new SimulatedRates(anchor, TICK, clock.now, () => draw);
      const dollars = async () => (await rates.find('EUR', 'USD'))?.rate.toDecimal(8);
      expect(await dollars()).toBe(first);
      // 33 times 150 is short of it, and once more is too much.
      for (let tick = 0; tick < 40; tick += 1) {
        clock.move(TICK);
        await dollars();
      }
      expect(await dollars()).toBe(last);
      expect((await rates.find('EUR', 'EUR'))?.rate.toDecimal(8)).toBe('1.00000000');
      clock.move(-TICK);
      expect(await dollars()).toBe(last);
    },
  );

  it('has every pair of the currencies with a reference rate, of this tick and of none before', async () => {
    const rates = new SimulatedRates(anchor, TICK, clockAt('2026-11-22T12:00:00Z').now);
    const tick = new Date('2026-11-22T12:00:00Z');
    const pairs = (await rates.newest(tick)).map(({ rate, asOf }) => [rate.base, rate.quote, asOf]);
    const currencies = ['EUR', 'USD', 'CNY', 'IDR'];
    expect(pairs).toEqual(currencies.flatMap((base) => currencies.map((quote) => [base, quote, tick])));
    expect(await rates.newest(new Date(tick.getTime() + 1))).toEqual([]);
  });

  it('asks for its anchor once for all who wait for it, again after ten minutes, and at once after it failed', async () => {
    const clock = clockAt('2026-11-22T12:00:00Z');
    let asked = 0;
    let isDown = false;
    const counted = async () => {
      asked += 1;
      if (isDown) throw new Error('down');
      return anchor();
    };
    const rates = new SimulatedRates(counted, TICK, clock.now);
    const find = () => rates.find('USD', 'CNY');
    await Promise.all([find(), find(), find()]);
    expect(asked).toBe(1);
    clock.move(600_000);
    await find();
    expect(asked).toBe(1);
    clock.move(1);
    isDown = true;
    await expect(find()).rejects.toThrow('down');
    isDown = false;
    await find();
    await find();
    expect(asked).toBe(3);
  });

  it('moves once a tick, not once a question, and says since when', async () => {
    const clock = clockAt('2026-11-22T12:00:02Z');
    const rates = new SimulatedRates(anchor, TICK, clock.now);
    const first = await rates.find('USD', 'CNY');
    expect(first).toMatchObject({ source: 'SIMULATED', asOf: new Date('2026-11-22T12:00:00Z') });
    clock.move(2_999);
    expect((await rates.find('USD', 'CNY'))?.rate.equals(first?.rate as Rate)).toBe(true);
    clock.move(1);
    const second = await rates.find('USD', 'CNY');
    expect(second?.asOf).toEqual(new Date('2026-11-22T12:00:05Z'));
    expect(second?.rate.equals(first?.rate as Rate)).toBe(false);
  });

  it('has no price for a currency without a reference rate, and a price for the smallest', async () => {
    const rates = new SimulatedRates(anchor, TICK, clockAt('2026-11-22T12:00:00Z').now, () => 0.5);
    expect(await rates.find('USD', 'VND')).toBeNull();
    expect(await rates.find('VND', 'USD')).toBeNull();
    expect((await rates.find('IDR', 'EUR'))?.rate.toDecimal(8)).toBe('0.00005090');
    const tiny = async () =>
      new Map([
        ['EUR', Rate.parse('1', 'EUR', 'EUR')],
        ['IDR', Rate.parse('100000000000', 'EUR', 'IDR')],
      ] as const);
    const still = new SimulatedRates(tiny, TICK, clockAt('2026-11-22T12:00:00Z').now, () => 0.5);
    expect((await still.find('IDR', 'EUR'))?.rate.equals(Rate.of('IDR', 'EUR', 1n, 100_000_000_000n))).toBe(true);
  });

  it('anchors itself again when newer reference rates came', async () => {
    const clock = clockAt('2026-11-22T12:00:00Z');
    let usd = '1';
    const rates = new SimulatedRates(
      async () =>
        new Map([
          ['EUR', Rate.parse('1', 'EUR', 'EUR')],
          ['USD', Rate.parse(usd, 'EUR', 'USD')],
        ] as const),
      TICK,
      clock.now,
      () => 0.5,
    );
    expect((await rates.find('EUR', 'USD'))?.rate.toDecimal(2)).toBe('1.00');
    usd = '2';
    clock.move(3_600_000);
    expect((await rates.find('EUR', 'USD'))?.rate.toDecimal(2)).toBe('2.00');
  });
});

describe('the development feed', () => {
  let world: FxWorld;
  const streams: EventStream[] = [];

  beforeAll(async () => {
    // The real clock: the shipped figures are months old, and it must work nevertheless.
    world = await fxWorld({ source: 'simulated', tickMs: 100 });
    await world.fx.start();
  });
  afterAll(async () => {
    for (const stream of streams) await stream.return();
    await world.close();
  });

  it('is what is sold, marked as such, however old the reference rates are', async () => {
    const query = '{ exchangeRate(base: "USD", quote: "CNY") { rate asOf source } }';
    const { data } = await world.ask(stranger, query);
    const rate = data?.['exchangeRate'] as { rate: string; asOf: string; source: string };
    expect(rate.source).toBe('SIMULATED');
    expect(Number(rate.rate)).toBeGreaterThan(6);
    expect(Date.now() - Date.parse(rate.asOf)).toBeLessThan(5_000);
  });

  it.each(['rate.USD.CNY', 'rate.CNY.USD', 'rate.SGD.CNY'])(
    'publishes %s, tick by tick, the newest at once',
    async (subject) => {
      const stream = await world.bus.subscribe(subject, 'LATEST');
      streams.push(stream);
      const seen = [];
      while (seen.length < 3) seen.push((await stream.next()).value?.payload);
      const [, base, quote] = subject.split('.');
      for (const payload of seen) {
        expect(payload).toMatchObject({ base, quote, source: 'SIMULATED' });
        expect(payload?.['rate']).toMatch(/^\d+\.\d{1,8}$/);
      }
      const moments = seen.map((payload) => Date.parse(String(payload?.['asOf'])));
      expect(moments).toEqual([...new Set(moments)].sort((a, b) => a - b));
    },
  );

  it('publishes every pair that has a rate: the newest at once, then twice a minute where nobody pays with it', async () => {
    const clock = clockAt('2026-11-22T12:00:00Z');
    const quiet = await fxWorld({ source: 'simulated', now: clock.now, tickMs: 20 });
    const stream = await quiet.bus.subscribe('rate.USD.KRW', 'LATEST');
    await quiet.fx.start();
    const first = (await stream.next()).value?.payload;
    expect(first).toMatchObject({ base: 'USD', quote: 'KRW', source: 'SIMULATED' });
    const late = await quiet.bus.subscribe('rate.USD.KRW', 'LATEST');
    expect((await late.next()).value?.payload).toEqual(first);
    const second = stream.next();
    // A paid pair tells that the feed has looked again.
    const paid = await quiet.bus.subscribe('rate.USD.CNY', 'LIVE');
    clock.move(29_980);
    await paid.next();
    clock.move(20);
    await paid.next();
    expect((await second).value?.payload).toMatchObject({ asOf: '2026-11-22T12:00:30.000Z' });
    await Promise.all([stream, late, paid].map((open) => open.return()));
    await quiet.close();
  });

  it.each(['simulated', 'reference'] as const)(
    'knows, from the %s source, exactly the pairs for which exchangeRate answers',
    async (source) => {
      const clock = clockAt('2026-03-06T09:00:00Z');
      const { fx, close } = await fxWorld({ source, now: clock.now });
      const { rates } = fx.services;
      const all = await rates.allCurrent();
      expect(all).toHaveLength(24 * 24);
      for (const { rate, asOf } of all) {
        const asked = await rates.current(rate.base, rate.quote);
        expect([asked.asOf, asked.rate.equals(rate)]).toEqual([asOf, true]);
      }
      await close();
    },
  );

  it('has no current rate of any pair once the newest is too old to be a price (R1)', async () => {
    const clock = clockAt('2026-03-06T09:00:00Z');
    const { fx, close } = await fxWorld({ source: 'reference', now: clock.now });
    // The newest rates are of the 5th, 15:00: good for four days, to the moment.
    clock.move(Date.parse('2026-03-09T15:00:00Z') - clock.now().getTime());
    expect(await fx.services.rates.allCurrent()).not.toEqual([]);
    clock.move(1);
    expect(await fx.services.rates.allCurrent()).toEqual([]);
    await close();
  });

  it('publishes a reference rate once, while it is not too old to be a price', async () => {
    const clock = clockAt('2026-03-06T09:00:00Z');
    const reference = await fxWorld({ source: 'reference', now: clock.now, tickMs: 20 });
    const stream = await reference.bus.subscribe('rate.USD.CNY', 'BEGINNING');
    await reference.fx.start();
    expect((await stream.next()).value?.payload).toMatchObject({ rate: '6.90110174', source: 'ECB' });
    const second = stream.next();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await stream.return();
    expect((await second).done).toBe(true);
    await reference.close();
  });
});

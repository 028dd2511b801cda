import { type Clock, MINUTE } from '../../kernel/clock.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Rate } from '../../kernel/money/rate.js';
import type { MarketRate } from './market-rate.js';
import type { RateSource } from './rate.client.js';

const PARTS = 1_000_000n;
/** How far a currency may stray from its reference rate, and how far it moves in one tick, in parts per million. */
const MOST = 5_000;
const STEP = 150;
const PLACES = 8;
const ANCHOR_MS = 10 * MINUTE;

/** The newest reference rates, per euro. */
export type Anchor = () => Promise<ReadonlyMap<Currency, Rate>>;

/**
 * A live feed for development: every currency walks at random near its newest reference rate, however old that is. Its
 * rates say `SIMULATED`. Time alone moves it, so whoever asks sees the same prices.
 */
export class SimulatedRates implements RateSource {
  private readonly strayed = new Map<Currency, number>();
  private perEuro: ReadonlyMap<Currency, Rate> = new Map();
  private anchoredAt = Number.NEGATIVE_INFINITY;
  private anchoring: Promise<void> | null = null;
  private tick = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly anchor: Anchor,
    private readonly tickMs: number,
    private readonly now: Clock,
    /** From 0 to 1, both steps and directions come from it. */
    private readonly random: () => number = Math.random,
  ) {}

  async find(base: Currency, quote: Currency): Promise<MarketRate | null> {
    await this.moveOn();
    return this.current(base, quote);
  }

  async newest(since: Date): Promise<MarketRate[]> {
    await this.moveOn();
    const currencies = [...this.perEuro.keys()];
    const rates = currencies.flatMap((base) => currencies.map((quote) => this.current(base, quote)));
    return rates.filter((rate) => rate !== null).filter(({ asOf }) => asOf >= since);
  }

  private async moveOn(): Promise<void> {
    const moment = this.now().getTime();
    if (moment - this.anchoredAt > ANCHOR_MS) await this.anchorAt(moment);
    this.moveTo(Math.floor(moment / this.tickMs));
  }

  private anchorAt(moment: number): Promise<void> {
    this.anchoring ??= this.anchor()
      .then((perEuro) => {
        this.perEuro = perEuro;
        this.anchoredAt = moment;
      })
      .finally(() => {
        this.anchoring = null;
      });
    return this.anchoring;
  }

  private moveTo(tick: number): void {
    if (tick <= this.tick) return;
    this.tick = tick;
    for (const currency of this.perEuro.keys()) {
      if (currency === 'EUR') continue;
      const moved = (this.strayed.get(currency) ?? 0) + Math.round((this.random() * 2 - 1) * STEP);
      this.strayed.set(currency, Math.max(-MOST, Math.min(MOST, moved)));
    }
  }

  private current(base: Currency, quote: Currency): MarketRate | null {
    const from = this.perEuroNow(base);
    const to = this.perEuroNow(quote);
    if (!from || !to) return null;
    return {
      rate: shortened(from.inverse().crossedWith(to)),
      asOf: new Date(this.tick * this.tickMs),
      source: 'SIMULATED',
    };
  }

  private perEuroNow(currency: Currency): Rate | null {
    const anchor = this.perEuro.get(currency);
    if (!anchor) return null;
    const factor = PARTS + BigInt(this.strayed.get(currency) ?? 0);
    return Rate.of('EUR', currency, anchor.numerator * factor, anchor.denominator * PARTS);
  }
}

/** As a feed writes it: a decimal. One that is too small for that stays a fraction. */
function shortened(rate: Rate): Rate {
  const decimal = rate.toDecimal(PLACES);
  return /[1-9]/.test(decimal) ? Rate.parse(decimal, rate.base, rate.quote) : rate;
}

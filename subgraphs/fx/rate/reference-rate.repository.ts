import type { EntityManager } from '@mikro-orm/postgresql';
import type { Currency } from '../../kernel/money/currency.js';
import type { Candle, ReferenceRate } from './market-rate.js';

/** Both sides of a pair on one day, per euro. */
export interface CrossedDay {
  readonly day: string;
  readonly basePerEuro: string;
  readonly quotePerEuro: string;
}

export interface Pair {
  readonly base: Currency;
  readonly quote: Currency;
}

export type Interval = 'DAY' | 'WEEK' | 'MONTH';

/** Reference rates per euro; the euro itself stands there as 1, so that every pair is the same join. */
export class ReferenceRateRepository {
  constructor(private readonly em: EntityManager) {}

  /** Writes all of them in one statement; a rate that is there already takes the new value. */
  async write(rates: readonly ReferenceRate[]): Promise<void> {
    // No quoting needed: days, codes and decimals were checked when they were read.
    const column = (values: readonly string[]) => `{${values.join(',')}}`;
    await this.em.execute(
      `insert into reference_rate (currency_code, day, per_euro)
         select * from unnest(?::text[], ?::date[], ?::numeric[])
       on conflict (currency_code, day) do update set per_euro = excluded.per_euro
         where reference_rate.per_euro <> excluded.per_euro`,
      [
        column(rates.map((rate) => rate.currency)),
        column(rates.map((rate) => rate.day)),
        column(rates.map((rate) => rate.perEuro)),
      ],
    );
  }

  async knowsFile(digest: string): Promise<boolean> {
    const known = await this.em.execute<unknown[]>('select digest from imported_file where digest = ?', [digest]);
    return known.length > 0;
  }

  /** Marks a file as imported, in this transaction; false when it was. Of two imports at once one waits here. */
  async claimFile(digest: string): Promise<boolean> {
    const claimed = await this.em.execute<unknown[]>(
      'insert into imported_file (digest) values (?) on conflict do nothing returning digest',
      [digest],
    );
    return claimed.length > 0;
  }

  /** The newest day that has both currencies. */
  async newest(base: Currency, quote: Currency): Promise<CrossedDay | null> {
    const [row] = await this.em.execute<CrossedDay[]>(
      `select base.day::text as day, base.per_euro as "basePerEuro", quote.per_euro as "quotePerEuro"
         from reference_rate base join reference_rate quote using (day)
        where base.currency_code = ? and quote.currency_code = ?
        order by base.day desc limit 1`,
      [base, quote],
    );
    return row ?? null;
  }

  /** The newest day of each pair that has both currencies on a day, from `since` on. */
  async newestOfAll(since: Date): Promise<(CrossedDay & Pair)[]> {
    return this.em.execute<(CrossedDay & Pair)[]>(
      `select distinct on (base.currency_code, quote.currency_code)
              base.currency_code as base, quote.currency_code as quote,
              day::text as day, base.per_euro as "basePerEuro", quote.per_euro as "quotePerEuro"
         from reference_rate base join reference_rate quote using (day)
        where day >= ?::date
        order by base.currency_code, quote.currency_code, day desc`,
      [since.toISOString()],
    );
  }

  /** All rates of the newest day that there is. */
  async newestDay(): Promise<ReferenceRate[]> {
    return this.em.execute<ReferenceRate[]>(
      `select day::text as day, currency_code as currency, per_euro as "perEuro" from reference_rate
        where day = (select max(day) from reference_rate where currency_code = 'EUR')`,
    );
  }

  /** Intervals in order; those without any rate are absent. */
  async candles(base: Currency, quote: Currency, from: string, to: string, interval: Interval): Promise<Candle[]> {
    return this.em.execute<Candle[]>(
      `with crossed as (
         select day, trim_scale(round(quote.per_euro / base.per_euro, 8)) as rate
           from reference_rate base join reference_rate quote using (day)
          where base.currency_code = ? and quote.currency_code = ? and day between ?::date and ?::date
       )
       select date_trunc(?, day)::date::text as date,
              (array_agg(rate order by day))[1]::text as open, max(rate)::text as high,
              min(rate)::text as low, (array_agg(rate order by day desc))[1]::text as close
         from crossed group by 1 order by 1`,
      [base, quote, from, to, interval],
    );
  }
}

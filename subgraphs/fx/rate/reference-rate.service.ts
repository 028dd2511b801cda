import { createHash, type Hash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { transaction } from '../../kernel/database.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Rate } from '../../kernel/money/rate.js';
import { readReferenceRates } from './ecb.client.js';
import type { MarketRate, ReferenceRate } from './market-rate.js';
import type { RateSource } from './rate.client.js';
import { type CrossedDay, ReferenceRateRepository } from './reference-rate.repository.js';

// Far fewer bytes than a statement may have, far fewer statements than rates.
const BATCH = 50_000;

type Chunk = Buffer | string;
type Chunks = AsyncIterable<Chunk> | Iterable<Chunk>;

/** The reference rates of the European Central Bank, once on each of its working days. */
export class ReferenceRateService implements RateSource {
  constructor(private readonly em: EntityManager) {}

  /**
   * Takes over a file in the ECB's layout, all of it or nothing.
   * @returns how many rates it had; 0 for a file that was imported before
   * @throws MalformedRates that names the line
   */
  async import(file: Chunks): Promise<number> {
    const hash = createHash('sha256');
    const rates: ReferenceRate[] = [];
    for await (const day of readReferenceRates(hashing(file, hash))) {
      const [first] = day;
      if (first) rates.push({ day: first.day, currency: 'EUR', perEuro: '1' }, ...day);
    }
    return transaction(this.em, async (em) => {
      const repository = new ReferenceRateRepository(em);
      if (!(await repository.claimFile(hash.digest('hex')))) return 0;
      for (let start = 0; start < rates.length; start += BATCH)
        await repository.write(rates.slice(start, start + BATCH));
      return rates.length;
    });
  }

  /** Whether exactly this file was imported before: saves reading it again at each start. */
  async knows(file: Buffer): Promise<boolean> {
    const digest = createHash('sha256').update(file).digest('hex');
    return new ReferenceRateRepository(this.em.fork()).knowsFile(digest);
  }

  async find(base: Currency, quote: Currency): Promise<MarketRate | null> {
    const newest = await new ReferenceRateRepository(this.em.fork()).newest(base, quote);
    return newest && crossed(base, quote, newest);
  }

  async newest(since: Date): Promise<MarketRate[]> {
    const days = await new ReferenceRateRepository(this.em.fork()).newestOfAll(since);
    // The day of `since` may have been published before it.
    return days.map((day) => crossed(day.base, day.quote, day)).filter(({ asOf }) => asOf >= since);
  }

  /** What one euro costs in each currency, on the newest day. */
  async perEuro(): Promise<ReadonlyMap<Currency, Rate>> {
    const rates = await new ReferenceRateRepository(this.em.fork()).newestDay();
    return new Map(rates.map(({ currency, perEuro }) => [currency, Rate.parse(perEuro, 'EUR', currency)]));
  }
}

function crossed(base: Currency, quote: Currency, { day, basePerEuro, quotePerEuro }: CrossedDay): MarketRate {
  const rate = Rate.parse(basePerEuro, 'EUR', base)
    .inverse()
    .crossedWith(Rate.parse(quotePerEuro, 'EUR', quote));
  return { rate, asOf: publishedAt(day), source: 'ECB' };
}

/** The ECB publishes at about 16:00 in Frankfurt; this is that moment in winter. */
function publishedAt(day: string): Date {
  return new Date(`${day}T15:00:00Z`);
}

async function* hashing(file: Chunks, hash: Hash): AsyncGenerator<Chunk> {
  for await (const chunk of file) {
    hash.update(chunk);
    yield chunk;
  }
}

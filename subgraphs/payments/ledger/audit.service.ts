import type { EntityManager } from '@mikro-orm/postgresql';
import { LRUCache } from 'lru-cache';
import { type Clock, DAY } from '../../kernel/clock.js';
import { InvalidError } from '../../kernel/error.js';
import { Money } from '../../kernel/money/money.js';
import { type Discrepancy, findDiscrepancies } from './books.repository.js';
import { LongRead } from './long-read.js';
import { type BrokenSeal, readSealFigures, type Seal, type SealFigures, verifySeals } from './seal.repository.js';
import { readTrialBalance } from './trial-balance.repository.js';

const SEALS_AT_ONCE = 20;
const DAYS_AT_ONCE = 50;

export interface TrialBalanceLine {
  readonly accountClass: string;
  readonly debits: Money;
  readonly credits: Money;
  /** Debits less credits. */
  readonly balance: Money;
}

export interface TrialBalance {
  readonly day: string;
  readonly lines: readonly TrialBalanceLine[];
  /** The sums of each currency, which must be equal (M1). */
  readonly totals: readonly { readonly debits: Money; readonly credits: Money; readonly isBalanced: boolean }[];
}

export interface SealVerification extends SealFigures {
  readonly sealedPostings: number;
  readonly firstBroken: BrokenSeal | null;
}

/**
 * What proves the books to an operator or an auditor. Nothing here changes anything. Each reads millions of rows: who
 * cannot wait for it that long has UnavailableError SUBGRAPH_UNAVAILABLE, and asks again.
 */
export class LedgerAuditService {
  private readonly finding = new LongRead(() => findDiscrepancies(this.em.fork()));
  private readonly verifying = new LongRead(() => this.readSeals());
  private readonly balancing = new LRUCache<string, LongRead<TrialBalance>>({ max: DAYS_AT_ONCE });

  /** @param em of connections whose statements may take minutes */
  constructor(
    private readonly em: EntityManager,
    private readonly now: Clock,
  ) {}

  /** Recomputes all totals from postings and holds, and the other invariants that the rows can prove. */
  async discrepancies(): Promise<Discrepancy[]> {
    return this.finding.ask();
  }

  /** Recomputes the whole chain from the postings as they are, up to the first seal that is broken. */
  async verifySeals(): Promise<SealVerification> {
    return this.verifying.ask();
  }

  /**
   * What each class of accounts held at the end of a day in UTC, or holds by now.
   * @param day `YYYY-MM-DD`
   * @throws InvalidError INVALID_RANGE for a day that has not begun
   */
  async trialBalance(day: string): Promise<TrialBalance> {
    const begins = new Date(`${day}T00:00:00Z`);
    if (begins > this.now()) throw new InvalidError('INVALID_RANGE', 'This day has not begun.');
    const balancing = this.balancing.get(day) ?? new LongRead(() => this.readBalance(day, begins));
    this.balancing.set(day, balancing);
    return balancing.ask();
  }

  private async readBalance(day: string, begins: Date): Promise<TrialBalance> {
    const rows = await readTrialBalance(this.em.fork(), new Date(begins.getTime() + DAY));
    const lines = rows.map(({ accountClass, currency, debitsMinor, creditsMinor }) => {
      const [debits, credits] = [Money.of(debitsMinor, currency), Money.of(creditsMinor, currency)];
      return { accountClass, debits, credits, balance: debits.minus(credits) };
    });
    const totals = [...Map.groupBy(lines, ({ debits }) => debits.currency)].map(([currency, of]) => {
      const debits = of.reduce((sum, line) => sum.plus(line.debits), Money.zero(currency));
      const credits = of.reduce((sum, line) => sum.plus(line.credits), Money.zero(currency));
      return { debits, credits, isBalanced: debits.equals(credits) };
    });
    return { day, lines, totals };
  }

  private async readSeals(): Promise<SealVerification> {
    const em = this.em.fork();
    const figures = await readSealFigures(em);
    let sealedPostings = 0;
    for (let last: Seal | null = null; ; ) {
      const page = await verifySeals(em, last, SEALS_AT_ONCE);
      sealedPostings += page.postings;
      if (page.broken || !page.last) return { ...figures, sealedPostings, firstBroken: page.broken };
      last = page.last;
    }
  }
}

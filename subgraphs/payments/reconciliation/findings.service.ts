import type { EntityManager } from '@mikro-orm/postgresql';
import type { BreakId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { BreakType } from './findings.repository.js';

/** A day of a market, as it was last reconciled or tried to be. */
export interface Run {
  readonly marketCode: string;
  readonly day: string;
  readonly networkLines: number | null;
  readonly walletLines: number | null;
  readonly failure: string | null;
  readonly attemptedAt: Date;
  readonly completedAt: Date | null;
}

/** What one side knows of a movement. */
export interface Evidence {
  readonly externalId: string | null;
  readonly amount: Money;
  readonly status: string;
  readonly at: Date | null;
  readonly merchantId: string | null;
  readonly fee: Money | null;
}

export interface Break {
  readonly id: BreakId;
  readonly marketCode: string;
  readonly day: string;
  readonly source: 'NETWORK' | 'WALLET';
  readonly type: BreakType;
  /** Our payment's or refund's id; their number where we have neither. */
  readonly subject: string;
  readonly here: Evidence | null;
  readonly there: readonly Evidence[];
  readonly firstSeenAt: Date;
  readonly closedAt: Date | null;
}

export interface BreakFilter {
  readonly type: BreakType | null;
  readonly open: boolean | null;
}

/** What reconciliation has found, for operators. */
export class FindingsService {
  constructor(private readonly em: EntityManager) {}

  /** The last days first. */
  async runs(page: PageRequest): Promise<Page<Run>> {
    const rows = await this.read<RunRow>(
      `select market_code, day::text as day, network_lines, wallet_lines, failure, attempted_at, completed_at,
              day::text || ' ' || market_code as key from reconciliation_run`,
      [],
      page,
    );
    return pageOf(page, rows.map(runOf));
  }

  /** The last found first. */
  async breaks({ type, open }: BreakFilter, page: PageRequest): Promise<Page<Break>> {
    const rows = await this.read<BreakRow>(
      `select id, market_code, day::text as day, source, type, subject, evidence, first_seen_at, closed_at, id as key
         from reconciliation_break
        where (?::text is null or type = ?) and (?::boolean is null or (closed_at is null) = ?)`,
      [type, type, open, open],
      page,
    );
    return pageOf(page, rows.map(breakOf));
  }

  private read<Row>(select: string, values: readonly unknown[], page: PageRequest): Promise<Row[]> {
    const { after, before, backward, limit } = page;
    return this.em.fork().execute<Row[]>(
      `select * from (${select}) row where (?::text is null or key collate "C" < ?) and (?::text is null or key collate "C" > ?)
        order by key collate "C" ${backward ? 'asc' : 'desc'} limit ?`,
      [...values, after, after, before, before, limit + 1],
    );
  }
}

interface RunRow {
  readonly market_code: string;
  readonly day: string;
  readonly network_lines: number | null;
  readonly wallet_lines: number | null;
  readonly failure: string | null;
  readonly attempted_at: Date | string;
  readonly completed_at: Date | string | null;
}

interface EvidenceRow {
  readonly externalId: string | null;
  readonly amountMinor: string;
  readonly currency: Currency;
  readonly status: string;
  readonly at: string | null;
  readonly merchantId: string | null;
  readonly feeMinor: string | null;
}

interface BreakRow extends Pick<Break, 'id' | 'day' | 'source' | 'type' | 'subject'> {
  readonly market_code: string;
  readonly evidence: { readonly here: EvidenceRow | null; readonly there: EvidenceRow | readonly EvidenceRow[] | null };
  readonly first_seen_at: Date | string;
  readonly closed_at: Date | string | null;
}

function runOf(row: RunRow): Run {
  return {
    marketCode: row.market_code,
    day: row.day,
    networkLines: row.network_lines,
    walletLines: row.wallet_lines,
    failure: row.failure,
    attemptedAt: new Date(row.attempted_at),
    completedAt: momentOf(row.completed_at),
  };
}

function breakOf({ market_code, evidence, first_seen_at, closed_at, ...row }: BreakRow): Break {
  const there = evidence.there === null ? [] : [evidence.there].flat();
  return {
    ...row,
    marketCode: market_code,
    here: evidence.here && evidenceOf(evidence.here),
    there: there.map(evidenceOf),
    firstSeenAt: new Date(first_seen_at),
    closedAt: momentOf(closed_at),
  };
}

function evidenceOf(row: EvidenceRow): Evidence {
  const { externalId, amountMinor, currency, status, at, merchantId, feeMinor } = row;
  const amount = Money.of(BigInt(amountMinor), currency);
  const fee = feeMinor === null ? null : Money.of(BigInt(feeMinor), currency);
  return { externalId, amount, status, at: momentOf(at), merchantId, fee };
}

function momentOf(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value);
}

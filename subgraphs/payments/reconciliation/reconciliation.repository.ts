import pg from 'pg';
import { newId } from '../../kernel/id.js';
import { COMPARE, CREATE_TABLES, FIND, MISSING } from './comparison.js';
import type { StatementLine } from './statement.js';

export type StatementSource = 'NETWORK' | 'WALLET';

/** The day that is reconciled, and the time in which a record of ours is missed on it. */
export interface Judged {
  readonly marketCode: string;
  readonly day: string;
  readonly from: Date;
  readonly to: Date;
}

const BATCH = 5_000;
/** Matching a million lines takes seconds, not the milliseconds of a request. */
const STATEMENT_TIMEOUT_MS = 300_000;

/**
 * A session of its own, with the statements' lines in temporary tables: they are never logged, nobody else sees them,
 * and they are gone with the session, however it ends.
 */
export class Workbench {
  private constructor(private readonly client: pg.Client) {}

  static async open(url: string): Promise<Workbench> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'payments-reconciliation',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    });
    // A broken connection also fails the statement under way, which says so.
    client.on('error', () => undefined);
    await client.connect();
    await client.query(CREATE_TABLES);
    return new Workbench(client);
  }

  close(): Promise<void> {
    return this.client.end();
  }

  /** One reconciles a day at a time; who comes second need not wait: the first does the work. */
  async claim(marketCode: string, day: string): Promise<boolean> {
    const { rows } = await this.client.query<{ claimed: boolean }>(
      `select pg_try_advisory_lock(hashtextextended('reconciliation ' || $1 || ' ' || $2, 0)) as claimed`,
      [marketCode, day],
    );
    return rows[0]?.claimed ?? false;
  }

  /** @returns how many lines there were @throws what the lines throw */
  async load(source: StatementSource, lines: AsyncIterable<StatementLine>): Promise<number> {
    const batch: StatementLine[] = [];
    let count = 0;
    for await (const line of lines) {
      batch.push(line);
      count += 1;
      if (batch.length === BATCH) await this.insert(source, batch.splice(0));
    }
    await this.insert(source, batch);
    return count;
  }

  /** Compares all lines with our records, and our records of that time with the lines. */
  async compare(judged: Judged): Promise<void> {
    await this.client.query('analyze statement_line');
    for (const sql of COMPARE) await this.client.query(sql);
    await this.client.query('analyze compared');
    for (const sql of FIND) await this.client.query(sql);
    for (const sql of MISSING) await this.client.query(sql, [judged.marketCode, judged.from, judged.to]);
  }

  /** Makes what was found the result of the day, in one transaction. What is as it was is not written again. */
  async record(judged: Judged, counts: Readonly<Record<StatementSource, number>>, now: Date): Promise<void> {
    const { marketCode, day } = judged;
    await this.client.query('begin');
    try {
      await this.client.query(
        `insert into reconciliation_run as run (market_code, day, network_lines, wallet_lines, attempted_at, completed_at)
         values ($1, $2, $3, $4, $5, $5)
         on conflict (market_code, day) do update set network_lines = $3, wallet_lines = $4, failure = null,
           attempted_at = $5, completed_at = $5`,
        [marketCode, day, counts.NETWORK, counts.WALLET, now],
      );
      await this.closeVanished(marketCode, day, now);
      await this.client.query(
        `update reconciliation_break old set evidence = found.evidence, closed_at = null from found
          where old.market_code = $1 and old.day = $2
            and (old.source, old.type, old.subject) = (found.source, found.type, found.subject)
            and (old.closed_at is not null or old.evidence <> found.evidence)`,
        [marketCode, day],
      );
      while ((await this.insertNew(marketCode, day, now)) === BATCH);
      await this.remember(judged);
      await this.client.query('commit');
    } catch (thrown) {
      await this.client.query('rollback').catch(() => undefined);
      throw thrown;
    }
  }

  /** A day that could not be reconciled keeps the result that it had. */
  async recordFailure(marketCode: string, day: string, failure: string, now: Date): Promise<void> {
    await this.client.query(
      `insert into reconciliation_run (market_code, day, failure, attempted_at) values ($1, $2, $3, $4)
       on conflict (market_code, day) do update set failure = $3, attempted_at = $4`,
      [marketCode, day, failure, now],
    );
  }

  /** Days of that market, since then, that have no result or an open break. */
  async unsettledDays(marketCode: string, since: string): Promise<string[]> {
    const { rows } = await this.client.query<{ day: string }>(
      `select day::text from reconciliation_run where market_code = $1 and day >= $2 and failure is not null
       union select day::text from reconciliation_break where market_code = $1 and day >= $2 and closed_at is null
       order by day`,
      [marketCode, since],
    );
    return rows.map(({ day }) => day);
  }

  private async insert(source: StatementSource, lines: readonly StatementLine[]): Promise<void> {
    await this.client.query({
      name: 'statement-lines',
      text: `insert into statement_line (source, kind, external_id, reference, amount_minor, currency, status, happened_at, merchant_id, fee_minor)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::bigint[])`,
      values: [
        source,
        lines.map(({ kind }) => kind),
        lines.map(({ externalId }) => externalId),
        lines.map(({ reference }) => reference),
        lines.map(({ amount }) => String(amount.minor)),
        lines.map(({ amount }) => amount.currency),
        lines.map(({ status }) => status),
        lines.map(({ happenedAt }) => happenedAt.toISOString()),
        lines.map(({ merchantId }) => merchantId),
        lines.map(({ fee }) => fee && String(fee.minor)),
      ],
    });
  }

  /** Also what was missed on another day and stands in the statement of this one. */
  private async closeVanished(marketCode: string, day: string, now: Date): Promise<void> {
    await this.client.query(
      `update reconciliation_break old set closed_at = $3
        where market_code = $1 and closed_at is null and case when day = $2
          then not exists (select 1 from found
                 where (found.source, found.type, found.subject) = (old.source, old.type, old.subject))
          else type in ('MISSING_AT_NETWORK', 'MISSING_AT_WALLET') and exists (select 1 from compared
                 where (compared.source, compared.subject) = (old.source, old.subject)) end`,
      [marketCode, day, now],
    );
  }

  private async insertNew(marketCode: string, day: string, now: Date): Promise<number> {
    const ids = Array.from({ length: BATCH }, () => newId('brk', 'us'));
    const { rowCount } = await this.client.query(
      `with fresh as (
         select found.*, row_number() over (order by subject, source, type) as place from found
          where not exists (select 1 from reconciliation_break old where old.market_code = $2 and old.day = $3
                  and (old.source, old.type, old.subject) = (found.source, found.type, found.subject))
          limit ${BATCH})
       insert into reconciliation_break (id, market_code, day, source, type, subject, evidence, first_seen_at)
       select ids.id, $2, $3, source, type, subject, evidence, $4
         from fresh join unnest($1::text[]) with ordinality ids (id, place) using (place)`,
      [ids, marketCode, day, now],
    );
    return rowCount ?? 0;
  }

  /** Lines whose record is missed on another day than theirs: that day must know that they were here. */
  private async remember({ marketCode, day, from, to }: Judged): Promise<void> {
    await this.client.query('delete from reconciliation_seen where market_code = $1 and day = $2', [marketCode, day]);
    await this.client.query(
      `insert into reconciliation_seen (market_code, source, subject, day)
       select distinct $1, source, subject, $2::date from compared
        where subject is not null and (here_at is null or here_at < $3 or here_at >= $4)`,
      [marketCode, day, from, to],
    );
  }
}

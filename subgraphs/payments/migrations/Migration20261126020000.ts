import { Migration } from '@mikro-orm/migrations';

const RECONCILIATION = `
  create table reconciliation_run (
    market_code text not null,
    day date not null,
    network_lines integer,
    wallet_lines integer,
    failure text,
    attempted_at timestamptz not null,
    completed_at timestamptz,
    primary key (market_code, day),
    check ((completed_at is null) = (network_lines is null) and (completed_at is null) = (wallet_lines is null)),
    check (completed_at is not null or failure is not null)
  );

  create table reconciliation_break (
    id text collate "C" primary key,
    market_code text not null,
    day date not null,
    source text not null check (source in ('NETWORK', 'WALLET')),
    type text not null check (type in ('MISSING_AT_NETWORK', 'MISSING_AT_WALLET', 'MISSING_HERE', 'AMOUNT_DIFFERS',
      'CURRENCY_DIFFERS', 'STATUS_DIFFERS', 'MERCHANT_DIFFERS', 'FEE_DIFFERS', 'DUPLICATE')),
    subject text not null,
    evidence jsonb not null,
    first_seen_at timestamptz not null,
    closed_at timestamptz,
    unique (market_code, day, source, type, subject)
  );
  create index reconciliation_break_open on reconciliation_break (type, id desc) where closed_at is null;
  create index reconciliation_break_by_subject on reconciliation_break (subject);

  create table reconciliation_seen (
    market_code text not null,
    source text not null,
    subject text not null,
    day date not null,
    primary key (market_code, source, subject, day)
  );

  create index acceptance_by_time on payment_acceptance using brin (accepted_at);
  create index payment_by_completion on payment using brin (completed_at);
  create index refund_by_completion on refund using brin (completed_at);
`;

/**
 * What reconciliation finds. `reconciliation_seen` holds lines that stood in the statement of another day than the one on
 * which their payment would be missed. The times of payments are indexed by block ranges: they grow with the tables, and
 * such an index costs the payments nothing.
 */
export class Migration20261126020000 extends Migration {
  override up(): void {
    this.addSql(RECONCILIATION);
  }
}

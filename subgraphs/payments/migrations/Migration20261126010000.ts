import { Migration } from '@mikro-orm/migrations';

const PROOFS = `
  create index posting_by_day on posting (posted_at);

  create table posting_seal (
    sequence bigint primary key check (sequence > 0),
    from_id bigint not null,
    to_id bigint not null,
    posting_count integer not null check (posting_count > 0),
    sums jsonb not null,
    hash bytea not null unique,
    sealed_at timestamptz not null,
    check (from_id <= to_id)
  );
  create trigger posting_seal_is_immutable before update or delete or truncate on posting_seal
    for each statement execute function refuse_change();
  revoke update, delete, truncate on posting_seal from public, current_user;

  create index payment_in_review on payment (id) where status = 'IN_REVIEW';
`;

/** What proves the ledger: postings by their day, and the chain of seals over them. And who waits for a person. */
export class Migration20261126010000 extends Migration {
  override up(): void {
    this.addSql(PROOFS);
  }
}

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

// Four eyes also here: who decides names the proposer, as the proposal does, and is somebody else.
const RESOLUTIONS = `
  create table payment_resolution (
    id text collate "C" primary key,
    payment_id text not null references payment (id),
    action text not null check (action in ('COMPLETE_AFTER_CAPTURE')),
    note text not null,
    event_count integer not null,
    authorization_status text not null,
    acceptance_status text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    unique (id, proposed_by)
  );
  create index payment_resolution_by_payment on payment_resolution (payment_id, id desc);
  create table payment_resolution_decision (
    resolution_id text collate "C" primary key,
    verdict text not null check (verdict in ('APPROVED', 'REJECTED')),
    note text not null,
    proposed_by text not null,
    decided_by text not null,
    decided_at timestamptz not null,
    event_id text unique,
    foreign key (resolution_id, proposed_by) references payment_resolution (id, proposed_by),
    check (decided_by <> proposed_by),
    check ((verdict = 'APPROVED') = (event_id is not null))
  );
  create trigger payment_resolution_is_immutable before update or delete or truncate on payment_resolution
    for each statement execute function refuse_change();
  create trigger payment_resolution_decision_is_immutable before update or delete or truncate on payment_resolution_decision
    for each statement execute function refuse_change();
  -- Who refers to a row locks it, which takes the right to update: there the trigger alone refuses.
  revoke delete, truncate on payment_resolution from public, current_user;
  revoke update, delete, truncate on payment_resolution_decision from public, current_user;
`;

/** What proves the ledger: postings by their day, and the chain of seals over them. And who waits for a person, and what was decided. */
export class Migration20261126010000 extends Migration {
  override up(): void {
    for (const sql of [PROOFS, RESOLUTIONS]) this.addSql(sql);
  }
}

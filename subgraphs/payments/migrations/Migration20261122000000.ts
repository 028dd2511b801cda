import { Migration } from '@mikro-orm/migrations';
import { outboxTable } from '../../kernel/event/outbox.js';
import { idempotencyTable } from '../../kernel/idempotency.js';

// Ids sort by time only byte by byte, whatever the database's collation.
const ID = 'text collate "C"';

const CHECKOUTS = `
  create table checkout (
    id ${ID} primary key,
    traveler_id text not null,
    wallet_id text not null,
    wallet_provider text not null,
    market_code text not null,
    merchant_id text not null,
    merchant_name text not null,
    network text not null,
    network_merchant_id text not null,
    country_code text not null,
    code_id text,
    code_payload text not null,
    reference text,
    quote_id text not null unique,
    buy_minor bigint not null check (buy_minor > 0),
    buy_currency text not null,
    sell_minor bigint not null check (sell_minor > 0),
    sell_currency text not null,
    spread_minor bigint not null check (spread_minor >= 0),
    fee_minor bigint not null check (fee_minor >= 0),
    per_payment_limit_minor bigint not null,
    per_year_limit_minor bigint not null,
    partner_ids text[] not null,
    status text not null check (status in ('OPEN', 'CONFIRMED', 'EXPIRED', 'CANCELLED')),
    quote_expires_at timestamptz not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    check (spread_minor + fee_minor < sell_minor)
  );
  create index checkout_to_expire on checkout (expires_at) where status = 'OPEN';
`;

const PAYMENTS = `
  create table payment (
    id ${ID} primary key,
    checkout_id text not null unique references checkout (id),
    quote_id text not null unique,
    traveler_id text not null,
    wallet_id text not null,
    wallet_provider text not null,
    market_code text not null,
    merchant_id text not null,
    merchant_name text not null,
    network text not null,
    network_merchant_id text not null,
    code_id text,
    code_payload text not null,
    reference text,
    buy_minor bigint not null check (buy_minor > 0),
    buy_currency text not null,
    sell_minor bigint not null check (sell_minor > 0),
    sell_currency text not null,
    spread_minor bigint not null,
    fee_minor bigint not null,
    refunded_buy_minor bigint not null default 0,
    refunded_sell_minor bigint not null default 0,
    refunded_spread_minor bigint not null default 0,
    refunded_fee_minor bigint not null default 0,
    partner_ids text[] not null,
    status text not null check (status in ('PROCESSING', 'PAID', 'COMPLETED', 'DECLINED', 'FAILED', 'IN_REVIEW')),
    reason text,
    event_count integer not null check (event_count >= 0),
    attempt integer not null default 0,
    lease_until timestamptz,
    lease_owner integer,
    next_attempt_at timestamptz,
    created_at timestamptz not null,
    pay_by timestamptz not null,
    paid_at timestamptz,
    completed_at timestamptz,
    check (refunded_buy_minor between 0 and buy_minor),
    check (refunded_sell_minor between 0 and sell_minor),
    check (refunded_spread_minor between 0 and spread_minor),
    check (refunded_fee_minor between 0 and fee_minor),
    check (refunded_buy_minor = 0 or status = 'COMPLETED'),
    check (status <> 'COMPLETED' or (completed_at is not null and paid_at is not null)),
    check (status not in ('DECLINED', 'FAILED', 'IN_REVIEW') or reason is not null)
  );
  create index payment_by_traveler on payment (traveler_id, id desc);
  create index payment_by_traveler_and_status on payment (traveler_id, status, id desc);
  create index payment_by_merchant on payment (merchant_id, id desc);
  create index payment_by_merchant_and_status on payment (merchant_id, status, id desc);
  create index payment_undecided on payment (created_at) where status in ('PROCESSING', 'PAID');

  create table payment_event (
    id ${ID} primary key,
    payment_id text not null references payment (id),
    sequence integer not null check (sequence > 0),
    type text not null,
    status text not null,
    refund_id text,
    occurred_at timestamptz not null,
    unique (payment_id, sequence)
  );

  create table payment_authorization (
    payment_id text primary key references payment (id),
    status text not null check (status in ('REQUESTED', 'HELD', 'CAPTURED', 'VOIDED', 'DECLINED')),
    request_id text not null unique,
    order_id text unique,
    authorization_id text unique,
    capture_id text unique,
    expires_at timestamptz,
    processor_fee_minor bigint,
    check (status not in ('HELD', 'CAPTURED', 'VOIDED') or authorization_id is not null),
    check (status <> 'CAPTURED' or capture_id is not null)
  );

  create table payment_acceptance (
    payment_id text primary key references payment (id),
    status text not null check (status in ('PREPARED', 'SUBMITTED', 'ACCEPTED', 'REFUSED')),
    request_id text not null unique,
    network_payment_id text,
    transaction_id text unique,
    submitted_at timestamptz,
    accepted_at timestamptz,
    check (status not in ('SUBMITTED', 'ACCEPTED') or submitted_at is not null),
    check (status <> 'ACCEPTED' or accepted_at is not null)
  );

  create table limit_usage (
    traveler_id text not null,
    market_code text not null,
    network text not null,
    year integer not null,
    currency text not null,
    used_minor bigint not null check (used_minor >= 0),
    primary key (traveler_id, market_code, network, year, currency)
  );
`;

const REFUNDS = `
  create table refund (
    id ${ID} primary key,
    payment_id text not null references payment (id),
    reason text not null,
    requested_by text not null,
    buy_minor bigint not null check (buy_minor > 0),
    buy_currency text not null,
    sell_minor bigint not null check (sell_minor >= 0),
    sell_currency text not null,
    spread_minor bigint not null check (spread_minor >= 0),
    fee_minor bigint not null check (fee_minor >= 0),
    status text not null check (status in ('PROCESSING', 'COMPLETED', 'FAILED')),
    leg_status text not null check (leg_status in ('REQUESTED', 'TAKEN', 'GIVEN', 'REFUSED', 'OWED')),
    failure_reason text,
    network_refund_id text,
    wallet_refund_id text unique,
    attempt integer not null default 0,
    lease_until timestamptz,
    lease_owner integer,
    next_attempt_at timestamptz,
    created_at timestamptz not null,
    completed_at timestamptz,
    check (status <> 'COMPLETED' or leg_status = 'GIVEN'),
    check ((status <> 'FAILED' and leg_status <> 'OWED') or failure_reason is not null)
  );
  create index refund_by_payment on refund (payment_id, id desc);
  create index refund_undecided on refund (created_at) where leg_status in ('REQUESTED', 'TAKEN');
  create index refund_owed on refund (created_at) where leg_status = 'OWED';
`;

const LEDGER = `
  create table account (
    id bigint generated always as identity primary key,
    code text not null unique,
    currency text not null,
    debits_pending bigint not null default 0 check (debits_pending >= 0),
    debits_posted bigint not null default 0 check (debits_posted >= 0),
    credits_pending bigint not null default 0 check (credits_pending >= 0),
    credits_posted bigint not null default 0 check (credits_posted >= 0),
    unique (id, currency)
  ) with (fillfactor = 70);

  create table hold (
    id bigint generated always as identity primary key,
    payment_id text not null references payment (id),
    leg text not null,
    debit_account_id bigint not null,
    credit_account_id bigint not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    status text not null check (status in ('PENDING', 'POSTED', 'VOIDED')),
    created_at timestamptz not null,
    resolved_at timestamptz,
    foreign key (debit_account_id, currency) references account (id, currency),
    foreign key (credit_account_id, currency) references account (id, currency),
    check (debit_account_id <> credit_account_id),
    check ((status = 'PENDING') = (resolved_at is null)),
    unique (payment_id, leg)
  ) with (fillfactor = 80);

  create table posting (
    id bigint generated always as identity primary key,
    payment_id text not null references payment (id),
    refund_id text references refund (id),
    hold_id bigint unique references hold (id),
    leg text not null,
    debit_account_id bigint not null,
    credit_account_id bigint not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    posted_at timestamptz not null,
    foreign key (debit_account_id, currency) references account (id, currency),
    foreign key (credit_account_id, currency) references account (id, currency),
    check (debit_account_id <> credit_account_id),
    unique nulls not distinct (payment_id, refund_id, leg)
  );

  create function refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception '% of % is not allowed', tg_op, tg_table_name using errcode = 'restrict_violation';
  end $$;
  create trigger posting_is_immutable before update or delete or truncate on posting
    for each statement execute function refuse_change();
  create trigger payment_event_is_immutable before update or delete or truncate on payment_event
    for each statement execute function refuse_change();
  revoke update, delete, truncate on posting, payment_event from public, current_user;
`;

const NOTIFICATIONS = `
  create table notification (
    source text not null,
    id text not null,
    event_type text not null,
    subject_id text,
    received_at timestamptz not null default now(),
    primary key (source, id)
  );
  create index notification_unmatched on notification (received_at) where subject_id is null;
`;

/** Everything that payments keeps. The constraints repeat the law of the entities: see the invariants in the README. */
export class Migration20261122000000 extends Migration {
  override up(): void {
    for (const sql of [idempotencyTable, outboxTable, CHECKOUTS, PAYMENTS, REFUNDS, LEDGER, NOTIFICATIONS])
      this.addSql(sql);
  }
}

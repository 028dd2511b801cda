import { Migration } from '@mikro-orm/migrations';
import { idempotencyTable } from '../../kernel/idempotency.js';

// Ids sort by time only byte by byte, whatever the database's collation.
const ID = 'text collate "C"';

const MERCHANTS = `
  create table merchant (
    id ${ID} primary key check (id ~ '^mer_[a-z]{2}_'),
    name text not null check (name <> ''),
    local_name text not null check (local_name <> ''),
    category_code text not null check (category_code ~ '^[0-9]{4}$'),
    city text not null check (city <> ''),
    country_code text not null check (country_code ~ '^[A-Z]{2}$'),
    origin text not null check (origin in ('REGISTERED', 'NETWORK')),
    registered_at timestamptz not null
  );
  create table network_account (
    network text not null check (network in ('WECHAT_PAY')),
    network_merchant_id text not null check (network_merchant_id ~ '^[0-9]{1,32}$'),
    merchant_id ${ID} not null references merchant,
    primary key (network, network_merchant_id),
    unique (merchant_id, network)
  );
`;

const CODES = `
  create table payment_code (
    id ${ID} primary key check (id ~ '^cod_[a-z]{2}_'),
    merchant_id ${ID} not null references merchant,
    network text not null check (network in ('WECHAT_PAY')),
    kind text not null check (kind in ('STATIC', 'DYNAMIC')),
    status text not null check (status in ('REGISTERING', 'ACTIVE', 'PAID', 'CLOSED')),
    payload text check (length(payload) between 1 and 512),
    currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
    amount_minor bigint check (amount_minor > 0),
    reference text check (length(reference) between 1 and 64),
    out_trade_no text unique,
    expires_at timestamptz,
    payment_id text,
    created_at timestamptz not null,
    paid_at timestamptz,
    closed_at timestamptz,
    check ((kind = 'DYNAMIC') = (amount_minor is not null)),
    check ((kind = 'DYNAMIC') = (out_trade_no is not null)),
    check ((kind = 'DYNAMIC') = (expires_at is not null)),
    check (payload is not null or status in ('REGISTERING', 'CLOSED')),
    check (payload is null or status <> 'REGISTERING'),
    check ((status = 'PAID') = (payment_id is not null)),
    check ((status = 'PAID') = (paid_at is not null)),
    check (status <> 'PAID' or kind = 'DYNAMIC'),
    check (status <> 'CLOSED' or closed_at is not null)
  );
  create unique index payment_code_payload on payment_code (payload) where payload is not null;
  create index payment_code_page on payment_code (merchant_id, id) where payload is not null;
`;

export class Migration20261122000000 extends Migration {
  override up(): void {
    for (const tables of [idempotencyTable, MERCHANTS, CODES]) this.addSql(tables);
  }
}

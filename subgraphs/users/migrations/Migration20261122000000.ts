import { Migration } from '@mikro-orm/migrations';

// Ids sort by time only byte by byte, whatever the database's collation.
const ID = 'text collate "C"';

const MARKETS = `
  create table market (
    code text primary key check (code ~ '^[A-Z]{2}$'),
    name text not null,
    status text not null check (status in ('LIVE', 'ANNOUNCED', 'CLOSED')),
    currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
    wallet_providers text[] not null check (wallet_providers <@ array['PAYPAL'])
  );
  create table corridor (
    market_code text not null references market,
    network text not null,
    country_code text not null check (country_code ~ '^[A-Z]{2}$'),
    primary key (market_code, network, country_code)
  );
  create table spending_limit (
    market_code text not null references market,
    network text not null,
    currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
    per_payment_minor bigint not null check (per_payment_minor > 0),
    per_year_minor bigint not null check (per_year_minor >= per_payment_minor),
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    primary key (market_code, network, valid_from)
  );
`;

// The limits are those of mainland China for foreign payers: USD 5,000 a payment and 50,000 a year, since March 2024.
const MARKET_ROWS = `
  insert into market (code, name, status, currency_code, wallet_providers) values
    ('US', 'United States', 'LIVE', 'USD', '{PAYPAL}'),
    ('AU', 'Australia', 'ANNOUNCED', 'AUD', '{PAYPAL}'),
    ('CA', 'Canada', 'ANNOUNCED', 'CAD', '{PAYPAL}'),
    ('DE', 'Germany', 'ANNOUNCED', 'EUR', '{PAYPAL}'),
    ('FR', 'France', 'ANNOUNCED', 'EUR', '{PAYPAL}'),
    ('GB', 'United Kingdom', 'ANNOUNCED', 'GBP', '{PAYPAL}'),
    ('JP', 'Japan', 'ANNOUNCED', 'JPY', '{PAYPAL}'),
    ('SG', 'Singapore', 'ANNOUNCED', 'SGD', '{PAYPAL}');
  insert into corridor (market_code, network, country_code) values ('US', 'WECHAT_PAY', 'CN');
  insert into spending_limit (market_code, network, currency_code, per_payment_minor, per_year_minor, valid_from) values
    ('US', 'WECHAT_PAY', 'USD', 500000, 5000000, '2024-03-01');
`;

const TRAVELERS = `
  create table subject_key (
    subject_id ${ID} primary key,
    wrapped_key bytea,
    issued_at timestamptz not null,
    destroyed_at timestamptz,
    check ((wrapped_key is null) = (destroyed_at is not null))
  );
  create table traveler (
    id ${ID} primary key references subject_key check (id ~ '^trv_[a-z]{2}_'),
    home_market_code text not null references market,
    display_name bytea,
    legal_name bytea,
    email bytea,
    enrolled_at timestamptz not null,
    erased_at timestamptz,
    check ((erased_at is null) = (display_name is not null)),
    check ((erased_at is null) = (legal_name is not null)),
    check ((erased_at is null) = (email is not null))
  );
  create table wallet (
    id ${ID} primary key check (id ~ '^wal_[a-z]{2}_'),
    traveler_id ${ID} not null references traveler,
    provider text not null check (provider in ('PAYPAL')),
    currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
    status text not null check (status in ('ACTIVE', 'SUSPENDED', 'CLOSED')),
    label bytea,
    vault_reference bytea,
    linked_at timestamptz not null,
    closed_at timestamptz,
    check ((status = 'CLOSED') = (closed_at is not null)),
    check ((label is null) = (vault_reference is null)),
    check (vault_reference is not null or status = 'CLOSED')
  );
  create index wallet_of_traveler on wallet (traveler_id, id);
`;

const PARTNERS = `
  create table partner (
    id ${ID} primary key check (id ~ '^ptr_[a-z]{2}_'),
    name text not null,
    scopes text[] not null,
    registered_at timestamptz not null
  );
  create table partner_grant (
    position bigint generated always as identity primary key,
    partner_id ${ID} not null references partner,
    subject_id ${ID} not null check (subject_id ~ '^(mer|trv)_[a-z]{2}_'),
    granted_at timestamptz not null,
    revoked_at timestamptz
  );
  create unique index partner_grant_once on partner_grant (partner_id, subject_id) where revoked_at is null;
  create index partner_grant_to_subject on partner_grant (subject_id) where revoked_at is null;
  create index partner_grant_page on partner_grant (partner_id, position) where revoked_at is null;
`;

export class Migration20261122000000 extends Migration {
  override up(): void {
    for (const tables of [MARKETS, MARKET_ROWS, TRAVELERS, PARTNERS]) this.addSql(tables);
  }
}

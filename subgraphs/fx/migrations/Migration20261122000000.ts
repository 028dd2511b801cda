import { Migration } from '@mikro-orm/migrations';

// Per euro, so that a pair is one join on the day. The second index serves "the newest day" and a day's column.
const RATES = `
  create table reference_rate (
    currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
    day date not null,
    per_euro numeric not null check (per_euro > 0),
    primary key (currency_code, day)
  );
  create index reference_rate_by_day on reference_rate (day);
  create table imported_file (
    digest text primary key check (digest ~ '^[0-9a-f]{64}$'),
    imported_at timestamptz not null default now()
  );
`;

// Q3: of two rules that held at once, chance would choose the price.
const RULES = `
  create extension if not exists btree_gist;
  create table pricing_rule (
    id bigint generated always as identity primary key,
    market_code text not null check (market_code ~ '^[A-Z]{2}$'),
    provider text not null,
    network text not null,
    sell_currency text not null check (sell_currency ~ '^[A-Z]{3}$'),
    buy_currency text not null check (buy_currency ~ '^[A-Z]{3}$'),
    spread_ppm integer not null check (spread_ppm between 0 and 999999),
    fee_fixed_minor bigint not null check (fee_fixed_minor >= 0),
    fee_ppm integer not null check (fee_ppm between 0 and 999999),
    valid_from timestamptz not null,
    valid_to timestamptz check (valid_to > valid_from),
    constraint pricing_rule_no_overlap exclude using gist (
      market_code with =, provider with =, network with =, sell_currency with =, buy_currency with =,
      tstzrange(valid_from, valid_to) with &&
    )
  );
  insert into pricing_rule
    (market_code, provider, network, sell_currency, buy_currency, spread_ppm, fee_fixed_minor, fee_ppm, valid_from)
    values ('US', 'PAYPAL', 'WECHAT_PAY', 'USD', 'CNY', 15000, 0, 0, '2020-01-01T00:00:00Z');
`;

const QUOTES = `
  create table quote (
    id text collate "C" primary key check (id ~ '^quo_[a-z]{2}_'),
    pricing_rule_id bigint not null references pricing_rule,
    market_code text not null,
    provider text not null,
    network text not null,
    sell_currency text not null,
    buy_currency text not null,
    sell_minor bigint not null,
    buy_minor bigint not null check (buy_minor > 0),
    mid_minor bigint not null check (mid_minor > 0),
    spread_minor bigint not null check (spread_minor >= 0),
    fee_minor bigint not null check (fee_minor >= 0),
    mid_numerator numeric not null check (mid_numerator > 0),
    mid_denominator numeric not null check (mid_denominator > 0),
    customer_numerator numeric not null check (customer_numerator > 0),
    customer_denominator numeric not null check (customer_denominator > 0),
    source text not null,
    as_of timestamptz not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > issued_at),
    constraint quote_adds_up check (sell_minor = mid_minor + spread_minor + fee_minor)
  );
  create function quote_is_final() returns trigger language plpgsql as $$
    begin raise exception 'a quote never changes'; end $$;
  create trigger quote_is_final before update or delete on quote for each row execute function quote_is_final();
`;

export class Migration20261122000000 extends Migration {
  override up(): void {
    for (const sql of [RATES, RULES, QUOTES]) this.addSql(sql);
  }
}

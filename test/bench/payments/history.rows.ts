import pg from 'pg';
import { databaseUrl } from '../../../subgraphs/kernel/configuration.js';
import { historyStore, type Stage } from './stage.js';

/** Every so many payments one is the reader's. */
export const READER_EVERY = 100;
/** Every so many payments one was made at the store. */
export const STORE_EVERY = 10;
/** Every so many payments one came to nothing. */
const FAILED_EVERY = 23;
/** A statement keeps in mind which foreign keys it has to check at its end. */
const PIECE = 250_000;

const NUMBER = "lpad(n::text, 25, '0')";
const ID = `'pay_us_0' || ${NUMBER}`;
/** A payment every ten seconds, the first one three years ago where there are ten million. */
const MOMENT = "timestamptz '2023-06-01 00:00:00Z' + n * interval '10 seconds'";
const PRICE = `100 + n % 50000 as buy, 20 + n % 7000 as sell`;

/** The id of generated payment `n`. */
export function generatedId(n: number): string {
  return `pay_us_0${String(n).padStart(25, '0')}`;
}

/**
 * Adds generated payments, from number `from` to number `to`, with the checkouts that they came from; all constraints
 * and triggers are at work. They are older than all real ones. The reader's also get their quotes, which pages show.
 */
export async function generate(stage: Stage, from: number, to: number): Promise<void> {
  for (let first = from; first <= to; first += PIECE)
    await insertPayments(stage, first, Math.min(to, first + PIECE - 1));
  await insertQuotes(stage, from, to);
  await stage.database.query('vacuum analyze payment, checkout');
}

async function insertPayments({ database, reader }: Stage, first: number, last: number): Promise<void> {
  const parties = `case n % ${READER_EVERY} when 0 then $3 else 'trv_us_' || n % 100003 end, 'wal_us_' || n % 100003, 'PAYPAL', 'US',
      case n % ${STORE_EVERY} when 0 then $4 else 'mer_cn_' || n % 9973 end, $5, 'WECHAT_PAY', '1600000000'`;
  await database.query(
    `insert into checkout (id, traveler_id, wallet_id, wallet_provider, market_code, merchant_id, merchant_name, network,
            network_merchant_id, country_code, code_payload, quote_id, buy_minor, buy_currency, sell_minor, sell_currency,
            spread_minor, fee_minor, per_payment_limit_minor, per_year_limit_minor, partner_ids, status,
            quote_expires_at, expires_at, created_at)
     select 'chk_us_0' || ${NUMBER}, ${parties}, 'CN', 'wxp://', 'quo_us_0' || ${NUMBER}, buy, 'CNY', sell, 'USD', 1, 0,
            500000, 5000000, '{}', 'CONFIRMED', ${MOMENT}, ${MOMENT}, ${MOMENT}
       from (select n, ${PRICE} from generate_series($1::int, $2::int) n) priced`,
    [first, last, reader.id, historyStore.merchantId, historyStore.name],
  );
  const failed = `n % ${FAILED_EVERY} = 0`;
  await database.query(
    `insert into payment (id, checkout_id, quote_id, traveler_id, wallet_id, wallet_provider, market_code, merchant_id,
            merchant_name, network, network_merchant_id, code_payload, buy_minor, buy_currency, sell_minor, sell_currency,
            spread_minor, fee_minor, partner_ids, status, reason, event_count, created_at, pay_by, paid_at, completed_at)
     select ${ID}, 'chk_us_0' || ${NUMBER}, 'quo_us_0' || ${NUMBER}, ${parties}, 'wxp://', buy, 'CNY', sell, 'USD', 1, 0, '{}',
            case when ${failed} then 'FAILED' else 'COMPLETED' end, case when ${failed} then 'TIMED_OUT' end, 5,
            ${MOMENT}, ${MOMENT}, case when not ${failed} then ${MOMENT} end, case when not ${failed} then ${MOMENT} end
       from (select n, ${PRICE} from generate_series($1::int, $2::int) n) priced`,
    [first, last, reader.id, historyStore.merchantId, historyStore.name],
  );
}

async function insertQuotes({ lab }: Stage, from: number, to: number): Promise<void> {
  const fx = new pg.Client({ connectionString: databaseUrl('fx', lab.environment) });
  await fx.connect();
  try {
    await fx.query(
      `insert into quote (id, pricing_rule_id, market_code, provider, network, sell_currency, buy_currency, sell_minor, buy_minor,
              mid_minor, spread_minor, fee_minor, mid_numerator, mid_denominator, customer_numerator, customer_denominator,
              source, as_of, issued_at, expires_at)
       select 'quo_us_0' || ${NUMBER}, (select min(id) from pricing_rule), 'US', 'PAYPAL', 'WECHAT_PAY', 'USD', 'CNY', sell, buy,
              sell - 1, 1, 0, 1, 7, 1, 7, 'SIMULATED', ${MOMENT}, ${MOMENT}, ${MOMENT} + interval '5 minutes'
         from (select n, ${PRICE} from generate_series($1::int, $2::int) n) priced where n % ${READER_EVERY} = 0`,
      [from, to],
    );
    await fx.query('analyze quote');
  } finally {
    await fx.end();
  }
}

/** Lines as they were stated, what each was compared with, and the breaks that this showed. */
export const CREATE_TABLES = `
  set timezone = 'UTC';
  create temporary table statement_line (
    source text not null, kind text not null, external_id text not null, reference text, amount_minor bigint not null,
    currency text not null, status text not null, happened_at timestamptz not null, merchant_id text, fee_minor bigint);
  create temporary table compared (
    like statement_line, subject text, here_external_id text, here_amount_minor bigint, here_currency text,
    here_status text, here_settled boolean, here_given_back boolean, here_at timestamptz, here_merchant_id text,
    here_fee_minor bigint);
  create temporary table found (
    source text not null, type text not null, subject text not null, evidence jsonb not null,
    primary key (source, type, subject));
`;

/**
 * One for each kind of line. Their number of the movement decides which record of ours it is; where we do not have it (an
 * answer was lost), our own number, which they give back.
 */
export const COMPARE: readonly string[] = [
  `insert into compared
   select line.*, payment.id, acceptance.transaction_id, payment.buy_minor, payment.buy_currency, payment.status,
          acceptance.status = 'ACCEPTED', payment.refunded_buy_minor = payment.buy_minor, acceptance.accepted_at,
          payment.network_merchant_id, null
     from statement_line line
     left join payment_acceptance named on named.transaction_id = line.external_id
     left join payment on payment.id = coalesce(named.payment_id, line.reference)
     left join payment_acceptance acceptance on acceptance.payment_id = payment.id
    where source = 'NETWORK' and kind = 'PAYMENT'`,
  `insert into compared
   select line.*, refund.id, refund.network_refund_id, refund.buy_minor, refund.buy_currency, refund.leg_status,
          refund.leg_status in ('TAKEN', 'GIVEN', 'OWED'), false,
          case refund.leg_status when 'OWED' then refund.created_at else refund.completed_at end,
          payment.network_merchant_id, null
     from statement_line line
     left join refund on refund.id = line.reference
     left join payment on payment.id = refund.payment_id
    where source = 'NETWORK' and kind = 'REFUND'`,
  `insert into compared
   select line.*, payment.id, captured.capture_id, payment.sell_minor, payment.sell_currency, payment.status,
          captured.status = 'CAPTURED', payment.refunded_sell_minor = payment.sell_minor, payment.completed_at,
          null, captured.processor_fee_minor
     from statement_line line
     left join payment_authorization named on named.capture_id = line.external_id
     left join payment on payment.id = coalesce(named.payment_id, line.reference)
     left join payment_authorization captured on captured.payment_id = payment.id
    where source = 'WALLET' and kind = 'PAYMENT'`,
  `insert into compared
   select line.*, refund.id, refund.wallet_refund_id, refund.sell_minor, refund.sell_currency, refund.leg_status,
          refund.leg_status = 'GIVEN', false, refund.completed_at, null, null
     from statement_line line
     left join refund named on named.wallet_refund_id = line.external_id
     left join refund on refund.id = coalesce(named.id, line.reference)
    where source = 'WALLET' and kind = 'REFUND'`,
  `insert into compared select line.* from statement_line line where kind = 'OTHER'`,
];

const THERE = `jsonb_build_object('externalId', external_id, 'reference', reference, 'amountMinor', amount_minor::text,
  'currency', currency, 'status', status, 'at', happened_at, 'merchantId', merchant_id, 'feeMinor', fee_minor::text)`;
const HERE = `case when subject is null then null else jsonb_build_object('id', subject, 'externalId', here_external_id,
  'amountMinor', here_amount_minor::text, 'currency', here_currency, 'status', here_status, 'at', here_at,
  'merchantId', here_merchant_id, 'feeMinor', here_fee_minor::text) end`;
const EVIDENCE = `jsonb_build_object('here', ${HERE}, 'there', ${THERE})`;

/** What a line that happened (or may yet) says otherwise than our record. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  MISSING_HERE: `subject is null and status <> 'FAILED'`,
  CURRENCY_DIFFERS: `currency <> here_currency`,
  AMOUNT_DIFFERS: `currency = here_currency and amount_minor <> here_amount_minor`,
  MERCHANT_DIFFERS: `merchant_id <> here_merchant_id`,
  FEE_DIFFERS: `fee_minor <> here_fee_minor and status = 'SETTLED'`,
  // A payment that was given back whole is reversed for them, settled for us.
  STATUS_DIFFERS: `(status = 'SETTLED' and not here_settled)
    or (status in ('FAILED', 'PENDING') and here_settled)
    or (status = 'REVERSED' and here_settled and not here_given_back)`,
};

export const FIND: readonly string[] = [
  ...Object.entries(DIFFERENCES).map(
    ([type, condition]) => `
      insert into found select distinct on (source, coalesce(subject, external_id))
             source, '${type}', coalesce(subject, external_id), ${EVIDENCE}
        from compared where ${condition}
       order by source, coalesce(subject, external_id), happened_at, external_id`,
  ),
  // Money that moved twice: two lines for one record, or one line that is not the movement we know of. Evidence is only
  // made of those: of a million lines it would take longer than all else.
  `insert into found
   with doubled as (
     select source as at_side, coalesce(subject, external_id) as of_subject from compared where status <> 'FAILED'
      group by 1, 2 having count(*) > 1 or bool_or(external_id <> here_external_id))
   select source, 'DUPLICATE', of_subject, jsonb_build_object('here', (array_agg(here))[1], 'there', jsonb_agg(there order by there))
     from (select source, of_subject, ${HERE} as here, ${THERE} as there from compared
             join doubled on at_side = source and of_subject = coalesce(subject, external_id)
            where status <> 'FAILED') line
    group by source, of_subject`,
];

/** @param record a select of source, subject, external_id, amount_minor, currency, status, at, merchant_id, fee_minor */
function missing(type: string, record: string): string {
  return `insert into found
    select source, '${type}', subject, jsonb_build_object('there', null, 'here', jsonb_build_object('id', subject,
           'externalId', external_id, 'amountMinor', amount_minor::text, 'currency', currency, 'status', status, 'at', at,
           'merchantId', merchant_id, 'feeMinor', fee_minor::text))
      from (${record}) record
     where not exists (select 1 from compared where (compared.source, compared.subject) = (record.source, record.subject))
       and not exists (select 1 from reconciliation_seen seen
             where (seen.market_code, seen.source, seen.subject) = ($1, record.source, record.subject))`;
}

/** Records of ours, settled within the time, that no line speaks of. $1 market, $2 from, $3 before. */
export const MISSING: readonly string[] = [
  missing(
    'MISSING_AT_NETWORK',
    `select 'NETWORK' as source, payment.id as subject, transaction_id as external_id, buy_minor as amount_minor,
            buy_currency as currency, payment.status, accepted_at as at, network_merchant_id as merchant_id, null::bigint as fee_minor
       from payment_acceptance acceptance join payment on payment.id = payment_id
      where acceptance.status = 'ACCEPTED' and accepted_at >= $2 and accepted_at < $3 and market_code = $1`,
  ),
  missing(
    'MISSING_AT_NETWORK',
    `select 'NETWORK' as source, refund.id as subject, network_refund_id as external_id, refund.buy_minor as amount_minor,
            refund.buy_currency as currency, leg_status as status,
            case leg_status when 'OWED' then refund.created_at else refund.completed_at end as at,
            network_merchant_id as merchant_id, null::bigint as fee_minor
       from refund join payment on payment.id = payment_id
      where market_code = $1 and (leg_status = 'GIVEN' and refund.completed_at >= $2 and refund.completed_at < $3
         or leg_status = 'OWED' and refund.created_at >= $2 and refund.created_at < $3)`,
  ),
  missing(
    'MISSING_AT_WALLET',
    `select 'WALLET' as source, payment.id as subject, capture_id as external_id, sell_minor as amount_minor,
            sell_currency as currency, payment.status, completed_at as at, null as merchant_id, processor_fee_minor as fee_minor
       from payment join payment_authorization captured on captured.payment_id = payment.id
      where captured.status = 'CAPTURED' and completed_at >= $2 and completed_at < $3 and market_code = $1`,
  ),
  missing(
    'MISSING_AT_WALLET',
    `select 'WALLET' as source, refund.id as subject, wallet_refund_id as external_id, refund.sell_minor as amount_minor,
            refund.sell_currency as currency, leg_status as status, refund.completed_at as at, null as merchant_id, null::bigint as fee_minor
       from refund join payment on payment.id = payment_id
      where leg_status = 'GIVEN' and wallet_refund_id is not null and refund.completed_at >= $2 and refund.completed_at < $3
        and market_code = $1`,
  ),
];

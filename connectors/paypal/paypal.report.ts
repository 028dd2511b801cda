import { z } from 'zod';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { fromWire, wireMoney } from './paypal.money.js';

/** A movement on our PayPal account, as PayPal's transaction search reports it. */
export interface ReportedTransaction {
  /** A capture's or a refund's own id, the same that the payments API gave. */
  readonly id: string;
  /** By the family of its event code: T00xx, T11xx, T01xx. */
  readonly kind: 'PAYMENT' | 'REFUND' | 'FEE' | 'OTHER';
  readonly eventCode: string;
  /** The transaction that this one follows: of a refund its capture. */
  readonly referenceId: string | null;
  readonly initiatedAt: Date;
  /** Gross; negative where money leaves the account. */
  readonly amount: Money;
  /** Negative where PayPal keeps it; null where none was taken. */
  readonly fee: Money | null;
  /** REVERSED: it had succeeded, and all of it went back. */
  readonly status: 'DENIED' | 'PENDING' | 'SUCCEEDED' | 'REVERSED';
  readonly invoiceId: string | null;
  /** What we called `custom_id`. */
  readonly customId: string | null;
}

const money = wireMoney.transform(fromWire);
const STATUSES = { D: 'DENIED', P: 'PENDING', S: 'SUCCEEDED', V: 'REVERSED' } as const;
const KINDS: Readonly<Record<string, ReportedTransaction['kind']>> = { T00: 'PAYMENT', T11: 'REFUND', T01: 'FEE' };

/** RFC 3339, and with an offset without its colon, as PayPal's examples have it: `2026-06-01T04:03:52+0000`. */
const moment = z
  .string()
  .transform((text) => text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  .pipe(z.iso.datetime({ offset: true }))
  .transform((text) => new Date(text));

const transaction = z
  .object({
    transaction_id: z.string().min(1).max(24),
    paypal_reference_id: z.string().max(24).nullish(),
    transaction_event_code: z.string().regex(/^T\d{4}$/),
    transaction_initiation_date: moment,
    transaction_amount: money,
    fee_amount: money.nullish(),
    transaction_status: z.enum(['D', 'P', 'S', 'V']),
    invoice_id: z.string().max(127).nullish(),
    custom_field: z.string().max(127).nullish(),
  })
  .transform(
    (wire): ReportedTransaction => ({
      id: wire.transaction_id,
      kind: KINDS[wire.transaction_event_code.slice(0, 3)] ?? 'OTHER',
      eventCode: wire.transaction_event_code,
      referenceId: wire.paypal_reference_id ?? null,
      initiatedAt: wire.transaction_initiation_date,
      amount: wire.transaction_amount,
      fee: wire.fee_amount ?? null,
      status: STATUSES[wire.transaction_status],
      invoiceId: wire.invoice_id ?? null,
      customId: wire.custom_field ?? null,
    }),
  );

/** One page of a report. */
export const reportPage = z
  .object({
    transaction_details: z.array(z.object({ transaction_info: transaction })).default([]),
    last_refreshed_datetime: moment.nullish(),
    page: z.int().positive(),
    total_items: z.int().nonnegative(),
    total_pages: z.int().nonnegative(),
  })
  .transform((wire) => ({
    transactions: wire.transaction_details.map(({ transaction_info }) => transaction_info),
    refreshedAt: wire.last_refreshed_datetime ?? null,
    page: wire.page,
    totalItems: wire.total_items,
    totalPages: wire.total_pages,
  }));

export type ReportPage = z.output<typeof reportPage>;

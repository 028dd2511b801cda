import { z } from 'zod';
import { isCurrency } from '../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { type WireMoney, wireDecimalsOf } from '../paypal.money.js';
import { Refusal, type RefusalDetail } from './refusal.js';

const amount = z.object({
  currency_code: z.string().length(3),
  value: z
    .string()
    .max(32)
    .regex(/^-?(\d+|\d*\.\d+)$/),
});

const purchaseUnit = z.object({
  reference_id: z.string().min(1).max(256).default('default'),
  amount,
  description: z.string().min(1).max(127).optional(),
  custom_id: z.string().min(1).max(127).optional(),
  invoice_id: z.string().min(1).max(127).optional(),
  soft_descriptor: z.string().min(1).max(22).optional(),
});

export const orderRequest = z.object({
  intent: z.enum(['AUTHORIZE', 'CAPTURE']),
  purchase_units: z.array(purchaseUnit).min(1).max(10),
  payment_source: z.object({ paypal: z.object({ vault_id: z.string().min(1).max(255).optional() }) }).optional(),
});

export const captureRequest = z.object({
  amount: amount.optional(),
  invoice_id: z.string().min(1).max(127).optional(),
  final_capture: z.boolean().default(false),
  note_to_payer: z.string().min(1).max(255).optional(),
  soft_descriptor: z.string().min(1).max(22).optional(),
});

export const refundRequest = z.object({
  amount: amount.optional(),
  custom_id: z.string().min(1).max(127).optional(),
  invoice_id: z.string().min(1).max(127).optional(),
  note_to_payer: z.string().min(1).max(255).optional(),
});

export type OrderRequest = z.output<typeof orderRequest>;
export type CaptureRequest = z.output<typeof captureRequest>;
export type RefundRequest = z.output<typeof refundRequest>;

/** @throws Refusal that names every field that is wrong */
export function readBody<Result>(schema: z.ZodType<Result>, body: unknown): Result {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue): readonly RefusalDetail[] => {
    return Refusal.of(issueOf(issue, body), `/${issue.path.join('/')}`).details;
  });
  throw new Refusal(400, 'INVALID_REQUEST', details);
}

/** @throws Refusal unless it is a positive amount with no more decimals than PayPal takes of that currency */
export function readAmount(wire: WireMoney, field: string): Money {
  if (!isCurrency(wire.currency_code)) throw Refusal.of('INVALID_CURRENCY_CODE', `${field}/currency_code`);
  const decimals = wireDecimalsOf(wire.currency_code);
  const [whole = '', fraction = ''] = wire.value.replace('-', '').split('.');
  if (fraction.length > decimals)
    throw Refusal.of(decimals === 0 ? 'DECIMALS_NOT_SUPPORTED' : 'DECIMAL_PRECISION', `${field}/value`);
  if (whole.replace(/^0+/, '').length > 7) throw Refusal.of('MAX_VALUE_EXCEEDED', `${field}/value`);
  const money = Money.parse(`${whole || '0'}${fraction && `.${fraction}`}`, wire.currency_code);
  if (wire.value.startsWith('-') || !money.isPositive())
    throw Refusal.of('CANNOT_BE_ZERO_OR_NEGATIVE', `${field}/value`);
  return money;
}

function issueOf(issue: z.core.$ZodIssue, body: unknown): string {
  if (isMissing(body, issue.path)) return 'MISSING_REQUIRED_PARAMETER';
  if (issue.code === 'too_big') return issue.origin === 'array' ? 'INVALID_ARRAY_MAX_ITEMS' : 'INVALID_STRING_LENGTH';
  if (issue.code === 'too_small') return issue.origin === 'array' ? 'INVALID_ARRAY_MIN_ITEMS' : 'INVALID_STRING_LENGTH';
  return issue.code === 'invalid_value' ? 'INVALID_PARAMETER_VALUE' : 'INVALID_PARAMETER_SYNTAX';
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  let value = body;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value === undefined;
}

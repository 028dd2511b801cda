import { z } from 'zod';
import { isHttpAddress } from './address.js';

/** An error answer in their words. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Reads a body or a query. @throws Refused PARAM_ERROR that names the field */
export function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refused(400, 'PARAM_ERROR', `参数错误: ${issue?.path.join('.') || 'body'}`);
}

/** Fields that several requests have. */
export const field = {
  merchantNumber: z.string().regex(/^\d{1,32}$/),
  outTradeNo: z.string().regex(/^[0-9A-Za-z_\-|*]{6,32}$/),
  outRefundNo: z.string().regex(/^[0-9A-Za-z_\-|*@]{1,64}$/),
  reference: z.string().regex(/^[\w-]{1,64}$/),
  /** Fen: at least one. */
  fen: z.int().min(1).transform(BigInt),
  currency: z.literal('CNY').default('CNY'),
  moment: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  /** Without query parameters, as the real one demands. */
  notifyUrl: z.string().max(255).refine(isHttpAddress),
};

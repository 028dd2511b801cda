import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { json, readEnvironment } from '../../simulator/environment.js';
import { apiV3Key, privateKey, publicKey } from '../wechat-pay.keys.js';

const store = z.object({
  /** `sub_mchid`. Several entries may share one: each then has its own codes and scenario. */
  merchantId: z.string().regex(/^\d{1,32}$/),
  name: z.string().min(1),
  localName: z.string().min(1),
  categoryCode: z.string().regex(/^\d{4}$/),
  city: z.string().min(1),
  /** Static codes of the network (`wxp://…`). EMVCo codes need no entry: they name the merchant. */
  codes: z.array(z.string().min(1)).default([]),
  /** What happens to payments of this store; a name that is not ours to play means that nothing special does. */
  scenario: z.string().default('ok'),
});
export type Store = z.output<typeof store>;

const milliseconds = (fallback: number) => z.coerce.number().int().nonnegative().default(fallback);

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  HOST: z.string().min(1).default('127.0.0.1'),
  BOOKS_DIR: z.string().min(1),
  WECHAT_PAY_MCHID: z.string().regex(/^\d{1,32}$/),
  WECHAT_PAY_MERCHANT_SERIAL: z.string().min(1),
  WECHAT_PAY_MERCHANT_PUBLIC_KEY: publicKey,
  WECHAT_PAY_API_V3_KEY: apiV3Key,
  WECHAT_PAY_PLATFORM_SERIAL: z.string().min(1),
  WECHAT_PAY_PLATFORM_PRIVATE_KEY: privateKey,
  WECHAT_PAY_PLATFORM_CERTIFICATE: z.string().startsWith('-----BEGIN CERTIFICATE').optional(),
  WECHAT_PAY_STORES: json(z.array(store)).default([]),
  WECHAT_PAY_SLOW_MS: milliseconds(3_000),
  WECHAT_PAY_REFUND_MS: milliseconds(500),
  WECHAT_PAY_REFUND_INTERVAL_MS: milliseconds(0),
  WECHAT_PAY_NOTIFICATION_TIME_SCALE: z.coerce.number().positive().max(1).default(0.02),
});

export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly booksFolder: string;
  readonly mchid: string;
  readonly merchantSerial: string;
  readonly merchantKey: KeyObject;
  readonly apiV3Key: Uint8Array;
  readonly platformSerial: string;
  readonly platformKey: KeyObject;
  /** PEM; null: one is made at start from the platform's key. */
  readonly platformCertificate: string | null;
  readonly stores: readonly Store[];
  /** How long the payer types a password in the scenario `slow`. */
  readonly slowMs: number;
  /** From the request of a refund to its end; 0 answers SUCCESS at once. */
  readonly refundMs: number;
  /** The real rule is one minute between partial refunds of one order; off unless asked for. */
  readonly refundIntervalMs: number;
  /** The real retry schedule of notifications is multiplied by this; 1 is real time. */
  readonly notificationTimeScale: number;
}

/** @throws Error that names the wrong variables, never their values */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const values = readEnvironment(environment, variables);
  return {
    port: values.PORT,
    host: values.HOST,
    booksFolder: values.BOOKS_DIR,
    mchid: values.WECHAT_PAY_MCHID,
    merchantSerial: values.WECHAT_PAY_MERCHANT_SERIAL,
    merchantKey: values.WECHAT_PAY_MERCHANT_PUBLIC_KEY,
    apiV3Key: values.WECHAT_PAY_API_V3_KEY,
    platformSerial: values.WECHAT_PAY_PLATFORM_SERIAL,
    platformKey: values.WECHAT_PAY_PLATFORM_PRIVATE_KEY,
    platformCertificate: values.WECHAT_PAY_PLATFORM_CERTIFICATE ?? null,
    stores: values.WECHAT_PAY_STORES,
    slowMs: values.WECHAT_PAY_SLOW_MS,
    refundMs: values.WECHAT_PAY_REFUND_MS,
    refundIntervalMs: values.WECHAT_PAY_REFUND_INTERVAL_MS,
    notificationTimeScale: values.WECHAT_PAY_NOTIFICATION_TIME_SCALE,
  };
}

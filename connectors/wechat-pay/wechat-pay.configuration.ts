import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { type Clock, SECOND, systemClock } from '../../subgraphs/kernel/clock.js';
import { apiV3Key, privateKey, publicKey } from './wechat-pay.keys.js';
import type { RequestSigner } from './wechat-pay.signature.js';

const merchantNumber = z.string().regex(/^\d{1,32}$/, 'must be digits');
const origin = z.url({ protocol: /^https?$/ });

/** The environment variables of this connector. Leave the two `…PUBLIC_KEY…` out for an account that still uses certificates. */
export const wechatPayVariables = {
  WECHAT_PAY_BASE_URL: origin.default('https://api.mch.weixin.qq.com'),
  WECHAT_PAY_WALLET_BASE_URL: origin.optional(),
  WECHAT_PAY_MCHID: merchantNumber,
  WECHAT_PAY_APPID: z.string().min(1).max(32),
  WECHAT_PAY_MERCHANT_SERIAL: z.string().min(1),
  WECHAT_PAY_MERCHANT_PRIVATE_KEY: privateKey,
  WECHAT_PAY_API_V3_KEY: apiV3Key,
  WECHAT_PAY_PUBLIC_KEY_ID: z.string().startsWith('PUB_KEY_ID_').optional(),
  WECHAT_PAY_PUBLIC_KEY: publicKey.optional(),
  WECHAT_PAY_DEADLINE_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(5 * SECOND),
};

export type WechatPayValues = z.infer<z.ZodObject<typeof wechatPayVariables>>;

export interface WechatPayConfiguration {
  readonly baseUrl: string;
  /** Where the foreign-wallet side is; the same host unless told otherwise. */
  readonly walletBaseUrl: string;
  /** We are a service provider: our own number is `sp_mchid`, each merchant's is its `sub_mchid`. */
  readonly signer: RequestSigner;
  readonly appid: string;
  readonly apiV3Key: Uint8Array;
  /** The fixed WeChat Pay public key of newer accounts; null: platform certificates are fetched. */
  readonly platformKey: { readonly serial: string; readonly key: KeyObject } | null;
  /** For one call, from connecting to the last byte. */
  readonly deadlineMs: number;
  readonly now: Clock;
}

/** @throws Error when only one half of the fixed public key is there: half a key would silently mean certificates */
export function wechatPayConfiguration(values: WechatPayValues, now: Clock = systemClock): WechatPayConfiguration {
  const [serial, key] = [values.WECHAT_PAY_PUBLIC_KEY_ID, values.WECHAT_PAY_PUBLIC_KEY];
  if ((serial === undefined) !== (key === undefined)) {
    throw new Error('WECHAT_PAY_PUBLIC_KEY_ID and WECHAT_PAY_PUBLIC_KEY belong together: set both or none.');
  }
  return {
    baseUrl: values.WECHAT_PAY_BASE_URL,
    walletBaseUrl: values.WECHAT_PAY_WALLET_BASE_URL ?? values.WECHAT_PAY_BASE_URL,
    signer: {
      mchid: values.WECHAT_PAY_MCHID,
      serial: values.WECHAT_PAY_MERCHANT_SERIAL,
      privateKey: values.WECHAT_PAY_MERCHANT_PRIVATE_KEY,
    },
    appid: values.WECHAT_PAY_APPID,
    apiV3Key: values.WECHAT_PAY_API_V3_KEY,
    platformKey: serial && key ? { serial, key } : null,
    deadlineMs: values.WECHAT_PAY_DEADLINE_MS,
    now,
  };
}

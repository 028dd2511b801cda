import type { Environment } from '../subgraphs/kernel/configuration.js';
import type { Secrets } from './secrets.js';
import { travelers } from './seed.identities.js';
import { stores } from './seed.stores.js';

/** What the services of a development machine find in their environment, beside their databases. What is set wins. */
export function serviceEnvironment(
  secrets: Secrets,
  places: { readonly notifications: string; readonly paypal: string; readonly wechatPay: string },
  environment: Environment,
): Environment {
  const { paypal, wechatPay, internal } = secrets;
  return {
    INTERNAL_PUBLIC_KEYS: JSON.stringify({
      gateway: internal.gateway.publicKey,
      payments: internal.payments.publicKey,
    }),
    PERSONAL_DATA_KEY: secrets.personalDataKey,
    NOTIFICATION_BASE_URL: places.notifications,
    PAYPAL_BASE_URL: places.paypal,
    PAYPAL_CLIENT_ID: paypal.clientId,
    PAYPAL_CLIENT_SECRET: paypal.clientSecret,
    PAYPAL_WEBHOOK_ID: paypal.webhookId,
    // Certificates come over https from PayPal's own hosts; the simulator's exact origin is the one exception.
    PAYPAL_CERTIFICATE_HOSTS: new URL(places.paypal).origin,
    WECHAT_PAY_BASE_URL: places.wechatPay,
    WECHAT_PAY_MCHID: wechatPay.mchid,
    WECHAT_PAY_APPID: wechatPay.appid,
    WECHAT_PAY_MERCHANT_SERIAL: wechatPay.merchant.serial,
    WECHAT_PAY_MERCHANT_PRIVATE_KEY: wechatPay.merchant.privateKey,
    WECHAT_PAY_API_V3_KEY: wechatPay.apiV3Key,
    ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')),
  };
}

/** What the PayPal simulator is told. @param notifications our own base URL */
export function paypalSimulatorEnvironment({ paypal }: Secrets, notifications: string): Environment {
  return {
    PAYPAL_CLIENT_ID: paypal.clientId,
    PAYPAL_CLIENT_SECRET: paypal.clientSecret,
    PAYPAL_WEBHOOK_ID: paypal.webhookId,
    PAYPAL_WEBHOOK_URL: new URL('/notifications/paypal', notifications).href,
    PAYPAL_WALLETS: JSON.stringify(travelers.map(({ vaultReference }) => ({ vaultId: vaultReference }))),
    PAYPAL_SCENARIOS: JSON.stringify(Object.fromEntries(stores.map((store) => [store.merchantId, store.scenario]))),
  };
}

/** What the WeChat Pay simulator is told: our public half, its own private one, the shops it knows. */
export function wechatPaySimulatorEnvironment({ wechatPay }: Secrets): Environment {
  return {
    WECHAT_PAY_MCHID: wechatPay.mchid,
    WECHAT_PAY_MERCHANT_SERIAL: wechatPay.merchant.serial,
    WECHAT_PAY_MERCHANT_PUBLIC_KEY: wechatPay.merchant.publicKey,
    WECHAT_PAY_API_V3_KEY: wechatPay.apiV3Key,
    WECHAT_PAY_PLATFORM_SERIAL: wechatPay.platform.serial,
    WECHAT_PAY_PLATFORM_PRIVATE_KEY: wechatPay.platform.privateKey,
    WECHAT_PAY_STORES: JSON.stringify(
      stores.map(({ networkMerchantId, name, localName, categoryCode, city, payload, scenario }) => ({
        merchantId: networkMerchantId,
        name,
        localName,
        categoryCode,
        city,
        codes: [payload],
        scenario,
      })),
    ),
  };
}

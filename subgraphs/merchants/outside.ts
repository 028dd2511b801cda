import { platformKeysOf } from '../../connectors/wechat-pay/wechat-pay.certificates.js';
import { WechatPayClient } from '../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayNotificationVerifier } from '../../connectors/wechat-pay/wechat-pay.notification.js';
import { WechatPayWalletClient } from '../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import type { NetworkClient } from './code/network.client.js';
import { WechatPayNetwork } from './code/wechat-pay.client.js';
import type { MerchantsConfiguration } from './merchants.configuration.js';

/** All that merchants speaks to beyond our own services. */
export interface Outside {
  readonly network: NetworkClient;
  readonly notifications: WechatPayNotificationVerifier;
  close(): Promise<void>;
}

/**
 * The path under which the network says what became of an order, below `NOTIFICATION_BASE_URL`. Below the one of
 * payments, so that both can be behind one address.
 */
export const ORDERS_PATH = '/notifications/wechat-pay/orders';

/** Builds the clients of networks; nothing connects yet. */
export function connectOutside({
  wechatPay,
  notificationBaseUrl,
}: Pick<MerchantsConfiguration, 'wechatPay' | 'notificationBaseUrl'>): Outside {
  const keys = platformKeysOf(wechatPay);
  const merchant = new WechatPayClient(wechatPay, keys);
  const wallet = new WechatPayWalletClient(wechatPay, keys);
  return {
    network: new WechatPayNetwork(merchant, wallet, `${notificationBaseUrl}${ORDERS_PATH}`),
    notifications: new WechatPayNotificationVerifier(wechatPay, keys),
    close: async () => {
      await Promise.all([merchant.close(), wallet.close()]);
    },
  };
}

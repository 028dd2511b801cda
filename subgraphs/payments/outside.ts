import { PaypalClient } from '../../connectors/paypal/paypal.client.js';
import { paypalConfiguration, paypalVariables } from '../../connectors/paypal/paypal.configuration.js';
import { PaypalNotificationVerifier } from '../../connectors/paypal/paypal.notification.js';
import { PaypalReportClient } from '../../connectors/paypal/paypal.report.client.js';
import { WechatPayBillClient } from '../../connectors/wechat-pay/wechat-pay.bill.client.js';
import { platformKeysOf } from '../../connectors/wechat-pay/wechat-pay.certificates.js';
import { WechatPayClient } from '../../connectors/wechat-pay/wechat-pay.client.js';
import { wechatPayConfiguration, wechatPayVariables } from '../../connectors/wechat-pay/wechat-pay.configuration.js';
import { WechatPayNotificationVerifier } from '../../connectors/wechat-pay/wechat-pay.notification.js';
import { WechatPayWalletClient } from '../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { type Clock, systemClock } from '../kernel/clock.js';
import { type Environment, readConfiguration, variable } from '../kernel/configuration.js';
import { Network, WalletProvider } from '../kernel/graphql/enums.js';
import type { NetworkClient } from './network/network.client.js';
import { WechatPayNetworkClient } from './network/wechat-pay.client.js';
import { PaypalStatementClient } from './reconciliation/paypal.client.js';
import type { MarketStatements } from './reconciliation/statement.client.js';
import { WechatPayStatementClient } from './reconciliation/wechat-pay.client.js';
import { PaypalWalletClient } from './wallet/paypal.client.js';
import type { WalletClient } from './wallet/wallet.client.js';

/** All that payments speaks to beyond our own services. */
export interface Outside {
  readonly wallets: Readonly<Record<WalletProvider, WalletClient>>;
  readonly networks: Readonly<Record<Network, NetworkClient>>;
  /** What both sides of each market state that has moved. */
  readonly statements: readonly MarketStatements[];
  readonly paypalNotifications: PaypalNotificationVerifier;
  readonly wechatPayNotifications: WechatPayNotificationVerifier;
  close(): Promise<void>;
}

/** The paths under which the outside systems reach us, below `NOTIFICATION_BASE_URL`. */
export const PAYPAL_PATH = '/notifications/paypal';
export const WECHAT_PAY_PATH = '/notifications/wechat-pay';

/** Builds the clients of wallets and networks. @throws ConfigurationError */
export function connectOutside(environment: Environment, now: Clock = systemClock): Outside {
  const values = readConfiguration(
    { ...paypalVariables, ...wechatPayVariables, NOTIFICATION_BASE_URL: variable.baseUrl() },
    environment,
  );
  const paypalSettings = paypalConfiguration(values);
  const paypal = new PaypalClient(paypalSettings);
  const wechatPaySettings = wechatPayConfiguration(values, now);
  const keys = platformKeysOf(wechatPaySettings);
  const merchant = new WechatPayClient(wechatPaySettings, keys);
  const wallet = new WechatPayWalletClient(wechatPaySettings, keys);
  const bills = new WechatPayBillClient(wechatPaySettings, keys);
  const reports = new PaypalReportClient(paypalSettings);
  const notifyUrl = `${values.NOTIFICATION_BASE_URL}${WECHAT_PAY_PATH}`;
  return {
    wallets: { [WalletProvider.PAYPAL]: new PaypalWalletClient(paypal) },
    networks: { [Network.WECHAT_PAY]: new WechatPayNetworkClient(wallet, merchant, notifyUrl) },
    statements: [
      {
        marketCode: 'US',
        network: new WechatPayStatementClient(bills),
        wallet: new PaypalStatementClient(reports),
      },
    ],
    paypalNotifications: new PaypalNotificationVerifier(paypalSettings, now),
    wechatPayNotifications: new WechatPayNotificationVerifier(wechatPaySettings, keys),
    close: async () => {
      await Promise.all([paypal, merchant, wallet, bills, reports].map((client) => client.close()));
    },
  };
}

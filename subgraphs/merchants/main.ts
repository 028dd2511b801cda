import { WechatPayClient } from '../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayWalletClient } from '../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { openEventBus } from '../kernel/event/open-event-bus.js';
import { serveSubgraph } from '../kernel/graphql/subgraph.server.js';
import { PrincipalVerifier } from '../kernel/principal.token.js';
import { createLogger, createMetrics } from '../kernel/telemetry.js';
import { merchantsConfiguration } from './merchants.configuration.js';
import { createMerchants } from './subgraph.js';

const { host, port, publicKeys, databaseUrl, notificationBaseUrl, ...configuration } = merchantsConfiguration();
const logger = createLogger('merchants');
const bus = await openEventBus(process.env, logger);
const wechatPay = {
  merchant: new WechatPayClient(configuration.wechatPay),
  wallet: new WechatPayWalletClient(configuration.wechatPay),
};
const verifier = new PrincipalVerifier(publicKeys);
const merchants = await createMerchants({ databaseUrl, verifier, logger, bus, wechatPay, notificationBaseUrl });
await merchants.migrate();
await merchants.start();
const server = await serveSubgraph(merchants, { host, port, metrics: createMetrics() });
logger.info({ url: server.url }, 'listening');

async function stop(): Promise<void> {
  await server.close();
  await merchants.close();
  await Promise.all([wechatPay.merchant.close(), wechatPay.wallet.close()]);
  await bus.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());

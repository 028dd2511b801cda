import { z } from 'zod';
import {
  type WechatPayConfiguration,
  wechatPayConfiguration,
  wechatPayVariables,
} from '../../connectors/wechat-pay/wechat-pay.configuration.js';
import { databaseUrl, type Environment, readConfiguration, variable } from '../kernel/configuration.js';

export interface MerchantsConfiguration {
  readonly host: string;
  readonly port: number;
  readonly publicKeys: Readonly<Record<string, string>>;
  readonly notificationBaseUrl: string;
  readonly wechatPay: WechatPayConfiguration;
  readonly databaseUrl: string;
}

/** What the merchants service reads from its environment; the bus reads its own. @throws ConfigurationError */
export function merchantsConfiguration(environment: Environment = process.env): MerchantsConfiguration {
  const values = readConfiguration(
    {
      HOST: z.string().default('127.0.0.1'),
      PORT: variable.port(4102),
      INTERNAL_PUBLIC_KEYS: variable.json(z.record(z.string(), z.string())),
      NOTIFICATION_BASE_URL: variable.baseUrl(),
      ...wechatPayVariables,
    },
    environment,
  );
  return {
    host: values.HOST,
    port: values.PORT,
    publicKeys: values.INTERNAL_PUBLIC_KEYS,
    notificationBaseUrl: values.NOTIFICATION_BASE_URL,
    wechatPay: wechatPayConfiguration(values),
    databaseUrl: databaseUrl('merchants', environment),
  };
}

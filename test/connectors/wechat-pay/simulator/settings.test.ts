import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../../../connectors/wechat-pay/simulator/settings.js';
import { API_V3_KEY, MCHID, MERCHANT_SERIAL, merchantKeys, PLATFORM_SERIAL, platformKeys } from '../network.fixture.js';

const variables = {
  BOOKS_DIR: '/tmp/books',
  WECHAT_PAY_MCHID: MCHID,
  WECHAT_PAY_MERCHANT_SERIAL: MERCHANT_SERIAL,
  WECHAT_PAY_MERCHANT_PUBLIC_KEY: merchantKeys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  WECHAT_PAY_API_V3_KEY: API_V3_KEY.toString(),
  WECHAT_PAY_PLATFORM_SERIAL: PLATFORM_SERIAL,
  WECHAT_PAY_PLATFORM_PRIVATE_KEY: platformKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

describe('readSettings', () => {
  it('listens on this machine only and plays nothing special unless told to', () => {
    const store = {
      merchantId: '1600000000',
      name: 'Teahouse',
      localName: '茶馆',
      categoryCode: '5812',
      city: 'Chengdu',
    };
    const settings = readSettings({ ...variables, WECHAT_PAY_STORES: JSON.stringify([store]) });
    expect(settings).toMatchObject({ host: '127.0.0.1', port: 0, slowMs: 3_000, platformCertificate: null });
    expect(settings.stores).toEqual([{ ...store, codes: [], scenario: 'ok' }]);
  });

  it('names every variable that is wrong at once, and quotes none', () => {
    const wrong = {
      ...variables,
      WECHAT_PAY_MCHID: 'letters',
      WECHAT_PAY_STORES: '[{"merchantId":"x"}]',
      PORT: '70000',
    };
    const read = () => readSettings(wrong);
    for (const name of ['WECHAT_PAY_MCHID', 'WECHAT_PAY_STORES.0.merchantId', 'PORT']) expect(read).toThrow(name);
    expect(read).not.toThrow('letters');
  });
});

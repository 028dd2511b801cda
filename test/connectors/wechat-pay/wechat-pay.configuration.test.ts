import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { wechatPayConfiguration, wechatPayVariables } from '../../../connectors/wechat-pay/wechat-pay.configuration.js';
import { MCHID, MERCHANT_SERIAL, merchantKeys, platformKeys } from './network.fixture.js';

const pem = merchantKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const environment = {
  WECHAT_PAY_MCHID: MCHID,
  WECHAT_PAY_APPID: 'wx8888888888888888',
  WECHAT_PAY_MERCHANT_SERIAL: MERCHANT_SERIAL,
  WECHAT_PAY_MERCHANT_PRIVATE_KEY: pem,
  WECHAT_PAY_API_V3_KEY: '0123456789abcdef0123456789abcdef',
};
const variables = z.object(wechatPayVariables);
const read = (change: Record<string, string> = {}) =>
  wechatPayConfiguration(variables.parse({ ...environment, ...change }));
const spki = platformKeys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

describe('wechatPayConfiguration', () => {
  it('points at the real thing unless told otherwise, the wallet side at the same host', () => {
    expect(read()).toMatchObject({
      baseUrl: 'https://api.mch.weixin.qq.com',
      walletBaseUrl: 'https://api.mch.weixin.qq.com',
      platformKey: null,
    });
    expect(read({ WECHAT_PAY_BASE_URL: 'http://127.0.0.1:9' }).walletBaseUrl).toBe('http://127.0.0.1:9');
    expect(read({ WECHAT_PAY_WALLET_BASE_URL: 'https://wallet.test' }).walletBaseUrl).toBe('https://wallet.test');
  });

  it.each([
    ['PEM', pem],
    ['PEM on one line', pem.replaceAll('\n', '\\n')],
    ['base64 of PKCS#8', merchantKeys.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')],
  ])('reads a private key as %s', (_form, text) => {
    expect(read({ WECHAT_PAY_MERCHANT_PRIVATE_KEY: text }).signer.privateKey.equals(merchantKeys.privateKey)).toBe(
      true,
    );
  });

  it.each([
    ['base64 of SPKI', spki],
    ['PEM', platformKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ])('reads a fixed platform key as %s', (_form, text) => {
    const { platformKey } = read({ WECHAT_PAY_PUBLIC_KEY_ID: 'PUB_KEY_ID_1', WECHAT_PAY_PUBLIC_KEY: text });
    expect(platformKey?.serial).toBe('PUB_KEY_ID_1');
    expect(platformKey?.key.equals(platformKeys.publicKey)).toBe(true);
  });

  it('wants both halves of the fixed platform key or none', () => {
    expect(() => read({ WECHAT_PAY_PUBLIC_KEY_ID: 'PUB_KEY_ID_1' })).toThrow('belong together');
    expect(() => read({ WECHAT_PAY_PUBLIC_KEY: spki })).toThrow('belong together');
  });

  it.each([
    ['WECHAT_PAY_MCHID', 'not digits'],
    ['WECHAT_PAY_API_V3_KEY', 'too short'],
    ['WECHAT_PAY_MERCHANT_PRIVATE_KEY', 'bm90IGEga2V5'],
    ['WECHAT_PAY_BASE_URL', 'ftp://example.test'],
    ['WECHAT_PAY_PUBLIC_KEY_ID', '5157F09E'],
    ['WECHAT_PAY_DEADLINE_MS', '-77'],
  ])('refuses a wrong %s, and does not quote it', (name, value) => {
    const result = variables.safeParse({ ...environment, [name]: value });
    expect(result.error?.issues.map(({ path }) => path[0])).toEqual([name]);
    expect(JSON.stringify(result.error?.issues.map(({ message }) => message))).not.toContain(value);
  });

  it('refuses keys that are too small or of another kind', () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    for (const key of [small, elliptic]) {
      const text = key.export({ type: 'pkcs8', format: 'pem' }).toString();
      expect(variables.safeParse({ ...environment, WECHAT_PAY_MERCHANT_PRIVATE_KEY: text }).success).toBe(false);
    }
  });
});

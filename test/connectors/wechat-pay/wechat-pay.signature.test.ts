import { createSign, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  authorize,
  isFresh,
  newNonce,
  platformHeaders,
  requestMessage,
  SignatureRefused,
  verify,
} from '../../../connectors/wechat-pay/wechat-pay.signature.js';
import {
  MCHID,
  MERCHANT_SERIAL,
  merchantKeys,
  PLATFORM_SERIAL,
  platformKeys,
  strangerKeys,
} from './network.fixture.js';

const NOW = new Date('2026-11-22T10:00:00Z');
const keys = { find: async (serial: string) => (serial === PLATFORM_SERIAL ? platformKeys.publicKey : null) };

/** Signed by hand after the rule `timestamp \n nonce \n body \n`, not with the code under test. */
function signedByHand(body: string, key: KeyObject = platformKeys.privateKey) {
  const timestamp = String(NOW.getTime() / 1_000);
  return {
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': 'abc',
    'wechatpay-serial': PLATFORM_SERIAL,
    'wechatpay-signature': createSign('RSA-SHA256').update(`${timestamp}\nabc\n${body}\n`).sign(key, 'base64'),
  };
}

async function reasonOf(headers: Record<string, string>, body: string, now = NOW): Promise<string | null> {
  try {
    await verify(headers, Buffer.from(body), keys, now);
    return null;
  } catch (thrown) {
    return thrown instanceof SignatureRefused ? thrown.reason : String(thrown);
  }
}

describe('verify', () => {
  it('takes what the platform signed, an empty body too', async () => {
    await expect(reasonOf(signedByHand('{"a":1}'), '{"a":1}')).resolves.toBeNull();
    await expect(reasonOf(signedByHand(''), '')).resolves.toBeNull();
  });

  it('refuses a body in which any byte differs', async () => {
    const headers = signedByHand('{"total":5000}');
    await fc.assert(
      fc.asyncProperty(fc.string(), async (body) => {
        fc.pre(body !== '{"total":5000}');
        expect(await reasonOf(headers, body)).toBe('BAD_SIGNATURE');
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a signature of someone else and a probe of WeChat Pay alike', async () => {
    await expect(reasonOf(signedByHand('{}', strangerKeys.privateKey), '{}')).resolves.toBe('BAD_SIGNATURE');
    const probe = { ...signedByHand('{}'), 'wechatpay-signature': 'WECHATPAY/SIGNTEST/abc' };
    await expect(reasonOf(probe, '{}')).resolves.toBe('BAD_SIGNATURE');
    const prefixed = {
      ...probe,
      'wechatpay-signature': `WECHATPAY/SIGNTEST/${signedByHand('{}')['wechatpay-signature']}`,
    };
    await expect(reasonOf(prefixed, '{}')).resolves.toBe('BAD_SIGNATURE');
  });

  it.each([
    [-301, 'STALE'],
    [-300, null],
    [300, null],
    [301, 'STALE'],
  ])('judges an age of %d s', async (seconds, reason) => {
    const now = new Date(NOW.getTime() - seconds * 1_000);
    await expect(reasonOf(signedByHand('{}'), '{}', now)).resolves.toBe(reason);
  });

  it.each(['wechatpay-timestamp', 'wechatpay-nonce', 'wechatpay-serial', 'wechatpay-signature'])(
    'refuses when %s is missing',
    async (name) => {
      await expect(reasonOf({ ...signedByHand('{}'), [name]: '' }, '{}')).resolves.toBe('UNSIGNED');
    },
  );

  it('refuses a serial that is not the platform’s, and another kind of signature', async () => {
    await expect(reasonOf({ ...signedByHand('{}'), 'wechatpay-serial': 'X' }, '{}')).resolves.toBe('UNKNOWN_SERIAL');
    const sm2 = { ...signedByHand('{}'), 'wechatpay-signature-type': 'WECHATPAY2-SM2-WITH-SM3' };
    await expect(reasonOf(sm2, '{}')).resolves.toBe('UNSIGNED');
  });

  it('looks for no key when the message is old anyway', async () => {
    const asked: string[] = [];
    const find = async (serial: string) => {
      asked.push(serial);
      return null;
    };
    await verify({ ...signedByHand('{}'), 'wechatpay-timestamp': '1' }, Buffer.from('{}'), { find }, NOW).catch(
      () => undefined,
    );
    expect(asked).toEqual([]);
  });

  it('reads back what platformHeaders wrote', async () => {
    const headers = platformHeaders('{}', PLATFORM_SERIAL, platformKeys.privateKey, NOW);
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    await expect(reasonOf(lower, '{}')).resolves.toBeNull();
  });
});

describe('authorize', () => {
  it('writes the fields as the protocol names them, signed with the merchant’s key', () => {
    const request = { method: 'POST', target: '/v3/x?a=1', body: '{"a":"茶"}' };
    const header = authorize(
      request,
      { mchid: MCHID, serial: MERCHANT_SERIAL, privateKey: merchantKeys.privateKey },
      NOW,
      'n'.repeat(32),
    );
    const message = `POST\n/v3/x?a=1\n1795341600\n${'n'.repeat(32)}\n{"a":"茶"}\n`;
    const signature = createSign('RSA-SHA256').update(message).sign(merchantKeys.privateKey, 'base64');
    expect(header).toBe(
      `WECHATPAY2-SHA256-RSA2048 mchid="${MCHID}",nonce_str="${'n'.repeat(32)}",timestamp="1795341600",serial_no="${MERCHANT_SERIAL}",signature="${signature}"`,
    );
  });
});

describe('requestMessage', () => {
  it('ends every line with a newline, that of an empty body too', () => {
    expect(Buffer.from(requestMessage({ method: 'GET', target: '/v3/x', body: '' }, '1', 'n')).toString()).toBe(
      'GET\n/v3/x\n1\nn\n\n',
    );
  });
});

describe('isFresh', () => {
  it.each(['', '-1', '1e9', '12345678901234567890', ' 1795341600', 'now'])(
    'is false for %p, which is no time in seconds',
    (timestamp) => {
      expect(isFresh(timestamp, NOW)).toBe(false);
    },
  );
});

describe('newNonce', () => {
  it('gives 32 letters and digits, never the same', () => {
    const nonces = Array.from({ length: 500 }, newNonce);
    expect(nonces.every((nonce) => /^[0-9A-Za-z]{32}$/.test(nonce))).toBe(true);
    expect(new Set(nonces).size).toBe(500);
  });
});

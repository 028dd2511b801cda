import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformCertificate } from '../../../connectors/wechat-pay/simulator/certificate.js';
import { PlatformCertificates, platformKeysOf } from '../../../connectors/wechat-pay/wechat-pay.certificates.js';
import { seal } from '../../../connectors/wechat-pay/wechat-pay.cipher.js';
import { WechatPayUnknown } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import { toBeijing } from '../../../connectors/wechat-pay/wechat-pay.time.js';
import { DAY, HOUR, SECOND } from '../../../subgraphs/kernel/clock.js';
import {
  API_V3_KEY,
  configurationFor,
  PLATFORM_SERIAL,
  platformKeys,
  Rogue,
  type Signing,
  strangerKeys,
  TestNetwork,
  thrownBy,
  until,
} from './network.fixture.js';

let rogue: Rogue;
let clock: number;
const now = () => new Date(clock);

beforeEach(async () => {
  clock = Date.now();
  rogue = await Rogue.start();
});
afterEach(() => rogue.stop());

/** One row of the certificates' answer. */
function row(serial: string, keys = platformKeys, from = -DAY, until = 30 * DAY) {
  const [start, end] = [new Date(clock + from), new Date(clock + until)];
  const certificate = platformCertificate(serial, keys.privateKey, start, end);
  return {
    serial_no: serial,
    effective_time: toBeijing(start),
    expire_time: toBeijing(end),
    encrypt_certificate: seal(certificate, 'certificate', API_V3_KEY),
  };
}

function publish(rows: unknown[], signing: Signing = {}): void {
  rogue.answers(200, { data: rows }, { at: now(), ...signing });
}

const certificates = () => new PlatformCertificates(configurationFor(rogue.url, { now }));

describe('PlatformCertificates', () => {
  it('finds the key of a serial, fetched once and signed by one of the certificates within', async () => {
    publish([row(PLATFORM_SERIAL)]);
    const keys = certificates();
    const [first, second] = await Promise.all([keys.find(PLATFORM_SERIAL), keys.find(PLATFORM_SERIAL)]);
    expect(first?.equals(platformKeys.publicKey)).toBe(true);
    expect(second).toBe(first);
    expect(rogue.requests.map(({ target }) => target)).toEqual(['/v3/certificates']);
  });

  it('asks again for an unknown serial, but not for each of a flood', async () => {
    publish([row(PLATFORM_SERIAL)]);
    const keys = certificates();
    await keys.find(PLATFORM_SERIAL);
    for (let serial = 0; serial < 50; serial += 1) expect(await keys.find(`F${serial}`)).toBeNull();
    expect(rogue.requests).toHaveLength(1);
    clock += 31 * SECOND;
    publish([row(PLATFORM_SERIAL), row('AB12', strangerKeys)]);
    expect((await keys.find('AB12'))?.equals(strangerKeys.publicKey)).toBe(true);
    expect(rogue.requests).toHaveLength(2);
  });

  it('looks for new ones after twelve hours, and keeps the old ones when that fails', async () => {
    publish([row(PLATFORM_SERIAL)]);
    const keys = certificates();
    await keys.find(PLATFORM_SERIAL);
    clock += 12 * HOUR + SECOND;
    rogue.answer = (_request, response) => response.writeHead(503).end();
    expect(await keys.find(PLATFORM_SERIAL)).not.toBeNull();
    await until('the second look', () => (rogue.requests.length === 2 ? true : null));
    clock += 2 * SECOND;
    expect(await keys.find(PLATFORM_SERIAL)).not.toBeNull();
  });

  it('drops what expired and does not take what is not yet valid', async () => {
    publish([row(PLATFORM_SERIAL, platformKeys, -DAY, HOUR), row('AB12', strangerKeys, HOUR, DAY)]);
    const keys = certificates();
    expect(await keys.find(PLATFORM_SERIAL)).not.toBeNull();
    expect(await keys.find('AB12')).toBeNull();
    clock += 2 * HOUR;
    publish([]);
    expect(await thrownBy(keys.find(PLATFORM_SERIAL))).toBeInstanceOf(WechatPayUnknown);
    expect(await keys.find('AB12')).not.toBeNull();
  });

  it.each<[string, () => void]>([
    ['an error', () => rogue.answers(404, { code: 'RESOURCE_NOT_EXISTS', message: 'x' })],
    ['garbage', () => rogue.answers(200, 'garbage')],
    ['nothing within', () => publish([])],
    [
      'another APIv3 key',
      () => publish([{ ...row(PLATFORM_SERIAL), encrypt_certificate: seal('x', 'certificate', Buffer.alloc(32)) }]),
    ],
    [
      'what is no certificate',
      () => publish([{ ...row(PLATFORM_SERIAL), encrypt_certificate: seal('x', 'certificate', API_V3_KEY) }]),
    ],
    ['a signature of none of them', () => publish([row(PLATFORM_SERIAL)], { key: strangerKeys.privateKey })],
    ['a serial of none of them', () => publish([row(PLATFORM_SERIAL)], { serial: 'AB12' })],
    ['an old signature', () => publish([row(PLATFORM_SERIAL)], { at: new Date(clock - 6 * 60 * SECOND) })],
    [
      'silence',
      () => {
        rogue.answer = (_request, response) => response.socket?.destroy();
      },
    ],
  ])('cannot say anything when the answer is %s, and tries again a second later', async (_what, play) => {
    play();
    const keys = certificates();
    expect(await thrownBy(keys.find(PLATFORM_SERIAL))).toBeInstanceOf(WechatPayUnknown);
    clock += 1_001;
    publish([row(PLATFORM_SERIAL)]);
    expect(await keys.find(PLATFORM_SERIAL)).not.toBeNull();
  });
});

describe('platformKeysOf', () => {
  it('asks nobody where a fixed public key is configured', async () => {
    const keys = platformKeysOf(
      configurationFor(rogue.url, { platformKey: { serial: 'PUB_KEY_ID_1', key: platformKeys.publicKey } }),
    );
    expect(await keys.find('PUB_KEY_ID_1')).toBe(platformKeys.publicKey);
    expect(await keys.find(PLATFORM_SERIAL)).toBeNull();
    expect(rogue.requests).toEqual([]);
  });

  it('works with a network that has a fixed public key and no certificates', async () => {
    const network = await TestNetwork.start({ platformSerial: 'PUB_KEY_ID_1' });
    try {
      expect(await thrownBy(platformKeysOf(configurationFor(network.url)).find('PUB_KEY_ID_1'))).toBeInstanceOf(
        WechatPayUnknown,
      );
      const fixed = { serial: 'PUB_KEY_ID_1', key: platformKeys.publicKey };
      const { WechatPayWalletClient } = await import('../../../connectors/wechat-pay/wechat-pay.wallet.client.js');
      const wallet = new WechatPayWalletClient(configurationFor(network.url, { platformKey: fixed }));
      await expect(wallet.pay(network.payRequest('wxp://ok'))).resolves.toMatchObject({ status: 'SUCCESS' });
      await wallet.close();
    } finally {
      await network.stop();
    }
  });
});

import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PaypalNotificationVerifier } from '../../../connectors/paypal/paypal.notification.js';
import { selfSigned } from '../../../connectors/simulator/certificate.js';
import { closeEverything, configurationFor, refusalOf, startRaw, usd } from './counterpart.js';

afterEach(closeEverything);

const NOW = new Date('2026-11-22T12:00:00Z');
const MINUTE = 60_000;
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });

const EVENT = {
  id: 'WH-1',
  event_version: '1.0',
  create_time: '2026-11-22T11:59:59Z',
  resource_type: 'capture',
  event_type: 'PAYMENT.CAPTURE.COMPLETED',
  resource: {
    id: 'CAPTURE1',
    status: 'COMPLETED',
    custom_id: 'pay_us_a',
    invoice_id: 'invoice-a',
    amount: { currency_code: 'USD', value: '14.11' },
    supplementary_data: { related_ids: { order_id: 'ORDER1', authorization_id: 'AUTH1' } },
  },
};

function pemOf(privateKey: KeyObject, publicKey: KeyObject, from = new Date('2026-01-01')): string {
  const until = new Date(from.getTime() + 3_650 * 86_400_000);
  return selfSigned({ name: 'test', serial: Buffer.of(1), privateKey, publicKey, from, until });
}

const PEM = pemOf(pair.privateKey, pair.publicKey);

interface Message {
  readonly body?: Buffer;
  readonly time?: Date;
  readonly webhookId?: string;
  readonly key?: KeyObject;
  readonly headers?: Record<string, string | undefined>;
}

/** A place for the certificate, a verifier that allows it, and a way to write messages. */
async function post(options: { readonly pem?: string; readonly status?: number; readonly maxAgeMs?: number } = {}) {
  let fetched = 0;
  let status = options.status ?? 200;
  const { url } = await startRaw((_, response) => {
    fetched += 1;
    response.writeHead(status, { location: '/elsewhere' }).end(options.pem ?? PEM);
  });
  let now = NOW;
  const verifier = new PaypalNotificationVerifier(
    configurationFor(url, { notificationMaxAgeMs: options.maxAgeMs ?? 5 * MINUTE, deadlineMs: 500 }),
    () => now,
  );
  const message = ({
    body = Buffer.from(JSON.stringify(EVENT)),
    time = now,
    webhookId = 'WH1',
    key,
    headers,
  }: Message = {}) => {
    const signed = `transmission-1|${time.toISOString()}|${webhookId}|${crc32(body)}`;
    const all = {
      'paypal-transmission-id': 'transmission-1',
      'paypal-transmission-time': time.toISOString(),
      'paypal-transmission-sig': createSign('RSA-SHA256')
        .update(signed)
        .sign(key ?? pair.privateKey, 'base64'),
      'paypal-cert-url': `${url}/certs/1`,
      'paypal-auth-algo': 'SHA256withRSA',
      ...headers,
    };
    return [all, body] as const;
  };
  return {
    url,
    verifier,
    message,
    fetched: () => fetched,
    recover: () => {
      status = 200;
    },
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
  };
}

describe('A notification', () => {
  it('that PayPal signed for our webhook is read', async () => {
    const { verifier, message } = await post();
    expect(await verifier.verify(...message())).toEqual({
      id: 'WH-1',
      eventType: 'PAYMENT.CAPTURE.COMPLETED',
      resourceType: 'capture',
      createdAt: new Date('2026-11-22T11:59:59Z'),
      resource: {
        id: 'CAPTURE1',
        status: 'COMPLETED',
        customId: 'pay_us_a',
        invoiceId: 'invoice-a',
        amount: usd('14.11'),
        orderId: 'ORDER1',
        authorizationId: 'AUTH1',
        captureId: undefined,
      },
    });
  });

  it('finds a refund’s capture by its link, an order’s payment by its unit, and a dispute by its own id', async () => {
    const { verifier, message } = await post();
    const verify = async (resource: object) =>
      (await verifier.verify(...message({ body: Buffer.from(JSON.stringify({ ...EVENT, resource })) }))).resource;
    const up = { rel: 'up', href: 'https://api-m.paypal.com/v2/payments/captures/CAPTURE1' };
    expect(await verify({ id: 'R1', links: [up] })).toMatchObject({ id: 'R1', captureId: 'CAPTURE1' });
    expect(await verify({ id: 'O1', purchase_units: [{ custom_id: 'pay_us_a' }] })).toMatchObject({
      customId: 'pay_us_a',
    });
    expect(await verify({ dispute_id: 'PP-D-1' })).toMatchObject({ id: 'PP-D-1' });
  });

  it('is refused when one byte of its body differs, even a space', async () => {
    const { verifier, message } = await post();
    const [headers, body] = message();
    const tampered = Buffer.concat([body, Buffer.from(' ')]);
    expect(await refusalOf(verifier.verify(headers, tampered))).toMatchObject({ fault: 'SIGNATURE_WRONG' });
  });

  it.each([
    ['signed by somebody else', { key: stranger.privateKey }, 'SIGNATURE_WRONG'],
    ['signed for another webhook', { webhookId: 'WH2' }, 'SIGNATURE_WRONG'],
    ['with a signature that is none', { headers: { 'paypal-transmission-sig': 'AAAA' } }, 'SIGNATURE_WRONG'],
    ['with another id than was signed', { headers: { 'paypal-transmission-id': 'transmission-2' } }, 'SIGNATURE_WRONG'],
    [
      'with another time than was signed',
      { headers: { 'paypal-transmission-time': '2026-11-22T12:00:01Z' } },
      'SIGNATURE_WRONG',
    ],
    ['with a weaker algorithm', { headers: { 'paypal-auth-algo': 'SHA1withRSA' } }, 'ALGORITHM_UNKNOWN'],
    ['with a time that is none', { headers: { 'paypal-transmission-time': 'now' } }, 'TIME_OUT_OF_WINDOW'],
    ['sent six minutes ago', { time: new Date(NOW.getTime() - 6 * MINUTE) }, 'TIME_OUT_OF_WINDOW'],
    ['sent in six minutes', { time: new Date(NOW.getTime() + 6 * MINUTE) }, 'TIME_OUT_OF_WINDOW'],
    ['that is not JSON', { body: Buffer.from('{') }, 'BODY_MALFORMED'],
    ['without an event', { body: Buffer.from('{}') }, 'BODY_MALFORMED'],
    [
      'about nothing that has an id',
      { body: Buffer.from(JSON.stringify({ ...EVENT, resource: {} })) },
      'BODY_MALFORMED',
    ],
  ])('%s is refused', async (_, changes, fault) => {
    const { verifier, message } = await post();
    expect(await refusalOf(verifier.verify(...message(changes)))).toMatchObject({ fault, transient: false });
  });

  it.each([
    'paypal-transmission-id',
    'paypal-transmission-time',
    'paypal-transmission-sig',
    'paypal-cert-url',
    'paypal-auth-algo',
  ])('without the header %s is refused', async (name) => {
    const { verifier, message } = await post();
    expect(await refusalOf(verifier.verify(...message({ headers: { [name]: undefined } })))).toMatchObject({
      fault: 'HEADER_MISSING',
    });
  });

  it('replayed later is refused, unless the configuration allows so old ones', async () => {
    const short = await post();
    const long = await post({ maxAgeMs: 72 * 60 * MINUTE });
    for (const { verifier, message, pass } of [short, long]) {
      const replayed = message();
      await verifier.verify(...replayed);
      pass(6 * MINUTE);
      const again = verifier.verify(...replayed);
      if (verifier === short.verifier) expect(await refusalOf(again)).toMatchObject({ fault: 'TIME_OUT_OF_WINDOW' });
      else expect(await again).toMatchObject({ id: 'WH-1' });
    }
  });

  it('is not followed to a certificate on a foreign host, which is not even asked', async () => {
    const { verifier, message } = await post();
    const foreign = await startRaw((_, response) => response.end(PEM));
    let asked = 0;
    foreign.server.on('request', () => {
      asked += 1;
    });
    for (const address of [
      `${foreign.url}/certs/1`,
      'https://evilpaypal.com/c',
      'http://api.paypal.com/c',
      'file:///etc/passwd',
    ])
      expect(await refusalOf(verifier.verify(...message({ headers: { 'paypal-cert-url': address } })))).toMatchObject({
        fault: 'CERTIFICATE_HOST_FOREIGN',
      });
    expect(asked).toBe(0);
  });

  it('writes nothing of its body into the error', async () => {
    const { verifier, message } = await post();
    const refused = (await refusalOf(verifier.verify(...message({ body: Buffer.from('{"payer":"jane') })))) as Error;
    expect(`${refused.message} ${String(refused.cause)}`).not.toContain('jane');
  });
});

describe('The certificate', () => {
  it('is fetched once for many notifications, and again after a day', async () => {
    const { verifier, message, fetched, pass } = await post();
    await Promise.all(Array.from({ length: 5 }, () => verifier.verify(...message())));
    expect(fetched()).toBe(1);
    pass(24 * 60 * MINUTE + 1);
    await verifier.verify(...message());
    expect(fetched()).toBe(2);
  });

  it('that cannot be fetched now is asked for again with the next notification', async () => {
    const { verifier, message, recover } = await post({ status: 503 });
    expect(await refusalOf(verifier.verify(...message()))).toMatchObject({
      fault: 'CERTIFICATE_UNAVAILABLE',
      transient: true,
    });
    recover();
    expect(await verifier.verify(...message())).toMatchObject({ id: 'WH-1' });
  });

  it.each([
    ['a redirect', { status: 302 }, 'CERTIFICATE_UNAVAILABLE'],
    ['a flood', { pem: 'A'.repeat(100_000) }, 'CERTIFICATE_UNAVAILABLE'],
    ['no certificate', { pem: 'hello' }, 'CERTIFICATE_UNUSABLE'],
    [
      'one that has expired',
      { pem: pemOf(pair.privateKey, pair.publicKey, new Date('2010-01-01')) },
      'CERTIFICATE_UNUSABLE',
    ],
    [
      'one that is not valid yet',
      { pem: pemOf(pair.privateKey, pair.publicKey, new Date('2030-01-01')) },
      'CERTIFICATE_UNUSABLE',
    ],
  ])('is not taken when the address leads to %s', async (_, options, fault) => {
    const { verifier, message } = await post(options);
    expect(await refusalOf(verifier.verify(...message()))).toMatchObject({ fault });
  });

  it('must have an RSA key', async () => {
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { verifier, message } = await post({ pem: pemOf(pair.privateKey, curve.publicKey) });
    expect(await refusalOf(verifier.verify(...message()))).toMatchObject({ fault: 'CERTIFICATE_UNUSABLE' });
  });

  it('of a made-up address cannot fill the memory: the oldest goes', async () => {
    const { verifier, message, fetched, url } = await post();
    for (let address = 0; address < 17; address += 1)
      await verifier.verify(...message({ headers: { 'paypal-cert-url': `${url}/certs/${address}` } }));
    expect(fetched()).toBe(17);
    await verifier.verify(...message({ headers: { 'paypal-cert-url': `${url}/certs/16` } }));
    expect(fetched()).toBe(17);
    await verifier.verify(...message({ headers: { 'paypal-cert-url': `${url}/certs/0` } }));
    expect(fetched()).toBe(18);
  });
});

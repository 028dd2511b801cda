import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authorize, type SignedRequest } from '../../../../connectors/wechat-pay/wechat-pay.signature.js';
import {
  fromNow,
  MCHID,
  MERCHANT_SERIAL,
  merchantKeys,
  strangerKeys,
  TestNetwork,
  unique,
} from '../network.fixture.js';

const signer = { mchid: MCHID, serial: MERCHANT_SERIAL, privateKey: merchantKeys.privateKey };
const HEADERS = { Accept: 'application/json', 'User-Agent': 'test', 'Content-Type': 'application/json' };

let network: TestNetwork;
beforeAll(async () => {
  network = await TestNetwork.start();
});
afterAll(() => network.stop());

const inquiry = (
  body: string = JSON.stringify({ mchid: MCHID, payment_request_id: unique('req_') }),
): SignedRequest => ({
  method: 'POST',
  target: '/v3/wallet/inquiry-payment',
  body,
});

/** Sends exactly these bytes: no client of ours may mend them. */
async function send(
  message: SignedRequest,
  authorization: string | undefined,
  headers: Record<string, string> = HEADERS,
) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    headers: NodeJS.Dict<unknown>;
    text: string;
  }>();
  const all = { ...headers, ...(authorization !== undefined && { Authorization: authorization }) };
  const outgoing = request(
    `${network.url}${message.target}`,
    { method: message.method, headers: all },
    async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        text: Buffer.concat(chunks).toString('utf8'),
      });
    },
  );
  outgoing.on('error', reject).end(message.body);
  return promise;
}

async function codeOf(message: SignedRequest, authorization: string | undefined, headers = HEADERS): Promise<string> {
  const { status, text } = await send(message, authorization, headers);
  return `${status} ${(JSON.parse(text) as { code: string }).code}`;
}

describe('Gate', () => {
  it('lets in what the merchant signed', async () => {
    const message = inquiry();
    await expect(codeOf(message, authorize(message, signer, new Date()))).resolves.toBe('404 PAYMENT_NOT_EXIST');
  });

  it.each<[string, (message: SignedRequest) => string | undefined]>([
    ['no authorization', () => undefined],
    [
      'another scheme',
      (message) => authorize(message, signer, new Date()).replace('WECHATPAY2-SHA256-RSA2048', 'Bearer'),
    ],
    ['a field missing', (message) => authorize(message, signer, new Date()).replace(/,serial_no="[^"]*"/, '')],
    ['a field twice', (message) => `${authorize(message, signer, new Date())},mchid="${MCHID}"`],
    ['another merchant number', (message) => authorize(message, { ...signer, mchid: '1' }, new Date())],
    ['an unknown serial', (message) => authorize(message, { ...signer, serial: 'AB12' }, new Date())],
    ['another key', (message) => authorize(message, { ...signer, privateKey: strangerKeys.privateKey }, new Date())],
    ['a time six minutes ago', (message) => authorize(message, signer, fromNow(-360_000))],
    ['a time six minutes ahead', (message) => authorize(message, signer, fromNow(360_000))],
    ['a nonce of another length', (message) => authorize(message, signer, new Date(), 'abc')],
    ['another body', () => authorize(inquiry('{}'), signer, new Date())],
    ['another method', (message) => authorize({ ...message, method: 'GET' }, signer, new Date())],
    ['another path', (message) => authorize({ ...message, target: '/v3/wallet/pay' }, signer, new Date())],
    ['another query', (message) => authorize({ ...message, target: `${message.target}?a=1` }, signer, new Date())],
    [
      'a probe',
      (message) => authorize(message, signer, new Date()).replace(/signature="/, 'signature="WECHATPAY/SIGNTEST/'),
    ],
  ])('keeps out a request with %s', async (_what, authorizationFor) => {
    const message = inquiry();
    await expect(codeOf(message, authorizationFor(message))).resolves.toBe('401 SIGN_ERROR');
  });

  it('keeps out a request that was sent before', async () => {
    const message = inquiry();
    const authorization = authorize(message, signer, new Date());
    await expect(codeOf(message, authorization)).resolves.toBe('404 PAYMENT_NOT_EXIST');
    await expect(codeOf(message, authorization)).resolves.toBe('401 SIGN_ERROR');
  });

  it('does not let a stranger spend the merchant’s nonces', async () => {
    const [message, nonce] = [inquiry(), 'n'.repeat(32)];
    const forged = authorize(message, { ...signer, privateKey: strangerKeys.privateKey }, new Date(), nonce);
    await expect(codeOf(message, forged)).resolves.toBe('401 SIGN_ERROR');
    await expect(codeOf(message, authorize(message, signer, new Date(), nonce))).resolves.toBe('404 PAYMENT_NOT_EXIST');
  });
});

describe('a signed request', () => {
  const signed = (message: SignedRequest, headers = HEADERS) =>
    codeOf(message, authorize(message, signer, new Date()), headers);

  it('must say what it sends and takes', async () => {
    const { 'User-Agent': _agent, ...noAgent } = HEADERS;
    await expect(signed(inquiry(), noAgent as typeof HEADERS)).resolves.toBe('400 PARAM_ERROR');
    await expect(signed(inquiry(), { ...HEADERS, Accept: 'text/html' })).resolves.toBe('400 PARAM_ERROR');
    await expect(signed(inquiry(), { ...HEADERS, 'Content-Type': 'text/plain' })).resolves.toBe('400 PARAM_ERROR');
  });

  it.each<[string, SignedRequest, string]>([
    ['a body that is not JSON', inquiry('x'), '400 PARAM_ERROR'],
    ['a body that is a list', inquiry('[]'), '400 PARAM_ERROR'],
    ['a field of the wrong type', inquiry('{"mchid":1}'), '400 PARAM_ERROR'],
    ['another wallet', inquiry('{"mchid":"1","payment_request_id":"r"}'), '403 NO_AUTH'],
    ['an operation that does not exist', { ...inquiry(), target: '/v3/wallet/refund' }, '404 RESOURCE_NOT_EXISTS'],
    ['a method that does not exist', { method: 'GET', target: '/v3/wallet/pay', body: '' }, '404 RESOURCE_NOT_EXISTS'],
    [
      'a path that cannot be read',
      { method: 'GET', target: '/v3/refund/domestic/refunds/%zz?sub_mchid=1', body: '' },
      '400 PARAM_ERROR',
    ],
    [
      'a query without the merchant',
      { method: 'GET', target: '/v3/pay/partner/transactions/out-trade-no/order1', body: '' },
      '400 PARAM_ERROR',
    ],
  ])('with %s is refused', async (_what, message, answer) => {
    await expect(signed(message)).resolves.toBe(answer);
  });

  it('may not be larger than any request is', async () => {
    await expect(signed(inquiry(JSON.stringify({ x: 'x'.repeat(70_000) })))).resolves.toBe('400 PARAM_ERROR');
  });

  it('is answered with a signature, refusals too', async () => {
    const message = inquiry();
    for (const authorization of [authorize(message, signer, new Date()), undefined]) {
      const { headers } = await send(message, authorization);
      expect(headers).toMatchObject({
        'wechatpay-signature': expect.any(String),
        'request-id': expect.stringMatching(/-\d+$/),
      });
    }
  });
});

describe('what needs no signature', () => {
  it('is health and the books', async () => {
    await expect((await fetch(`${network.url}/health`)).json()).resolves.toEqual({ status: 'ok' });
    await expect(network.books()).resolves.toMatchObject({ transactions: [], refunds: [], orders: [] });
  });
});

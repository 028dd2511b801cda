import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WechatPayBillClient } from '../../../connectors/wechat-pay/wechat-pay.bill.client.js';
import { BILL_HEADER, SUMMARY_HEADER } from '../../../connectors/wechat-pay/wechat-pay.bill.columns.js';
import {
  WechatPayBillDamaged,
  WechatPayRefusal,
  WechatPayUnknown,
} from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import { authorize } from '../../../connectors/wechat-pay/wechat-pay.signature.js';
import { MINUTE } from '../../../subgraphs/kernel/clock.js';
import {
  allOf,
  configurationFor,
  merchantOf,
  PLATFORM_SERIAL,
  platformKeys,
  Rogue,
  reply,
  TestNetwork,
  thrownBy,
  unique,
  yuan,
} from './network.fixture.js';

describe('WechatPayBillClient', () => {
  let network: TestNetwork;
  let bills: WechatPayBillClient;
  let now: Date;

  beforeEach(async () => {
    // Nine in the evening in Beijing.
    now = new Date('2026-06-01T13:00:00Z');
    network = await TestNetwork.start({ refundMs: 0 }, () => now);
    bills = new WechatPayBillClient(configurationFor(network.url, { now: () => now }));
  });
  afterEach(async () => {
    await bills.close();
    await network.stop();
  });

  const at = (time: string) => {
    now = new Date(time);
  };
  const rowsOf = async (day: string) => {
    const bill = await bills.tradeBill(day);
    return bill && allOf(bill);
  };
  const pay = (amount: string) => network.wallet.pay(network.payRequest('wxp://ok', { amount: yuan(amount) }));
  const refund = (transactionId: string, amount: string, total: string) =>
    network.client.refund({
      merchantId: merchantOf('ok'),
      transactionId,
      outRefundNo: unique('ref'),
      reason: 'cold',
      refund: yuan(amount),
      total: yuan(total),
      notifyUrl: network.notifyUrl,
    });

  it('fetches what was paid and given back on a day, with our numbers', async () => {
    const first = await pay('50.00');
    const second = await pay('0.01');
    const back = await refund(first.transactionId ?? '', '12.30', '50.00');
    await network.wallet.pay(network.payRequest('wxp://refused'));
    at('2026-06-02T02:00:00Z');
    const rows = await rowsOf('2026-06-01');
    expect(
      rows?.map(({ kind, amount, transactionId, outRefundNo, merchantId }) => [
        kind,
        String(amount),
        transactionId,
        outRefundNo,
        merchantId,
      ]),
    ).toEqual([
      ['PAYMENT', '50.00 CNY', first.transactionId, null, merchantOf('ok')],
      ['PAYMENT', '0.01 CNY', second.transactionId, null, merchantOf('ok')],
      ['REFUND', '12.30 CNY', first.transactionId, back.outRefundNo, merchantOf('ok')],
    ]);
    expect(rows?.every(({ attach }) => attach.startsWith('pay_us_'))).toBe(true);
  });

  it("cuts days at Beijing's midnight", async () => {
    at('2026-06-01T15:59:59.999Z');
    await pay('1.00');
    at('2026-06-01T16:00:00.000Z');
    await pay('2.00');
    at('2026-06-03T03:00:00Z');
    const amounts = async (day: string) => (await rowsOf(day))?.map(({ amount }) => String(amount));
    expect(await amounts('2026-06-01')).toEqual(['1.00 CNY']);
    expect(await amounts('2026-06-02')).toEqual(['2.00 CNY']);
  });

  it('gives null for a day without a trade', async () => {
    expect(await bills.tradeBill('2026-05-30')).toBeNull();
  });

  it('is told to ask again before ten in the morning of the next day, Beijing time', async () => {
    await pay('1.00');
    at('2026-06-02T01:59:59Z');
    const thrown = await thrownBy(bills.tradeBill('2026-06-01'));
    expect(thrown).toBeInstanceOf(WechatPayRefusal);
    expect(thrown).toMatchObject({ code: 'STATEMENT_CREATING', action: 'RETRY' });
  });

  it.each([
    ['today', '2026-06-01', 'PARAM_ERROR'],
    ['a day to come', '2026-07-01', 'PARAM_ERROR'],
    ['no day', '2026-02-30', 'PARAM_ERROR'],
    ['a day of more than three months ago', '2026-02-01', 'INVALID_REQUEST'],
  ])('is refused a bill of %s', async (_name, day, code) => {
    expect(await thrownBy(bills.tradeBill(day))).toMatchObject({ code, action: 'OUR_BUG' });
  });

  it('finds the address of a file good for half a minute, and only with a signature', async () => {
    await pay('1.00');
    at('2026-06-02T03:00:00Z');
    const late = await bills.tradeBill('2026-06-01');
    now = new Date(now.getTime() + MINUTE);
    if (late === null) throw new Error('no bill');
    expect(await thrownBy(allOf(late))).toBeInstanceOf(WechatPayUnknown);
    expect((await fetch(`${network.url}/v3/billdownload/file?token=x`)).status).toBe(401);
  });

  it('serves the file unpacked to who asks for it so, byte by byte as it was hashed', async () => {
    await pay('1.00');
    at('2026-06-02T03:00:00Z');
    const get = (target: string) =>
      fetch(network.url + target, {
        headers: {
          accept: 'application/json',
          'user-agent': 'test',
          authorization: authorize({ method: 'GET', target, body: '' }, configurationFor('').signer, now),
        },
      });
    const named = (await (await get('/v3/bill/tradebill?bill_date=2026-06-01')).json()) as Record<string, string>;
    const { pathname, search } = new URL(named['download_url'] ?? '');
    const bytes = Buffer.from(await (await get(pathname + search)).arrayBuffer());
    expect(createHash('sha1').update(bytes).digest('hex')).toBe(named['hash_value']);
    expect(bytes.toString('utf8')).toMatch(
      /^\ufeff交易时间,[^\n]+\r\n`2026-06-01 21:00:00,`[^\n]+\r\n总交易单数,[^\n]+\r\n`1,`1\.00,`0\.00,`0\.00,`0\.00000,`1\.00,`0\.00\r\n$/,
    );
  });
});

describe('a bill on its way', () => {
  let rogue: Rogue;
  let bills: WechatPayBillClient;
  const empty = `${BILL_HEADER}\n${SUMMARY_HEADER}\n\`0,\`0.00,\`0.00,\`0.00,\`0.00000,\`0.00,\`0.00\n`;

  beforeEach(async () => {
    rogue = await Rogue.start();
    bills = new WechatPayBillClient({
      ...configurationFor(rogue.url, { deadlineMs: 300 }),
      platformKey: { serial: PLATFORM_SERIAL, key: platformKeys.publicKey },
    });
  });
  afterEach(async () => {
    await bills.close();
    await rogue.stop();
  });

  /** Names one file and sends another, or something else. */
  function serve(file: Buffer, hash = createHash('sha1').update(empty).digest('hex'), status = 200): void {
    rogue.answer = ({ target }, response) => {
      if (!target.startsWith('/v3/bill/')) response.writeHead(status).end(file);
      else
        reply(response, 200, {
          hash_type: 'SHA1',
          hash_value: hash,
          download_url: 'https://api.mch.weixin.qq.com/v3/billdownload/file?token=x&tartype=gzip',
        });
    };
  }
  const rows = async () => {
    const bill = await bills.tradeBill('2026-06-01');
    if (bill === null) throw new Error('no bill');
    return allOf(bill);
  };

  it('is asked for at the configured host, whichever host the address names, with a signature of its own', async () => {
    serve(gzipSync(empty));
    expect(await rows()).toEqual([]);
    expect(rogue.requests.map(({ target }) => target)).toEqual([
      '/v3/bill/tradebill?bill_date=2026-06-01&bill_type=ALL&tar_type=GZIP',
      '/v3/billdownload/file?token=x&tartype=gzip',
    ]);
    expect(new Set(rogue.requests.map(({ headers }) => headers.authorization)).size).toBe(2);
  });

  it('is refused when its hash is another one', async () => {
    serve(gzipSync(`\ufeff${empty}`));
    const thrown = await thrownBy(rows());
    expect(thrown).toBeInstanceOf(WechatPayBillDamaged);
    expect(thrown).toMatchObject({ fault: 'HASH' });
  });

  it.each<[string, Buffer, number]>([
    ['what is not packed', Buffer.from(empty), 200],
    ['half a file', gzipSync(empty).subarray(0, 40), 200],
    ['an error page', Buffer.from('<html>'), 502],
    ['a refusal, which nobody signed', Buffer.from('{"code":"NO_STATEMENT_EXIST"}'), 400],
  ])('is no answer at all when the file is %s', async (_name, file, status) => {
    serve(file, undefined, status);
    expect(await thrownBy(rows())).toBeInstanceOf(WechatPayUnknown);
  });

  it('is given up when nothing comes any more', async () => {
    serve(gzipSync(empty));
    const { answer } = rogue;
    rogue.answer = (request, response) => {
      if (request.target.startsWith('/v3/bill/')) answer(request, response);
      else response.writeHead(200).write(gzipSync(empty).subarray(0, 20));
    };
    const began = Date.now();
    expect(await thrownBy(rows())).toBeInstanceOf(WechatPayUnknown);
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it('is not believed to be named by an answer without a signature', async () => {
    rogue.answers(
      200,
      { hash_type: 'SHA1', hash_value: 'a'.repeat(40), download_url: 'https://x.example/y' },
      { drop: 'Wechatpay-Signature' },
    );
    expect(await thrownBy(bills.tradeBill('2026-06-01'))).toBeInstanceOf(WechatPayUnknown);
  });
});

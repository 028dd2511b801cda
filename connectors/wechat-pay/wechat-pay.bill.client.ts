import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Pool } from 'undici';
import { z } from 'zod';
import { messageOf } from '../../subgraphs/kernel/error.js';
import { readTradeBill, type TradeBillRow } from './wechat-pay.bill.js';
import { platformKeysOf } from './wechat-pay.certificates.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { WechatPayBillDamaged, WechatPayRefusal, WechatPayUnknown } from './wechat-pay.errors.js';
import { authorize, type PlatformKeys } from './wechat-pay.signature.js';
import { WechatPayTransport } from './wechat-pay.transport.js';

const billAnswer = z.object({
  hash_type: z.literal('SHA1'),
  hash_value: z.string().regex(/^[0-9a-f]{40}$/i),
  download_url: z.url({ protocol: /^https?$/ }),
});

/** Fetches the bills of days that are over. A bill of a day is there from ten o'clock of the next, Beijing time. */
export class WechatPayBillClient {
  private readonly transport: WechatPayTransport;
  /** Files may be as large as they like: they are read in pieces, and it is silence that has a deadline. */
  private readonly files: Pool;

  constructor(
    private readonly configuration: WechatPayConfiguration,
    keys: PlatformKeys = platformKeysOf(configuration),
  ) {
    const { baseUrl, deadlineMs } = configuration;
    this.transport = new WechatPayTransport(configuration, baseUrl, keys);
    const timeouts = { headersTimeout: deadlineMs, bodyTimeout: deadlineMs };
    this.files = new Pool(new URL(baseUrl).origin, { connections: 2, pipelining: 1, ...timeouts });
  }

  /**
   * All trades of a day, packed on the wire. Read it to its end: only there are totals and hash compared.
   * @param day `YYYY-MM-DD` in Beijing
   * @returns null when there was no trade that day
   * @throws WechatPayRefusal STATEMENT_CREATING: ask again later
   * @throws WechatPayUnknown, and the iteration WechatPayBillDamaged, WechatPayUnknown
   */
  async tradeBill(day: string): Promise<AsyncIterable<TradeBillRow> | null> {
    const query = { bill_date: day, bill_type: 'ALL', tar_type: 'GZIP' };
    try {
      const bill = await this.transport.call({ method: 'GET', path: '/v3/bill/tradebill', query }, billAnswer);
      return readTradeBill(this.file(bill), day, this.configuration.signer.mchid);
    } catch (thrown) {
      if (thrown instanceof WechatPayRefusal && thrown.code === 'NO_STATEMENT_EXIST') return null;
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.transport.close(), this.files.close()]);
  }

  /** The hash is that of the unpacked file; the answer itself is not signed, but the one that named the hash was. */
  private async *file(bill: z.output<typeof billAnswer>): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha1');
    for await (const piece of await this.download(bill.download_url)) {
      hash.update(piece);
      yield piece;
    }
    if (hash.digest('hex') !== bill.hash_value.toLowerCase()) throw new WechatPayBillDamaged('HASH', 0);
  }

  private async download(address: string): Promise<AsyncIterable<Buffer>> {
    const { pathname, search } = new URL(address);
    // From the configured host, whichever the address names: what we sign is for nobody else.
    const target = `${pathname}${search}`;
    const { signer, now } = this.configuration;
    try {
      const { statusCode, body } = await this.files.request({
        method: 'GET',
        path: target,
        headers: {
          Accept: 'application/json, */*',
          'User-Agent': 'sojourn',
          Authorization: authorize({ method: 'GET', target, body: '' }, signer, now()),
        },
      });
      if (statusCode !== 200) {
        await body.dump();
        throw new WechatPayUnknown(`WeChat Pay answered HTTP ${statusCode} instead of a bill`);
      }
      return unpacked(pipeline(body, createGunzip(), () => undefined));
    } catch (thrown) {
      throw asUnknown(thrown);
    }
  }
}

/** What breaks off under way has ended in no answer, like any other call. */
async function* unpacked(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* pieces;
  } catch (thrown) {
    throw asUnknown(thrown);
  }
}

function asUnknown(thrown: unknown): WechatPayUnknown {
  if (thrown instanceof WechatPayUnknown) return thrown;
  return new WechatPayUnknown(`no bill from WeChat Pay: ${messageOf(thrown)}`, thrown);
}

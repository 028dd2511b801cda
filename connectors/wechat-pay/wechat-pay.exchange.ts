import { Pool } from 'undici';
import { messageOf } from '../../subgraphs/kernel/error.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { WechatPayUnknown } from './wechat-pay.errors.js';
import { authorize, type Headers, type SignedRequest } from './wechat-pay.signature.js';

const LARGEST_ANSWER = 1_048_576;

/** An answer as it came, not verified yet. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Sends signed requests to one host on connections that are kept. Never repeats a request by itself. */
export class SignedExchange {
  private readonly pool: Pool;

  constructor(
    origin: string,
    private readonly configuration: WechatPayConfiguration,
  ) {
    // Without pipelining: a request must not wait behind another one, nor fall with it.
    this.pool = new Pool(new URL(origin).origin, { connections: 32, pipelining: 1, maxResponseSize: LARGEST_ANSWER });
  }

  /** @throws WechatPayUnknown when no whole answer came within the deadline */
  async send(request: SignedRequest): Promise<RawAnswer> {
    const { signer, now, deadlineMs } = this.configuration;
    const content = request.body === '' ? {} : { 'Content-Type': 'application/json' };
    try {
      const { statusCode, headers, body } = await this.pool.request({
        method: request.method,
        path: request.target,
        headers: {
          ...content,
          Accept: 'application/json',
          'User-Agent': 'sojourn',
          Authorization: authorize(request, signer, now()),
        },
        // The very text that was signed; an object would be serialised a second time.
        body: request.body === '' ? null : request.body,
        signal: AbortSignal.timeout(deadlineMs),
      });
      return { status: statusCode, headers, body: Buffer.from(await body.arrayBuffer()) };
    } catch (thrown) {
      throw new WechatPayUnknown(`no answer from WeChat Pay: ${messageOf(thrown)}`, thrown);
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

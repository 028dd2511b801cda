import { z } from 'zod';
import { messageOf } from '../../subgraphs/kernel/error.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { actionOf, canonicalCode, WechatPayRefusal, WechatPayUnknown } from './wechat-pay.errors.js';
import { type RawAnswer, SignedExchange } from './wechat-pay.exchange.js';
import { toJson } from './wechat-pay.json.js';
import { type PlatformKeys, verify } from './wechat-pay.signature.js';

const errorBody = z.object({ code: z.string().min(1).max(64) });

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

/**
 * Turns what came back into one of three: a verified yes, a verified no (WechatPayRefusal), or WechatPayUnknown for all
 * else. Refusals must be verified too: whoever sits on the wire could otherwise make us release money that was taken.
 */
export class WechatPayTransport {
  private readonly exchange: SignedExchange;

  constructor(
    private readonly configuration: WechatPayConfiguration,
    origin: string,
    private readonly keys: PlatformKeys,
  ) {
    this.exchange = new SignedExchange(origin, configuration);
  }

  /** @throws WechatPayRefusal, WechatPayUnknown also when the answer does not fit `schema` */
  async call<Schema extends z.ZodType>(call: Call, schema: Schema): Promise<z.output<Schema>> {
    const answer = await this.answerTo(call);
    const result = schema.safeParse(jsonOf(answer));
    if (!result.success) throw new WechatPayUnknown('WeChat Pay answered something we do not understand', result.error);
    return result.data;
  }

  /** For calls that are answered with 204 and nothing. @throws WechatPayRefusal, WechatPayUnknown */
  async command(call: Call): Promise<void> {
    await this.answerTo(call);
  }

  close(): Promise<void> {
    return this.exchange.close();
  }

  private async answerTo({ method, path, query, body }: Call): Promise<RawAnswer> {
    const target = query === undefined ? path : `${path}?${new URLSearchParams(query)}`;
    const answer = await this.exchange.send({ method, target, body: body === undefined ? '' : toJson(body) });
    // 202 means: received, not worked on, ask again. 3xx and 5xx decide nothing either.
    if (
      answer.status >= 500 ||
      answer.status < 200 ||
      answer.status === 202 ||
      (answer.status >= 300 && answer.status < 400)
    ) {
      throw new WechatPayUnknown(`WeChat Pay answered HTTP ${answer.status}`);
    }
    await this.verified(answer);
    if (answer.status >= 400) throw refusalOf(answer);
    return answer;
  }

  private async verified(answer: RawAnswer): Promise<void> {
    try {
      await verify(answer.headers, answer.body, this.keys, this.configuration.now());
    } catch (thrown) {
      throw new WechatPayUnknown(`the answer of WeChat Pay cannot be verified: ${messageOf(thrown)}`, thrown);
    }
  }
}

function refusalOf(answer: RawAnswer): WechatPayRefusal | WechatPayUnknown {
  const error = errorBody.safeParse(jsonOf(answer));
  if (!error.success) return new WechatPayUnknown(`WeChat Pay answered HTTP ${answer.status} without a code`);
  const action = actionOf(error.data.code);
  if (action === null) return new WechatPayUnknown(`WeChat Pay answered ${error.data.code}`);
  const debugId = answer.headers['request-id'];
  return new WechatPayRefusal(
    canonicalCode(error.data.code),
    action,
    typeof debugId === 'string' ? debugId : undefined,
  );
}

function jsonOf(answer: RawAnswer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    // Without the parser's reason, which quotes the text.
    throw new WechatPayUnknown('WeChat Pay answered something that is not JSON');
  }
}

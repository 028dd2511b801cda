import type { IncomingMessage, ServerResponse } from 'node:http';
import { DAY, sleep } from '../../../subgraphs/kernel/clock.js';
import { messageOf } from '../../../subgraphs/kernel/error.js';
import { seal } from '../wechat-pay.cipher.js';
import { toJson } from '../wechat-pay.json.js';
import { newNonce, platformHeaders } from '../wechat-pay.signature.js';
import { toBeijing } from '../wechat-pay.time.js';
import type { Bills } from './bills.js';
import type { Books } from './books.js';
import { platformCertificate as certificateOf } from './certificate.js';
import { Gate } from './gate.js';
import type { Orders } from './orders.js';
import type { Refunds } from './refunds.js';
import { Refused } from './refused.js';
import type { Settings } from './settings.js';
import type { WalletPayments } from './wallet-payments.js';

const LARGEST_BODY = 65_536;
/** The numeric codes behind `Request-ID` that their support goes by. */
const REQUEST_CODES: Readonly<Record<string, number>> = {
  ORDER_NOT_EXIST: 268512771,
  PARAM_ERROR: 268435461,
  ORDERPAID: 268449538,
  CODE_EXPIRED: 268447914,
  SIGN_ERROR: 268443699,
  OUT_TRADE_NO_USED: 268498688,
};

interface Reply {
  readonly status: number;
  readonly body?: Record<string, unknown>;
  readonly isLost?: boolean;
  readonly lateByMs?: number;
  /** Sent as it is, and not signed. */
  readonly file?: Buffer;
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly body: unknown;
  /** Where this network was reached. */
  readonly origin: string;
}

/** The way of a request: who asks, what, on the disk, signed answer. */
export class Network {
  private readonly gate: Gate;
  private readonly certificate: string;

  constructor(
    private readonly settings: Settings,
    private readonly now: () => Date,
    private readonly books: Books,
    private readonly orders: Orders,
    private readonly payments: WalletPayments,
    private readonly refunds: Refunds,
    private readonly bills: Bills,
  ) {
    this.gate = new Gate(settings, now);
    const { platformSerial, platformKey, platformCertificate } = settings;
    this.certificate = platformCertificate ?? certificateOf(platformSerial, platformKey, this.day(-1), this.day(365));
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    if (request.method === 'GET' && target === '/health') return unsigned(response, { status: 'ok' });
    const isBooks = request.method === 'GET' && target === '/books';
    const reply = isBooks ? null : await this.answer(request, target);
    try {
      // Answers, also those that only read, may speak of nothing that a crash could still undo.
      await this.books.flushed();
    } catch (thrown) {
      // No answer: the asker must not take a full disk for a no.
      console.error(`the books cannot be written: ${messageOf(thrown)}`);
      request.socket.destroy();
      return;
    }
    if (reply?.lateByMs) await sleep(reply.lateByMs);
    if (reply === null) unsigned(response, this.books);
    else if (reply.isLost) request.socket.destroy();
    else if (reply.file) response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(reply.file);
    else this.send(response, reply);
  }

  private async answer(request: IncomingMessage, target: string): Promise<Reply> {
    try {
      const text = await bodyOf(request);
      const method = request.method ?? '';
      this.gate.admit(method, target, request.headers.authorization, text);
      checkHeaders(request);
      const url = new URL(target, 'http://localhost');
      const query = Object.fromEntries(url.searchParams);
      const origin = `http://${request.headers.host ?? 'localhost'}`;
      return this.route({ method, path: url.pathname, query, body: method === 'GET' ? null : jsonOf(text), origin });
    } catch (thrown) {
      if (thrown instanceof Refused)
        return { status: thrown.status, body: { code: thrown.code, message: thrown.message } };
      console.error(thrown);
      return { status: 500, body: { code: 'SYSTEM_ERROR', message: '系统异常' } };
    }
  }

  private route({ method, path, query, body, origin }: Question): Reply {
    const order = /^\/v3\/pay\/partner\/transactions\/out-trade-no\/([^/]+)(\/close)?$/.exec(path);
    const refund = /^\/v3\/refund\/domestic\/refunds\/([^/]+)$/.exec(path);
    const outTradeNo = segment(order?.[1]);
    if (method === 'GET') {
      if (path === '/v3/certificates') return this.certificates();
      if (path === '/v3/bill/tradebill') return { status: 200, body: this.bills.request(query, origin) };
      if (path === '/v3/billdownload/file') return { status: 200, file: this.bills.download(query) };
      if (order && !order[2]) return { status: 200, body: this.orders.query(outTradeNo, query) };
      if (refund) return { status: 200, body: this.refunds.query(segment(refund[1]), query) };
    }
    if (method === 'POST') {
      if (order?.[2]) {
        this.orders.close(outTradeNo, body);
        return { status: 204 };
      }
      const reply = this.routePost(path, body);
      if (reply !== null) return reply;
    }
    throw new Refused(404, 'RESOURCE_NOT_EXISTS', '接口不存在');
  }

  private routePost(path: string, body: unknown): Reply | null {
    switch (path) {
      case '/v3/pay/partner/transactions/native':
        return { status: 200, body: this.orders.create(body) };
      case '/v3/refund/domestic/refunds':
        return { status: 200, body: this.refunds.create(body) };
      case '/v3/wallet/user-initiated-pay':
        return { status: 200, body: this.payments.scan(body) };
      case '/v3/wallet/pay':
        return { status: 200, ...this.payments.pay(body) };
      case '/v3/wallet/inquiry-payment':
        return { status: 200, body: this.payments.inquire(body) };
      case '/v3/wallet/cancel-payment':
        return { status: 200, body: this.payments.cancel(body) };
      default:
        return null;
    }
  }

  /** Accounts with a fixed WeChat Pay public key have no certificates. */
  private certificates(): Reply {
    const { platformSerial, apiV3Key } = this.settings;
    if (platformSerial.startsWith('PUB_KEY_ID_')) throw new Refused(404, 'RESOURCE_NOT_EXISTS', '无可用的平台证书');
    const row = {
      serial_no: platformSerial,
      effective_time: toBeijing(this.day(-1)),
      expire_time: toBeijing(this.day(365)),
      encrypt_certificate: seal(this.certificate, 'certificate', apiV3Key),
    };
    return { status: 200, body: { data: [row] } };
  }

  private send(response: ServerResponse, { status, body }: Reply): void {
    const text = body === undefined ? '' : toJson(body);
    const code = REQUEST_CODES[String(body?.['code'])] ?? (status < 400 ? 0 : 268435456 + status);
    response.writeHead(status, {
      ...(text && { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) }),
      ...platformHeaders(text, this.settings.platformSerial, this.settings.platformKey, this.now()),
      'Request-ID': `${newNonce()}-${code}`,
    });
    response.end(text);
  }

  private day(offset: number): Date {
    return new Date(this.now().getTime() + offset * DAY);
  }
}

function checkHeaders({ method, headers }: IncomingMessage): void {
  if (!headers['user-agent']) throw new Refused(400, 'PARAM_ERROR', 'Http头缺少Accept或User-Agent');
  if (!headers.accept?.includes('application/json'))
    throw new Refused(400, 'PARAM_ERROR', 'Http头缺少Accept或User-Agent');
  if (method === 'POST' && !headers['content-type']?.startsWith('application/json')) {
    throw new Refused(400, 'PARAM_ERROR', 'Http头Content-Type必须为application/json');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new Refused(400, 'PARAM_ERROR', '请求体过大');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function segment(text = ''): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refused(400, 'PARAM_ERROR', '参数错误: path');
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400, 'PARAM_ERROR', '请求体不是JSON');
  }
}

function unsigned(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

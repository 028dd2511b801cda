import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings, Store } from '../../../connectors/wechat-pay/simulator/settings.js';
import { type Simulator, startSimulator } from '../../../connectors/wechat-pay/simulator/simulator.js';
import { WechatPayClient } from '../../../connectors/wechat-pay/wechat-pay.client.js';
import type { WechatPayConfiguration } from '../../../connectors/wechat-pay/wechat-pay.configuration.js';
import { platformHeaders } from '../../../connectors/wechat-pay/wechat-pay.signature.js';
import { WechatPayWalletClient } from '../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { after, sleep } from '../../../subgraphs/kernel/clock.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';

const newKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
export const merchantKeys = newKeys();
export const platformKeys = newKeys();
export const strangerKeys = newKeys();

export const MCHID = '1900000001';
export const MERCHANT_SERIAL = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';
export const PLATFORM_SERIAL = '1FB07D2A6B4C8E90';
export const API_V3_KEY = Buffer.from('0123456789abcdef0123456789abcdef');

/** One store for each scenario; its static code is `wxp://` and the scenario's name. */
export const SCENARIOS = [
  'ok',
  'refused',
  'slow',
  'lost-reply',
  'duplicate-notifications',
  'refund-not-enough-once',
  'refund-abnormal',
  'refused-but-notified',
  'slow-refused',
  'never-typed',
  'paid-while-cancelled',
  'cancel-busy-once',
  'late-reply',
  'contradictory-notifications',
  'pays-less',
  'pays-dollars',
  'pays-another',
  'refund-closed',
  'refund-less',
] as const;
export const stores: Store[] = SCENARIOS.map((scenario, index) => ({
  merchantId: String(1_600_000_000 + index),
  name: `Teahouse ${scenario}`,
  localName: '茶馆',
  categoryCode: '5812',
  city: 'Chengdu',
  codes: [`wxp://${scenario}`],
  scenario,
}));
export const merchantOf = (scenario: (typeof SCENARIOS)[number]) => String(1_600_000_000 + SCENARIOS.indexOf(scenario));

export const yuan = (amount: string) => Money.parse(amount, 'CNY');

/** The moment so many milliseconds from now. */
export const fromNow = (ms: number) => after(new Date(), ms);

/** A number nobody used before. */
export const unique = (prefix: string) => `${prefix}${randomBytes(8).toString('hex')}`;

export function configurationFor(url: string, change: Partial<WechatPayConfiguration> = {}): WechatPayConfiguration {
  return {
    baseUrl: url,
    walletBaseUrl: url,
    signer: { mchid: MCHID, serial: MERCHANT_SERIAL, privateKey: merchantKeys.privateKey },
    appid: 'wx8888888888888888',
    apiV3Key: API_V3_KEY,
    platformKey: null,
    deadlineMs: 2_000,
    now: () => new Date(),
    ...change,
  };
}

export function settingsFor(booksFolder: string, change: Partial<Settings> = {}): Settings {
  return {
    port: 0,
    host: '127.0.0.1',
    booksFolder,
    mchid: MCHID,
    merchantSerial: MERCHANT_SERIAL,
    merchantKey: merchantKeys.publicKey,
    apiV3Key: API_V3_KEY,
    platformSerial: PLATFORM_SERIAL,
    platformKey: platformKeys.privateKey,
    platformCertificate: null,
    stores,
    slowMs: 200,
    refundMs: 40,
    refundIntervalMs: 0,
    notificationTimeScale: 0.002,
    ...change,
  };
}

/** The simulated network with both clients and someone who listens to notifications. */
export class TestNetwork {
  private constructor(
    readonly folder: string,
    readonly receiver: Receiver,
    private readonly change: Partial<Settings>,
    private readonly now: () => Date,
    private simulator: Simulator,
    public client: WechatPayClient,
    public wallet: WechatPayWalletClient,
  ) {}

  static async start(change: Partial<Settings> = {}, now: () => Date = () => new Date()): Promise<TestNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'wechat-pay-'));
    const simulator = await startSimulator(settingsFor(folder, change), now);
    const configuration = configurationFor(simulator.url, { now });
    const clients = [new WechatPayClient(configuration), new WechatPayWalletClient(configuration)] as const;
    return new TestNetwork(folder, await Receiver.start(), change, now, simulator, ...clients);
  }

  get url(): string {
    return this.simulator.url;
  }

  get notifyUrl(): string {
    return `${this.receiver.url}/notifications/wechat-pay`;
  }

  /** Ends the simulator and starts it again on the same books. */
  async restart(): Promise<void> {
    await this.disconnect();
    this.simulator = await startSimulator(settingsFor(this.folder, this.change), this.now);
    const configuration = configurationFor(this.simulator.url, { now: this.now });
    this.client = new WechatPayClient(configuration);
    this.wallet = new WechatPayWalletClient(configuration);
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.receiver.stop();
    await rm(this.folder, { recursive: true });
  }

  async books(): Promise<PublishedBooks> {
    return (await (await fetch(`${this.url}/books`)).json()) as PublishedBooks;
  }

  async order(
    outTradeNo: string,
    amount = '50.00',
    merchantId = merchantOf('ok'),
    expiresAt = after(this.now(), 60_000),
  ) {
    return this.client.createNativeOrder({
      outTradeNo,
      merchantId,
      description: 'Two cups of tea',
      amount: yuan(amount),
      expiresAt,
      notifyUrl: this.notifyUrl,
      attach: 'table 7',
    });
  }

  payRequest(codeValue: string, change: Partial<Parameters<WechatPayWalletClient['pay']>[0]> = {}) {
    return {
      paymentRequestId: unique('req_'),
      codeValue,
      amount: yuan('50.00'),
      referenceOrderId: unique('pay_us_'),
      customerId: 'trv_1',
      expiresAt: after(this.now(), 60_000),
      notifyUrl: this.notifyUrl,
      ...change,
    };
  }

  private async disconnect(): Promise<void> {
    await Promise.all([this.client.close(), this.wallet.close()]);
    await this.simulator.stop();
  }
}

export interface BookLine {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly status: string;
  readonly createdAt: string;
  readonly [extra: string]: unknown;
}

export interface PublishedBooks {
  readonly transactions: BookLine[];
  readonly refunds: BookLine[];
  readonly orders: BookLine[];
  readonly notifications: { id: string; eventType: string; status: string; failures: number }[];
}

export interface Delivery {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly at: number;
}

/** Where notifications go. Answers 204 unless `answers` holds something else for the next ones. */
export class Receiver {
  readonly deliveries: Delivery[] = [];
  readonly answers: number[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server, await listen(server));
    server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
      const body = await bodyOf(request);
      receiver.deliveries.push({ path: request.url ?? '', headers: request.headers, body, at: Date.now() });
      response.writeHead(receiver.answers.shift() ?? 204).end();
    });
    return receiver;
  }

  async until(count: number): Promise<Delivery[]> {
    return until(`${count} notifications`, () => (this.deliveries.length >= count ? this.deliveries : null));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface RogueRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A host that answers whatever a test wants. */
export class Rogue {
  readonly requests: RogueRequest[] = [];
  answer: (request: RogueRequest, response: ServerResponse) => void = (_request, response) => response.end();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Rogue> {
    const server = createServer();
    const rogue = new Rogue(server, await listen(server));
    server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
      const body = (await bodyOf(request)).toString('utf8');
      const seen = { method: request.method ?? '', target: request.url ?? '', body, headers: request.headers };
      rogue.requests.push(seen);
      rogue.answer(seen, response);
    });
    return rogue;
  }

  /** A host that signs its answers as the platform does, or as someone else does. */
  answers(status: number, body: unknown, signing: Signing = {}): void {
    this.answer = (_request, response) => reply(response, status, body, signing);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface Signing {
  readonly key?: KeyObject;
  readonly serial?: string;
  readonly at?: Date;
  readonly drop?: string;
}

export function reply(response: ServerResponse, status: number, body: unknown, signing: Signing = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { key = platformKeys.privateKey, serial = PLATFORM_SERIAL, at = new Date(), drop } = signing;
  const headers = platformHeaders(text, serial, key, at);
  if (drop) delete headers[drop];
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Request-ID': '08A1-268435461', ...headers })
    .end(text);
}

/** Waits until `find` gives something, for at most five seconds. */
export async function until<Found>(what: string, find: () => Promise<Found | null> | Found | null): Promise<Found> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const found = await find();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}

/** What a call threw; fails when it did not. */
export async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (result) => {
      throw new Error(`expected a failure, got ${String(result)}`);
    },
    (thrown) => thrown,
  );
}

/** Reads to the end. */
export async function allOf<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PaypalClient } from '../../../connectors/paypal/paypal.client.js';
import type { PaypalConfiguration } from '../../../connectors/paypal/paypal.configuration.js';
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../../connectors/paypal/simulator/simulator.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';

let knownKey: string | null = null;

const closing: (() => Promise<unknown> | unknown)[] = [];

/** For `afterEach`: the last opened goes first. */
export async function closeEverything(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

export function later(close: () => Promise<unknown> | unknown): void {
  closing.push(close);
}

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paypal-test-'));
  later(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const usd = (amount: string) => Money.parse(amount, 'USD');

export function configurationFor(url: string, overrides: Partial<PaypalConfiguration> = {}): PaypalConfiguration {
  return {
    baseUrl: url,
    clientId: 'client',
    clientSecret: 'secret',
    webhookId: 'WH1',
    certificateHosts: ['.paypal.com', url],
    deadlineMs: 5_000,
    notificationMaxAgeMs: 300_000,
    ...overrides,
  };
}

export function clientOf(url: string, overrides: Partial<PaypalConfiguration> = {}): PaypalClient {
  const client = new PaypalClient(configurationFor(url, overrides));
  later(() => client.close());
  return client;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** `details[0].issue`. */
  readonly issue: string | undefined;
  readonly headers: Headers;
}

/** A simulator in this process with two good wallets and one of each scenario, and a client of it. */
export class Counterpart {
  private constructor(
    private simulator: Simulator,
    private readonly options: SimulatorOptions,
    readonly client: PaypalClient,
  ) {}

  static async start(overrides: Partial<SimulatorOptions> = {}): Promise<Counterpart> {
    const options: SimulatorOptions = {
      booksFolder: freshFolder(),
      port: 0,
      host: '127.0.0.1',
      clientId: 'client',
      clientSecret: 'secret',
      webhook: null,
      wallets: [
        { vaultId: 'vault-good' },
        { vaultId: 'vault-declined', scenario: 'declined' },
        { vaultId: 'vault-capture-fails-once', scenario: 'capture-fails-once' },
        { vaultId: 'vault-duplicates', scenario: 'duplicate-notifications' },
      ],
      ...overrides,
    };
    // Drawing an RSA key takes longer than most tests: one serves them all.
    const keyFile = join(options.booksFolder, 'notification.pem');
    if (knownKey !== null) writeFileSync(keyFile, knownKey);
    const simulator = await startSimulator(options);
    knownKey ??= readFileSync(keyFile, 'utf8');
    const counterpart = new Counterpart(
      simulator,
      { ...options, port: portOf(simulator.url) },
      clientOf(simulator.url),
    );
    later(() => counterpart.stop());
    return counterpart;
  }

  get url(): string {
    return this.simulator.url;
  }

  get folder(): string {
    return this.options.booksFolder;
  }

  stop(): Promise<void> {
    return this.simulator.close();
  }

  /** Comes back on the same port with the same books. */
  async startAgain(): Promise<void> {
    this.simulator = await startSimulator(this.options);
  }

  async order(name: string, amount = '14.11', vaultId = 'vault-good') {
    return this.client.createOrder({
      requestId: `order-${name}`,
      paymentId: `pay_us_${name}`,
      invoiceId: `invoice-${name}`,
      referenceId: 'reference',
      amount: usd(amount),
      vaultId,
      description: 'Noodles in Chengdu',
    });
  }

  /** @returns the id of a fresh authorization */
  async authorization(name: string, amount = '14.11', vaultId = 'vault-good'): Promise<string> {
    const { id } = await this.order(name, amount, vaultId);
    const { authorization } = await this.client.authorizeOrder({ requestId: `authorize-${name}`, orderId: id });
    if (!authorization) throw new Error('no authorization');
    return authorization.id;
  }

  /** @returns the id of a fresh capture */
  async capture(name: string, amount = '14.11', vaultId = 'vault-good'): Promise<string> {
    const authorizationId = await this.authorization(name, amount, vaultId);
    return (await this.client.captureAuthorization(captureOf(name, authorizationId, amount))).id;
  }

  async books(): Promise<Books> {
    return (await (await fetch(`${this.url}/books`)).json()) as Books;
  }

  async token(): Promise<string> {
    const response = await fetch(`${this.url}/v1/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('client:secret').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  /** A request by hand, with a token and what a well-behaved client sends unless `headers` say otherwise. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${await this.token()}`,
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: typeof body === 'string' || body === undefined ? (body as string | undefined) : JSON.stringify(body),
    });
    const text = await response.text();
    const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
    const [detail] = (json['details'] ?? []) as { issue: string }[];
    return { status: response.status, body: json, issue: detail?.issue, headers: response.headers };
  }
}

export interface BookEntry {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly status: string;
  readonly createdAt: string;
}

export interface Books {
  readonly orders: BookEntry[];
  readonly authorizations: BookEntry[];
  readonly captures: BookEntry[];
  readonly refunds: BookEntry[];
  readonly pendingNotifications: number;
}

export function captureOf(name: string, authorizationId: string, amount = '14.11') {
  return { requestId: `capture-${name}`, authorizationId, amount: usd(amount), invoiceId: `invoice-${name}` };
}

export function refundOf(name: string, captureId: string, amount: string, invoiceId = `refund-${name}`) {
  return {
    requestId: `refund-${name}`,
    captureId,
    amount: usd(amount),
    paymentId: `pay_us_${name}`,
    invoiceId,
    note: 'The noodles were cold',
  };
}

/** A server that answers whatever the test says. */
export async function startRaw(listener: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a promise was refused with. */
export async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('this was not refused');
    },
    (thrown: unknown) => thrown,
  );
}

export async function until(condition: () => boolean | Promise<boolean>, patienceMs = 10_000): Promise<void> {
  for (
    const end = Date.now() + patienceMs;
    !(await condition());
    await new Promise((resolve) => setTimeout(resolve, 10))
  )
    if (Date.now() > end) throw new Error('waited in vain');
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

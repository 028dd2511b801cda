import { mkdir } from 'node:fs/promises';
import { type Clock, HOUR, SECOND, systemClock } from '../../../subgraphs/kernel/clock.js';
import { lockFolder } from '../../simulator/folder-lock.js';
import { Api } from './api.js';
import { Authorizations } from './authorizations.js';
import { Books } from './books.js';
import { signingCertificateIn } from './certificate.js';
import { Idempotency } from './idempotency.js';
import { Notifications, type Webhook } from './notifications.js';
import { Orders } from './orders.js';
import { Pending } from './pending.js';
import { Refunds } from './refunds.js';
import { Reports } from './reports.js';
import { found, Resources } from './resources.js';
import { Scenarios, type Wallet } from './scenarios.js';
import { type Route, SimulatorServer } from './server.js';
import { Tokens } from './tokens.js';
import { viewOf } from './view.js';

export interface SimulatorOptions {
  readonly booksFolder: string;
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  /** How others reach it, where that is not the address it listens on. */
  readonly publicUrl?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhook: Webhook | null;
  /** reference_id → scenario. */
  readonly scenarios?: Readonly<Record<string, string>>;
  readonly wallets: readonly Wallet[];
  /** How long PayPal looks at what it does not decide at once. */
  readonly pendingMs?: number;
  readonly tokenLifetimeSeconds?: number;
  readonly firstRetryMs?: number;
  readonly notificationDeadlineMs?: number;
  /** How long after it happened a transaction is reported; three hours unless said. */
  readonly reportDelayMs?: number;
  /** The most transactions that one query may find. */
  readonly mostReported?: number;
  readonly now?: Clock;
  /** The disk refused a record: memory is ahead of it, and the process should end. */
  readonly onFailure?: (thrown: unknown) => void;
}

export interface Simulator {
  readonly url: string;
  /** Finishes what is under way and lets go of the books. */
  close(): Promise<void>;
}

/** PayPal's side, over HTTP, with books that survive. @throws FolderInUse, JournalDamaged */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const now = options.now ?? systemClock;
  await mkdir(options.booksFolder, { recursive: true });
  const unlock = await lockFolder(options.booksFolder);
  try {
    return await startIn(options, now, unlock);
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}

async function startIn(options: SimulatorOptions, now: Clock, unlock: () => Promise<void>): Promise<Simulator> {
  const certificate = await signingCertificateIn(options.booksFolder);
  const books = await Books.open(options.booksFolder, options.onFailure ?? (() => undefined));
  let url = '';
  const certificatePath = `/v1/notifications/certs/CERT-${certificate.fingerprint}`;
  const resources = new Resources(books, () => url);
  const notifications = new Notifications({
    books,
    resources,
    webhook: options.webhook,
    certificate,
    certificateUrl: () => `${url}${certificatePath}`,
    firstRetryMs: options.firstRetryMs ?? 500,
    deadlineMs: options.notificationDeadlineMs ?? 10 * SECOND,
    now,
  });
  const { clientId, clientSecret, tokenLifetimeSeconds = 32_400 } = options;
  const tokens = new Tokens({ clientId, clientSecret, lifetimeSeconds: tokenLifetimeSeconds }, now);
  const api = new Api({
    books,
    tokens,
    orders: new Orders(books, new Scenarios(options.scenarios ?? {}, options.wallets), now),
    authorizations: new Authorizations(books, now),
    refunds: new Refunds(books, now),
    pending: new Pending(books, now, options.pendingMs ?? 2 * SECOND),
    resources,
    idempotency: new Idempotency(books, now),
    notifications,
    reports: new Reports(books, now, options.reportDelayMs ?? 3 * HOUR, options.mostReported ?? 10_000),
  });
  const server = new SimulatorServer([
    ...api.routes,
    ...openRoutes(books, tokens, api, { path: certificatePath, pem: certificate.pem }),
  ]);
  const port = await server.listen(options.port, options.host).catch(async (thrown: unknown) => {
    await books.close();
    throw thrown;
  });
  url = options.publicUrl ?? `http://${options.host}:${port}`;
  notifications.send();
  return {
    url: `http://${options.host}:${port}`,
    close: async () => {
      await server.close();
      await notifications.close();
      await books.close();
      await unlock();
    },
  };
}

/** What needs no token. */
function openRoutes(books: Books, tokens: Tokens, api: Api, certificate: { path: string; pem: string }): Route[] {
  return [
    {
      method: 'POST',
      path: /^\/v1\/oauth2\/token$/,
      answer: ({ headers, body }) => tokens.issue(headers.authorization, body),
    },
    {
      method: 'GET',
      path: /^(\/v1\/notifications\/certs\/[\w-]+)$/,
      answer: ({ path }) => ({ status: 200, body: found(path === certificate.path ? certificate.pem : undefined) }),
    },
    { method: 'GET', path: /^\/checkoutnow$/, answer: ({ query }) => api.approve(query.get('token') ?? '') },
    { method: 'GET', path: /^\/health$/, answer: () => ({ status: 200, body: 'ok' }) },
    {
      method: 'GET',
      path: /^\/books$/,
      answer: async () => {
        await books.settled();
        return { status: 200, body: viewOf(books) };
      },
    },
  ];
}

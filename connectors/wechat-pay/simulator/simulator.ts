import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SECOND } from '../../../subgraphs/kernel/clock.js';
import { lockFolder } from '../../simulator/folder-lock.js';
import { Bills } from './bills.js';
import { Books } from './books.js';
import { Codes } from './codes.js';
import { Network } from './network.js';
import { Notifier } from './notifier.js';
import { Orders } from './orders.js';
import { Refunds } from './refunds.js';
import type { Settings } from './settings.js';
import { Timers } from './timers.js';
import { WalletPayments } from './wallet-payments.js';

const IDLE_POLL_MS = 20;
const PATIENCE_MS = 3 * SECOND;

export interface Simulator {
  readonly url: string;
  /** Finishes what is under way, then lets go of the books. @throws Error when they could not be written */
  stop(): Promise<void>;
}

/** Opens the books and listens. `now` is for tests. @throws Error when the folder or the port is taken, or the books are damaged */
export async function startSimulator(settings: Settings, now: () => Date = () => new Date()): Promise<Simulator> {
  await using undo = new AsyncDisposableStack();
  const unlock = await lockFolder(settings.booksFolder);
  undo.defer(unlock);
  const books = await Books.open(settings.booksFolder);
  undo.defer(() => books.close());
  const timers = new Timers(now);
  const notifier = new Notifier(books, timers, settings, now);
  undo.defer(() => notifier.stop());
  undo.defer(() => timers.clear());
  const codes = new Codes(books, settings.stores);
  const payments = new WalletPayments(books, codes, notifier, timers, settings, now);
  const refunds = new Refunds(books, notifier, timers, settings, now);
  const orders = new Orders(books, codes, settings, now);
  const bills = new Bills(books, settings, now);
  const network = new Network(settings, now, books, orders, payments, refunds, bills);
  const server = createServer((request, response) => {
    timers.catchUp();
    return network.serve(request, response);
  });
  await listening(server, settings);
  undo.defer(() => closed(server));
  for (const part of [payments, refunds, notifier]) part.resume();
  const { port } = server.address() as AddressInfo;
  // All of this is undone, last first, when the start fails half way, and otherwise when the simulator stops.
  const running = undo.move();
  return { url: `http://${settings.host}:${port}`, stop: () => running.disposeAsync() };
}

function listening(server: Server, { port, host }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
}

/** Lets requests under way finish, but does not wait for ever for one that never ends. */
async function closed(server: Server): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_POLL_MS);
  const patience = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(idle);
  clearTimeout(patience);
}

import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What goes wrong with one request. BEFORE: it never arrives. AFTER: it arrives and takes effect, but its answer does
 * not come back as it was.
 */
export type Fault =
  | { readonly kind: 'CUT_BEFORE' }
  /** Arrives, but so late that whoever sent it has long given up. */
  | { readonly kind: 'LATE'; readonly ms: number }
  /** The same, and who sent it is cut off at once: whatever the deadline. */
  | { readonly kind: 'CUT_AND_LATE'; readonly ms: number }
  /** The same, and it arrives when it is let go. */
  | { readonly kind: 'CUT_AND_HELD'; readonly until: Promise<void> }
  | { readonly kind: 'CUT_AFTER' }
  | { readonly kind: 'GARBAGE_AFTER' }
  | { readonly kind: 'STATUS_BEFORE'; readonly status: number }
  /** Arrives with one header more: PayPal's own way to ask for a refusal. */
  | { readonly kind: 'HEADER'; readonly name: string; readonly value: string }
  | { readonly kind: 'HANG_AFTER'; readonly ms: number };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** Stands between us and an outside system; lets everything through but what a test told it to spoil. */
export class FaultProxy {
  readonly seen: SeenRequest[] = [];
  private onTheWay = 0;
  private readonly plans: { matches: (request: SeenRequest) => boolean; fault: Fault; times: number }[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: () => string,
  ) {
    server.on('request', (request, response) => void this.pass(request, response));
  }

  /** @param target read for each request, so that what is behind may move */
  static async start(target: () => string): Promise<FaultProxy> {
    const proxy = new FaultProxy(createServer(), target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Spoils the next `times` requests whose path contains `path`, or matches it. */
  spoil(path: string | RegExp, fault: Fault, times = 1): void {
    const matches = (request: SeenRequest) =>
      typeof path === 'string' ? request.path.includes(path) : path.test(request.path);
    this.plans.push({ matches, fault, times });
  }

  heal(): void {
    this.plans.length = 0;
  }

  /** Faults that were planned and have not happened: a test that left one behind has tested nothing. */
  get unspent(): number {
    return this.plans.reduce((sum, { times }) => sum + times, 0);
  }

  /** Requests so far whose path contains `path`. */
  count(path: string): number {
    return this.seen.filter((request) => request.path.includes(path)).length;
  }

  /** Settles once nothing is on its way any more, what is late included. */
  async quiet(): Promise<void> {
    while (this.onTheWay > 0) await delay(5);
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close').catch(() => undefined);
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { method = 'GET', url: path = '/', headers } = request;
    const seen = { method, path, body: body.toString('utf8'), headers };
    this.seen.push(seen);
    const fault = this.faultFor(seen);
    if (fault?.kind === 'CUT_BEFORE') return void response.destroy();
    if (fault?.kind === 'STATUS_BEFORE') return void response.writeHead(fault.status).end();
    this.onTheWay += 1;
    if (fault?.kind === 'CUT_AND_LATE' || fault?.kind === 'CUT_AND_HELD') response.destroy();
    if (fault?.kind === 'CUT_AND_HELD') await fault.until;
    if (fault?.kind === 'LATE' || fault?.kind === 'CUT_AND_LATE') await delay(fault.ms);
    const { host: _ours, ...rest } = headers;
    const passed = fault?.kind === 'HEADER' ? { ...rest, [fault.name]: fault.value } : rest;
    const outgoing = forward(new URL(path, this.target()), { method, headers: passed });
    outgoing.on('error', () => response.destroy());
    outgoing.on('close', () => {
      this.onTheWay -= 1;
    });
    outgoing.on('response', (incoming) => void spoilt(incoming, response, fault));
    outgoing.end(body);
  }

  private faultFor(request: SeenRequest): Fault | null {
    const plan = this.plans.find((candidate) => candidate.times > 0 && candidate.matches(request));
    if (!plan) return null;
    plan.times -= 1;
    return plan.fault;
  }
}

async function spoilt(incoming: IncomingMessage, response: ServerResponse, fault: Fault | null): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  if (fault?.kind === 'CUT_AND_LATE' || fault?.kind === 'CUT_AND_HELD') return;
  if (fault?.kind === 'CUT_AFTER') return void response.destroy();
  if (fault?.kind === 'HANG_AFTER') await new Promise((resolve) => setTimeout(resolve, fault.ms));
  response.writeHead(incoming.statusCode ?? 502, incoming.headers);
  response.end(fault?.kind === 'GARBAGE_AFTER' ? '<html>sorry</html>' : Buffer.concat(chunks));
}

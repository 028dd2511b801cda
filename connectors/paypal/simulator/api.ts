import type { Authorizations } from './authorizations.js';
import type { Books, Change } from './books.js';
import type { Effect } from './effect.js';
import type { Idempotency, Operation } from './idempotency.js';
import type { Notifications } from './notifications.js';
import type { Orders } from './orders.js';
import type { Pending } from './pending.js';
import type { Refunds } from './refunds.js';
import { mockedRefusal, Refusal } from './refusal.js';
import type { Reports } from './reports.js';
import { captureRequest, orderRequest, readBody, refundRequest } from './requests.js';
import type { Resources } from './resources.js';
import type { Call, Reply, Route } from './server.js';
import type { Tokens } from './tokens.js';

interface Parts {
  readonly books: Books;
  readonly tokens: Tokens;
  readonly orders: Orders;
  readonly authorizations: Authorizations;
  readonly refunds: Refunds;
  readonly pending: Pending;
  readonly resources: Resources;
  readonly idempotency: Idempotency;
  readonly notifications: Notifications;
  readonly reports: Reports;
}

/** Orders v2 and Payments v2, as far as they are played: what every call has to show, then what each does. */
export class Api {
  readonly routes: readonly Route[] = [
    this.post(/^\/v2\/checkout\/orders$/, (call) =>
      this.once(call, 'create-order', () => this.parts.orders.create(readBody(orderRequest, jsonOf(call)))),
    ),
    this.get(/^\/v2\/checkout\/orders\/([A-Z0-9]{1,36})$/, (id) => this.show('order', id)),
    this.post(/^\/v2\/checkout\/orders\/([A-Z0-9]{1,36})\/authorize$/, (call, id) => this.authorize(call, id)),
    this.get(/^\/v2\/payments\/authorizations\/([A-Z0-9]{1,36})$/, (id) => this.show('authorization', id)),
    this.post(/^\/v2\/payments\/authorizations\/([A-Z0-9]{1,36})\/capture$/, (call, id) => this.capture(call, id)),
    this.post(/^\/v2\/payments\/authorizations\/([A-Z0-9]{1,36})\/void$/, (call, id) => this.void(call, id)),
    this.get(/^\/v2\/payments\/captures\/([A-Z0-9]{1,36})$/, (id) => this.show('capture', id)),
    this.post(/^\/v2\/payments\/captures\/([A-Z0-9]{1,36})\/refund$/, (call, id) => this.refund(call, id)),
    this.get(/^\/v2\/payments\/refunds\/([A-Z0-9]{1,36})$/, (id) => this.show('refund', id)),
    {
      method: 'GET',
      path: /^\/v1\/reporting\/transactions$/,
      answer: (call) => this.admit(call, () => this.report(call)),
    },
  ];

  constructor(private readonly parts: Parts) {}

  /** The payer says yes on PayPal's page (the link `approve`). */
  async approve(orderId: string): Promise<Reply> {
    await this.commit(this.parts.orders.approve(orderId), []);
    return { status: 200, body: 'You approved the payment. You may close this page.\n' };
  }

  private async authorize(call: Call, id: string): Promise<Reply> {
    await this.decide(id);
    return this.once(call, 'authorize-order', () => this.parts.orders.authorize(id));
  }

  private async refund(call: Call, id: string): Promise<Reply> {
    await this.decide(this.parts.books.captures.get(id)?.orderId);
    return this.once(call, 'refund', () => this.parts.refunds.refund(id, readBody(refundRequest, jsonOf(call))));
  }

  private async capture(call: Call, id: string): Promise<Reply> {
    await this.decide(this.parts.books.authorizations.get(id)?.orderId);
    await this.lapse(id, true);
    return this.once(call, 'capture', () => {
      const request = readBody(captureRequest, jsonOf(call));
      const effect = this.parts.authorizations.capture(id, request);
      const failure = this.parts.authorizations.failFirstCapture(id);
      if (!failure) return effect;
      // Remembered but not waited for: the answer is an error in any case.
      this.commit(failure.change, []).catch(() => undefined);
      throw failure.error;
    });
  }

  /** The specification knows no request id here: the state itself tells a second call from the first. */
  private async void(call: Call, id: string): Promise<Reply> {
    await this.lapse(id);
    await this.commit(this.parts.authorizations.void(id), []);
    if (!wantsRepresentation(call)) return { status: 204 };
    return { status: 200, body: this.parts.resources.show('authorization', id) };
  }

  private async show(kind: 'order' | 'authorization' | 'capture' | 'refund', id: string): Promise<Reply> {
    const { books, resources } = this.parts;
    await this.decide(kind === 'order' ? id : books[`${kind}s` as const].get(id)?.orderId);
    await this.lapse((kind === 'order' ? books.orders.get(id)?.authorizationId : id) ?? '');
    const body = resources.show(kind, id);
    // What is shown here must still be so after a crash.
    await books.settled();
    return { status: 200, body };
  }

  private async report(call: Call): Promise<Reply> {
    const body = this.parts.reports.list(call.query);
    await this.parts.books.settled();
    return { status: 200, body };
  }

  /** Nothing happens by itself here: an authorization that has expired is found so by whoever looks first. */
  private async lapse(authorizationId: string, isWanted = false): Promise<void> {
    const effect = this.parts.authorizations.lapse(authorizationId, isWanted);
    if (effect) await this.commit(effect, []);
  }

  /** The same for what was pending. */
  private async decide(orderId: string | undefined): Promise<void> {
    const effect = this.parts.pending.decide(orderId ?? '');
    if (effect) await this.commit(effect, []);
  }

  private async once(call: Call, operation: Operation, decide: () => Effect): Promise<Reply> {
    const requestId = call.headers['paypal-request-id'];
    const request = {
      operation,
      requestId: typeof requestId === 'string' ? requestId : undefined,
      content: `${call.path}\n${call.body}`,
    };
    const { resource, isNew } = await this.parts.idempotency.once(request, decide, (effect, also) =>
      this.commit(effect, also),
    );
    const { books, resources } = this.parts;
    const { kind, id } = resource;
    const body = wantsRepresentation(call) ? resources.show(kind, id) : resources.showMinimal(kind, id);
    // A repetition may show what somebody else did to the resource a moment ago.
    if (!isNew) await books.settled();
    return { status: isNew ? 201 : 200, body };
  }

  private async commit(effect: Effect, also: readonly Change[]): Promise<void> {
    const { books, notifications } = this.parts;
    let news: readonly Change[] = [];
    await books.commit([...effect.changes, ...also], () => {
      news = notifications.rowsFor(effect.happenings);
      return news;
    });
    notifications.send(news.map(({ row }) => row.id));
  }

  private get(path: RegExp, answer: (id: string) => Promise<Reply>): Route {
    return { method: 'GET', path, answer: (call) => this.admit(call, () => answer(call.params[0] ?? '')) };
  }

  private post(path: RegExp, answer: (call: Call, id: string) => Promise<Reply>): Route {
    const admitted = (call: Call) => {
      if (!/^application\/json\b/.test(call.headers['content-type'] ?? ''))
        throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE');
      return answer(call, call.params[0] ?? '');
    };
    return { method: 'POST', path, answer: (call) => this.admit(call, () => admitted(call)) };
  }

  private async admit(call: Call, answer: () => Promise<Reply>): Promise<Reply> {
    this.parts.tokens.check(call.headers.authorization);
    const mocked = call.headers['paypal-mock-response'];
    if (mocked !== undefined) throw mockedRefusal(String(mocked));
    return answer();
  }
}

function wantsRepresentation(call: Call): boolean {
  return call.headers['prefer'] === 'return=representation';
}

function jsonOf(call: Call): unknown {
  if (call.body === '') return {};
  try {
    return JSON.parse(call.body);
  } catch {
    throw Refusal.of('MALFORMED_REQUEST_JSON');
  }
}

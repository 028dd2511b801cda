import { createSign, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Clock, SECOND } from '../../../subgraphs/kernel/clock.js';
import { Messenger } from '../../simulator/messenger.js';
import type { Books, Change, NotificationRow } from './books.js';
import type { SigningCertificate } from './certificate.js';
import { drawId, type Happening } from './effect.js';
import type { Resources } from './resources.js';
import { DUPLICATE_NOTIFICATIONS } from './scenarios.js';

/** PayPal tries 25 times in 3 days; this one hurries, because developers do not wait for days. */
const MOST_ATTEMPTS = 25;
const AT_ONCE = 16;

export interface Webhook {
  readonly id: string;
  readonly url: string;
}

export interface NotificationOptions {
  readonly books: Books;
  readonly resources: Resources;
  /** Without one nobody is told anything. */
  readonly webhook: Webhook | null;
  readonly certificate: SigningCertificate;
  readonly certificateUrl: () => string;
  /** Milliseconds before the second attempt; doubled for each further one, up to a minute. */
  readonly firstRetryMs: number;
  /** Milliseconds for an answer of 2xx. */
  readonly deadlineMs: number;
  readonly now: Clock;
}

/** Tells the webhook what happened, signed, until it says that it has heard. */
export class Notifications {
  private readonly ready: string[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly messenger: Messenger;
  private isClosing = false;
  private readonly sending = new Set<Promise<void>>();

  constructor(private readonly options: NotificationOptions) {
    this.messenger = new Messenger(options.deadlineMs);
  }

  /** The rows that make sure of the telling; to be committed together with what happened. */
  rowsFor(happenings: readonly Happening[]): readonly Change[] {
    if (!this.options.webhook) return [];
    return happenings.map((happening) => ({ table: 'notifications', row: this.rowFor(happening) }));
  }

  /** Sends what is pending: after a restart all that was left over. */
  send(ids: Iterable<string> = this.options.books.notifications.keys()): void {
    this.ready.push(...ids);
    this.sendNext();
  }

  /** Stops; what was not delivered stays in the books. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.messenger.stop();
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all(this.sending);
  }

  private rowFor({ type, resource, scenario }: Happening): NotificationRow {
    const id = `WH-${drawId()}-${drawId()}`;
    const body = JSON.stringify({
      id,
      event_version: '1.0',
      create_time: this.options.now().toISOString(),
      resource_type: resource.kind === 'order' ? 'checkout-order' : resource.kind,
      resource_version: '2.0',
      event_type: type,
      summary: `${type} of ${resource.id}`,
      resource: this.options.resources.show(resource.kind, resource.id),
      links: [],
    });
    return { id, state: 'PENDING', body, copies: scenario === DUPLICATE_NOTIFICATIONS ? 3 : 1, attempts: 0 };
  }

  private sendNext(): void {
    while (this.sending.size < AT_ONCE && !this.isClosing) {
      const id = this.ready.shift();
      if (id === undefined) return;
      const sending = this.attempt(id).finally(() => {
        this.sending.delete(sending);
        this.sendNext();
      });
      this.sending.add(sending);
    }
  }

  private async attempt(id: string): Promise<void> {
    const { books, webhook } = this.options;
    const row = books.notifications.get(id);
    if (!row || !webhook) return;
    const heard = await this.transmitAll(row, webhook);
    if (this.isClosing && !heard) return;
    const attempts = row.attempts + 1;
    const state = heard ? 'DELIVERED' : attempts >= MOST_ATTEMPTS ? 'GIVEN_UP' : 'PENDING';
    // Lost in a crash it is sent once more, which receivers must bear anyway: not waited for. The books report a
    // disk that refuses by themselves.
    books.commit([{ table: 'notifications', row: { ...row, attempts, state } }]).catch(() => undefined);
    if (state === 'PENDING') this.sendLater(id, attempts);
  }

  private sendLater(id: string, attempts: number): void {
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        this.send([id]);
      },
      Math.min(this.options.firstRetryMs * 2 ** (attempts - 1), 60 * SECOND),
    );
    this.timers.add(timer);
  }

  private async transmitAll(row: NotificationRow, webhook: Webhook): Promise<boolean> {
    for (let copy = 0; copy < row.copies; copy += 1) if (!(await this.transmit(row.body, webhook))) return false;
    return true;
  }

  /** Each transmission has an id, a time and so a signature of its own; the event keeps its id. */
  private async transmit(body: string, webhook: Webhook): Promise<boolean> {
    const { certificate, certificateUrl, now } = this.options;
    const id = randomUUID();
    const time = now().toISOString();
    const signature = createSign('RSA-SHA256').update(`${id}|${time}|${webhook.id}|${crc32(body)}`);
    const headers = {
      'content-type': 'application/json',
      'paypal-transmission-id': id,
      'paypal-transmission-time': time,
      'paypal-transmission-sig': signature.sign(certificate.key, 'base64'),
      'paypal-cert-url': certificateUrl(),
      'paypal-auth-algo': 'SHA256withRSA',
    };
    const status = await this.messenger.post({ url: webhook.url, headers, body });
    // Nobody there, or too slow: tried again later.
    return status !== null && status >= 200 && status < 300;
  }
}

import { SECOND } from '../../../subgraphs/kernel/clock.js';
import { Messenger } from '../../simulator/messenger.js';
import { seal } from '../wechat-pay.cipher.js';
import { toJson } from '../wechat-pay.json.js';
import { platformHeaders } from '../wechat-pay.signature.js';
import { toBeijing } from '../wechat-pay.time.js';
import type { Books, Notice } from './books.js';
import { newNoticeId } from './numbers.js';
import type { Settings } from './settings.js';
import type { Timers } from './timers.js';

/** The real schedule: 15 more attempts within 24 h 4 min. */
const RETRIES_S = [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];
const PATIENCE_MS = 5 * SECOND;

/** Tells the merchant and the wallet what happened, signed and encrypted, until they take it or the schedule ends. */
export class Notifier {
  private readonly underWay = new Set<Promise<void>>();
  private readonly messenger = new Messenger(PATIENCE_MS);
  private isStopping = false;

  constructor(
    private readonly books: Books,
    private readonly timers: Timers,
    private readonly settings: Settings,
    private readonly now: () => Date,
  ) {}

  /** A notification to be written down with the change that it tells of. */
  draft(
    url: string,
    eventType: string,
    originalType: Notice['originalType'],
    resource: object,
    copies: number,
  ): Notice {
    const now = this.now().getTime();
    return {
      id: newNoticeId(),
      url,
      eventType,
      originalType,
      resource: toJson(resource),
      state: 'PENDING',
      createdAt: now,
      copies,
      failures: 0,
      nextAt: now,
    };
  }

  /** Sends what is due, also what a former process did not get done. */
  resume(): void {
    this.dispatch(Array.from(this.books.notices.values()));
  }

  dispatch(notices: readonly Notice[]): void {
    for (const { id, nextAt, state } of notices) {
      if (state !== 'PENDING' || this.isStopping) continue;
      this.timers.at(nextAt, () => {
        const attempt = this.attempt(id)
          // The books cannot be written: nobody is told anything any more; what is pending goes out after the next start.
          .catch(() => undefined)
          .finally(() => this.underWay.delete(attempt));
        this.underWay.add(attempt);
      });
    }
  }

  /** Breaks off what is on its way: it stays pending in the books and goes out again after the next start. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.messenger.stop();
    await Promise.all(this.underWay);
  }

  private async attempt(id: string): Promise<void> {
    const notice = this.books.notices.get(id);
    if (notice?.state !== 'PENDING') return;
    // What a notification tells must be on the disk before anyone hears of it.
    await this.books.flushed();
    const isTaken = await this.send(notice);
    if (this.isStopping && !isTaken) return;
    const next = isTaken ? taken(notice) : this.failed(notice);
    this.books.write({ notices: [next] });
    this.dispatch([next]);
  }

  private async send(notice: Notice): Promise<boolean> {
    const { apiV3Key, platformSerial, platformKey } = this.settings;
    const body = JSON.stringify({
      id: notice.id,
      create_time: toBeijing(new Date(notice.createdAt)),
      resource_type: 'encrypt-resource',
      event_type: notice.eventType,
      summary: notice.eventType,
      resource: { original_type: notice.originalType, ...seal(notice.resource, notice.originalType, apiV3Key) },
    });
    const headers = {
      'Content-Type': 'application/json',
      ...platformHeaders(body, platformSerial, platformKey, this.now()),
    };
    // Unreachable, cut off or too slow: all the same to the schedule.
    const status = await this.messenger.post({ url: notice.url, headers, body });
    return status === 200 || status === 204;
  }

  private failed(notice: Notice): Notice {
    const wait = RETRIES_S[notice.failures];
    const failures = notice.failures + 1;
    if (wait === undefined) return { ...notice, failures, state: 'GIVEN_UP' };
    return { ...notice, failures, nextAt: this.now().getTime() + wait * SECOND * this.settings.notificationTimeScale };
  }
}

function taken(notice: Notice): Notice {
  const copies = notice.copies - 1;
  return { ...notice, copies, state: copies > 0 ? 'PENDING' : 'DELIVERED' };
}

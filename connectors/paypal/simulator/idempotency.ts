import { createHash } from 'node:crypto';
import { type Clock, DAY, HOUR } from '../../../subgraphs/kernel/clock.js';
import type { AnswerRow, Books, Change } from './books.js';
import type { Effect, Resource } from './effect.js';
import { Refusal } from './refusal.js';

export type Operation = 'create-order' | 'authorize-order' | 'capture' | 'refund';

/** How long PayPal remembers request ids: those of orders only for some hours. */
const KEPT_FOR: Readonly<Record<Operation, number>> = {
  'create-order': 6 * HOUR,
  'authorize-order': 6 * HOUR,
  capture: 45 * DAY,
  refund: 45 * DAY,
};

export interface KeyedRequest {
  readonly operation: Operation;
  /** The header PayPal-Request-Id. */
  readonly requestId: string | undefined;
  /** What makes it the same request: its path and its body. */
  readonly content: string;
}

/**
 * Does the work of one request id once. As PayPal says of itself, a repetition is shown what became of the first
 * request as it stands now, and may be refused while the first is under way. Refusals are not remembered: nothing
 * was done, so the same request is looked at anew.
 */
export class Idempotency {
  private readonly underWay = new Set<string>();

  constructor(
    private readonly books: Books,
    private readonly now: Clock,
  ) {}

  /**
   * @param decide finds the effect without waiting for anything, so that no other request comes between
   * @param commit enters the effect and the answer's row together
   * @throws Refusal
   */
  async once(
    request: KeyedRequest,
    decide: () => Effect,
    commit: (effect: Effect, also: readonly Change[]) => Promise<void>,
  ): Promise<{ readonly resource: Resource; readonly isNew: boolean }> {
    const { operation, requestId, content } = request;
    if (!requestId) throw Refusal.of('PAYPAL_REQUEST_ID_REQUIRED');
    if (requestId.length > 108) throw Refusal.of('INVALID_STRING_LENGTH');
    const id = `${operation} ${requestId}`;
    const fingerprint = createHash('sha256').update(content).digest('base64url');
    const time = this.now().getTime();
    const known = this.books.answers.get(id);
    if (known && time < known.keptUntil) {
      if (known.fingerprint !== fingerprint) throw Refusal.of('DUPLICATE_REQUEST_ID');
      if (this.underWay.has(id)) throw Refusal.of('PREVIOUS_REQUEST_IN_PROGRESS');
      return { resource: known.resource, isNew: false };
    }
    const effect = decide();
    const answer: AnswerRow = { id, fingerprint, resource: effect.resource, keptUntil: time + KEPT_FOR[operation] };
    this.underWay.add(id);
    try {
      await commit(effect, [{ table: 'answers', row: answer }]);
    } finally {
      this.underWay.delete(id);
    }
    return { resource: effect.resource, isNew: true };
  }
}

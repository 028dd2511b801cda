import { after, type Clock } from '../../../subgraphs/kernel/clock.js';
import type { AuthorizationRow, Books, CaptureRow, Change, RefundRow } from './books.js';
import type { Effect, Happening } from './effect.js';
import { afterRefund, refundHappening } from './refunds.js';
import { found } from './resources.js';
import { playOf } from './scenarios.js';

/** What PayPal looks at for a while before it decides. */
export class Pending {
  constructor(
    private readonly books: Books,
    private readonly now: Clock,
    private readonly lastsMs: number,
  ) {}

  /** What is due to be decided of an order: nothing happens by itself here, whoever looks first finds it so. */
  decide(orderId: string): Effect | null {
    const order = this.books.orders.get(orderId);
    const authorization = this.books.authorizations.get(order?.authorizationId ?? '');
    if (!order || !authorization) return null;
    const captures = authorization.captureIds.map((id) => found(this.books.captures.get(id)));
    const refunds = captures.flatMap(({ refundIds }) => refundIds.map((id) => found(this.books.refunds.get(id))));
    const decided = [
      ...[authorization].filter((row) => this.isDue(row)).map((row) => this.authorized(row, order.scenario)),
      ...captures.filter((row) => this.isDue(row)).map((row) => this.captured(authorization, row, order.scenario)),
      ...refunds.filter((row) => this.isDue(row)).map((row) => this.refunded(row, order.scenario)),
    ];
    if (decided.length === 0) return null;
    return {
      changes: decided.flatMap(({ changes }) => changes),
      resource: { kind: 'order', id: orderId },
      happenings: decided.flatMap(({ happenings }) => happenings),
    };
  }

  private isDue({ status, createdAt }: { readonly status: string; readonly createdAt: string }): boolean {
    return status === 'PENDING' && after(new Date(createdAt), this.lastsMs) <= this.now();
  }

  private authorized(pending: AuthorizationRow, scenario: string | null): Decided {
    const status = playOf(scenario).authorization?.[1] ?? 'CREATED';
    const row: AuthorizationRow = { ...pending, status, updatedAt: this.now().toISOString() };
    const resource = { kind: 'authorization', id: row.id } as const;
    // PayPal has no notification of a denied authorization: who wants to know has to look.
    const happenings = status === 'CREATED' ? [{ type: 'PAYMENT.AUTHORIZATION.CREATED', resource, scenario }] : [];
    return { changes: [{ table: 'authorizations', row }], happenings };
  }

  private captured(authorization: AuthorizationRow, pending: CaptureRow, scenario: string | null): Decided {
    const status = playOf(scenario).capture?.[1] ?? 'COMPLETED';
    const updatedAt = this.now().toISOString();
    const row: CaptureRow = { ...pending, status, updatedAt };
    const resource = { kind: 'capture', id: row.id } as const;
    const type = status === 'COMPLETED' ? 'PAYMENT.CAPTURE.COMPLETED' : 'PAYMENT.CAPTURE.DENIED';
    // What was not taken is held as before.
    const held: AuthorizationRow = { ...authorization, status: 'CREATED', updatedAt };
    return {
      changes: [
        { table: 'captures', row },
        ...(status === 'DECLINED' ? [{ table: 'authorizations', row: held } as const] : []),
      ],
      happenings: [{ type, resource, scenario }],
    };
  }

  private refunded(pending: RefundRow, scenario: string | null): Decided {
    const row: RefundRow = { ...pending, status: playOf(scenario).refund?.[1] ?? 'COMPLETED' };
    const capture = found(this.books.captures.get(row.captureId));
    const others = capture.refundIds.filter((id) => id !== row.id).map((id) => found(this.books.refunds.get(id)));
    const updated = afterRefund(capture, [...others, row], this.now());
    return {
      changes: [
        { table: 'refunds', row },
        { table: 'captures', row: updated },
      ],
      happenings: [refundHappening(row, scenario)],
    };
  }
}

interface Decided {
  readonly changes: readonly Change[];
  readonly happenings: readonly Happening[];
}

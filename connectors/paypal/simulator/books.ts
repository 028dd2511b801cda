import { join } from 'node:path';
import type { WireMoney } from '../paypal.money.js';
import { Journal } from './journal.js';

export interface OrderRow {
  readonly id: string;
  readonly status: 'CREATED' | 'PAYER_ACTION_REQUIRED' | 'APPROVED' | 'COMPLETED';
  readonly referenceId: string;
  readonly customId: string | null;
  readonly invoiceId: string | null;
  readonly description: string | null;
  readonly amount: WireMoney;
  readonly vaultId: string | null;
  /** What this order was told to play, if anything. */
  readonly scenario: string | null;
  readonly authorizationId: string | null;
  readonly approvedAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface AuthorizationRow {
  readonly id: string;
  readonly orderId: string;
  readonly status: 'PENDING' | 'CREATED' | 'DENIED' | 'PARTIALLY_CAPTURED' | 'CAPTURED' | 'VOIDED';
  /** It became VOIDED by itself, on the 30th day. */
  readonly lapsed: boolean;
  /** The scenario's one failure of a capture has happened. */
  readonly captureFailed: boolean;
  readonly amount: WireMoney;
  readonly captureIds: readonly string[];
  readonly expiresAt: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface CaptureRow {
  readonly id: string;
  readonly orderId: string;
  readonly authorizationId: string;
  readonly status: 'PENDING' | 'COMPLETED' | 'DECLINED' | 'PARTIALLY_REFUNDED' | 'REFUNDED';
  readonly amount: WireMoney;
  readonly fee: WireMoney;
  readonly isFinal: boolean;
  readonly invoiceId: string | null;
  readonly refundIds: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface RefundRow {
  readonly id: string;
  readonly orderId: string;
  readonly captureId: string;
  readonly status: 'PENDING' | 'COMPLETED' | 'FAILED';
  readonly amount: WireMoney;
  readonly customId: string | null;
  readonly invoiceId: string | null;
  readonly note: string | null;
  readonly createdAt: string;
}

export type ResourceKind = 'order' | 'authorization' | 'capture' | 'refund';

/** What a request id led to. */
export interface AnswerRow {
  /** The operation and the request id: the same id may serve different operations. */
  readonly id: string;
  /** Hash of what was asked: the same id with anything else is a mistake. */
  readonly fingerprint: string;
  readonly resource: { readonly kind: ResourceKind; readonly id: string };
  /** Milliseconds since 1970; the id is forgotten then. */
  readonly keptUntil: number;
}

export interface NotificationRow {
  readonly id: string;
  readonly state: 'PENDING' | 'DELIVERED' | 'GIVEN_UP';
  readonly body: string;
  /** How many times each attempt sends it. */
  readonly copies: number;
  readonly attempts: number;
}

interface Rows {
  orders: OrderRow;
  authorizations: AuthorizationRow;
  captures: CaptureRow;
  refunds: RefundRow;
  answers: AnswerRow;
  notifications: NotificationRow;
}

export type Change = { [Table in keyof Rows]: { readonly table: Table; readonly row: Rows[Table] } }[keyof Rows];

/** Everything this PayPal knows. In memory to read, in the journal to stay. */
export class Books {
  readonly orders = new Map<string, OrderRow>();
  readonly authorizations = new Map<string, AuthorizationRow>();
  readonly captures = new Map<string, CaptureRow>();
  readonly refunds = new Map<string, RefundRow>();
  readonly answers = new Map<string, AnswerRow>();
  /** Those still to be delivered. */
  readonly notifications = new Map<string, NotificationRow>();
  /** Invoice id → the order, capture or refund that used it up. */
  readonly invoices = {
    orders: new Map<string, string>(),
    captures: new Map<string, string>(),
    refunds: new Map<string, string>(),
  };
  private journal: Journal | null = null;

  private constructor(private readonly onFailure: (thrown: unknown) => void) {}

  /**
   * @param onFailure the disk refused: memory is ahead of it now, so this process must not go on
   * @throws JournalDamaged
   */
  static async open(folder: string, onFailure: (thrown: unknown) => void): Promise<Books> {
    const books = new Books(onFailure);
    // The checksum of each line vouches for its shape: only `commit` writes there.
    books.journal = await Journal.open(
      join(folder, 'journal.jsonl'),
      (record) => books.enter(record as Change[]),
      () => books.live(),
    );
    return books;
  }

  /**
   * Enters changes at once, all or none, for everybody who reads from now on.
   * @param derived further changes of the same effect, made from the rows as they are then
   * @returns settles when they are on the disk; nobody may be told of them earlier
   */
  async commit(changes: readonly Change[], derived: () => readonly Change[] = () => []): Promise<void> {
    this.enter(changes);
    const more = derived();
    this.enter(more);
    try {
      await this.journal?.append([...changes, ...more]);
    } catch (thrown) {
      this.onFailure(thrown);
      throw thrown;
    }
  }

  /** Settles when all that can be read now is on the disk. */
  async settled(): Promise<void> {
    await this.journal?.settled();
  }

  async close(): Promise<void> {
    await this.journal?.close();
  }

  /** Changes that lead to what is known now, for a journal that starts anew. */
  private *live(): Generator<readonly Change[]> {
    for (const row of this.orders.values()) yield [{ table: 'orders', row }];
    for (const row of this.authorizations.values()) yield [{ table: 'authorizations', row }];
    for (const row of this.captures.values()) yield [{ table: 'captures', row }];
    for (const row of this.refunds.values()) yield [{ table: 'refunds', row }];
    for (const row of this.answers.values()) yield [{ table: 'answers', row }];
    for (const row of this.notifications.values()) yield [{ table: 'notifications', row }];
  }

  private enter(changes: readonly Change[]): void {
    for (const change of changes) this.enterOne(change);
  }

  /** What took no money leaves its invoice to be taken by another capture. */
  private bill({ id, invoiceId, status }: CaptureRow): void {
    const { captures } = this.invoices;
    if (!invoiceId) return;
    if (status !== 'DECLINED') captures.set(invoiceId, id);
    else if (captures.get(invoiceId) === id) captures.delete(invoiceId);
  }

  private enterOne({ table, row }: Change): void {
    switch (table) {
      case 'orders':
        // As with the real one, an invoice is used up when money is held for it, not when an order is written.
        if (row.invoiceId && row.status === 'COMPLETED') this.invoices.orders.set(row.invoiceId, row.id);
        this.orders.set(row.id, row);
        break;
      case 'authorizations':
        this.authorizations.set(row.id, row);
        break;
      case 'captures':
        this.bill(row);
        this.captures.set(row.id, row);
        break;
      case 'refunds':
        if (row.invoiceId) this.invoices.refunds.set(row.invoiceId, row.id);
        this.refunds.set(row.id, row);
        break;
      case 'answers':
        this.answers.set(row.id, row);
        break;
      case 'notifications':
        if (row.state === 'PENDING') this.notifications.set(row.id, row);
        else this.notifications.delete(row.id);
    }
  }
}

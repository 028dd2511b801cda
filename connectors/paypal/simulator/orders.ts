import { after, type Clock, DAY, HOUR } from '../../../subgraphs/kernel/clock.js';
import { fromWire, toWire } from '../paypal.money.js';
import type { AuthorizationRow, Books, OrderRow } from './books.js';
import { drawId, type Effect } from './effect.js';
import { Refusal } from './refusal.js';
import { type OrderRequest, readAmount } from './requests.js';
import { found } from './resources.js';
import { DECLINED, played, playOf, type Scenarios } from './scenarios.js';

/** An approved order waits this long for its authorization. */
const APPROVAL_LASTS = 3 * HOUR;
/** An authorization holds money until the 30th day. */
const AUTHORIZATION_LASTS = 29 * DAY;

/** Orders of one purchase unit, to authorize: what the main product needs. */
export class Orders {
  constructor(
    private readonly books: Books,
    private readonly scenarios: Scenarios,
    private readonly now: Clock,
  ) {}

  /** @throws Refusal */
  create(request: OrderRequest): Effect {
    const [unit, another] = request.purchase_units;
    if (request.intent !== 'AUTHORIZE') throw Refusal.of('UNSUPPORTED_INTENT', '/intent');
    if (!unit || another) throw Refusal.of('NOT_SUPPORTED', '/purchase_units/1');
    const amount = toWire(readAmount(unit.amount, '/purchase_units/0/amount'));
    const vaultId = request.payment_source?.paypal.vault_id ?? null;
    if (vaultId !== null && !this.scenarios.knows(vaultId))
      throw Refusal.of('TOKEN_ID_NOT_FOUND', '/payment_source/paypal/vault_id');
    this.expectUnusedInvoice(unit.invoice_id ?? null, null);
    const time = this.now().toISOString();
    const order: OrderRow = {
      id: drawId(),
      // Who vaulted the wallet has agreed to payments from it: no payer is asked.
      status: vaultId !== null ? 'APPROVED' : request.payment_source ? 'PAYER_ACTION_REQUIRED' : 'CREATED',
      referenceId: unit.reference_id,
      customId: unit.custom_id ?? null,
      invoiceId: unit.invoice_id ?? null,
      description: unit.description ?? null,
      amount,
      vaultId,
      scenario: this.scenarios.of(unit.reference_id, vaultId),
      authorizationId: null,
      approvedAt: vaultId !== null ? time : null,
      createdAt: time,
      updatedAt: time,
    };
    return { changes: [{ table: 'orders', row: order }], resource: { kind: 'order', id: order.id }, happenings: [] };
  }

  /** What the payer does on PayPal's page. @throws Refusal */
  approve(id: string): Effect {
    const order = found(this.books.orders.get(id));
    const resource = { kind: 'order', id } as const;
    if (order.approvedAt !== null) return { changes: [], resource, happenings: [] };
    const time = this.now().toISOString();
    const row: OrderRow = { ...order, status: 'APPROVED', approvedAt: time, updatedAt: time };
    const happening = { type: 'CHECKOUT.ORDER.APPROVED', resource, scenario: order.scenario };
    return { changes: [{ table: 'orders', row }], resource, happenings: [happening] };
  }

  /** @throws Refusal */
  authorize(id: string): Effect {
    const order = found(this.books.orders.get(id));
    const now = this.now();
    if (order.authorizationId !== null) throw Refusal.of('ORDER_ALREADY_AUTHORIZED');
    if (order.approvedAt === null) throw Refusal.of('ORDER_NOT_APPROVED');
    if (now > after(new Date(order.approvedAt), APPROVAL_LASTS)) throw Refusal.of('ORDER_EXPIRED');
    this.expectUnusedInvoice(order.invoiceId, order.id);
    if (order.scenario === DECLINED) throw Refusal.of('INSTRUMENT_DECLINED');
    const status = playOf(order.scenario).authorization?.[0] ?? 'CREATED';
    const authorization: AuthorizationRow = {
      id: drawId(),
      orderId: order.id,
      status,
      lapsed: false,
      captureFailed: false,
      amount: toWire(played('authorization', order.scenario, fromWire(order.amount))),
      captureIds: [],
      expiresAt: after(now, AUTHORIZATION_LASTS).toISOString(),
      createdAt: now.toISOString(),
      updatedAt: now.toISOString(),
    };
    const row: OrderRow = {
      ...order,
      status: 'COMPLETED',
      authorizationId: authorization.id,
      updatedAt: now.toISOString(),
    };
    return {
      changes: [
        { table: 'orders', row },
        { table: 'authorizations', row: authorization },
      ],
      resource: { kind: 'order', id: order.id },
      happenings: [
        {
          type: 'PAYMENT.AUTHORIZATION.CREATED',
          resource: { kind: 'authorization', id: authorization.id },
          scenario: order.scenario,
        },
      ],
    };
  }

  private expectUnusedInvoice(invoiceId: string | null, orderId: string | null): void {
    const user = invoiceId === null ? undefined : this.books.invoices.orders.get(invoiceId);
    if (user !== undefined && user !== orderId)
      throw Refusal.of('DUPLICATE_INVOICE_ID', '/purchase_units/0/invoice_id');
  }
}

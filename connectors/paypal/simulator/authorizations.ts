import type { Clock } from '../../../subgraphs/kernel/clock.js';
import type { Currency } from '../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromWire, toWire } from '../paypal.money.js';
import type { AuthorizationRow, Books, CaptureRow, OrderRow } from './books.js';
import { drawId, type Effect } from './effect.js';
import { internalError, Refusal } from './refusal.js';
import { type CaptureRequest, readAmount } from './requests.js';
import { found, sumOf } from './resources.js';
import { CAPTURE_FAILS_ONCE, played, playOf } from './scenarios.js';

const MOST_CAPTURES = 10;

/** Money that is held: taken, released, or lapsed. */
export class Authorizations {
  constructor(
    private readonly books: Books,
    private readonly now: Clock,
  ) {}

  /**
   * The effect that an authorization's own expiry is due to have, if any: it has become void.
   * @param isWanted somebody is about to take it
   */
  lapse(id: string, isWanted = false): Effect | null {
    const authorization = this.books.authorizations.get(id);
    if (!authorization) return null;
    const lapses = isWanted && playOf(this.books.orders.get(authorization.orderId)?.scenario ?? null).lapses;
    if (!lapses && this.now() <= new Date(authorization.expiresAt)) return null;
    if (authorization.status !== 'CREATED' && authorization.status !== 'PARTIALLY_CAPTURED') return null;
    return this.toVoid({ ...authorization, lapsed: true });
  }

  /** @throws Refusal */
  void(id: string): Effect {
    const authorization = found(this.books.authorizations.get(id));
    if (authorization.status === 'VOIDED') throw Refusal.of('PREVIOUSLY_VOIDED');
    if (this.takingOf(authorization).length > 0) throw Refusal.of('PREVIOUSLY_CAPTURED');
    return this.toVoid(authorization);
  }

  /** @throws Refusal */
  capture(id: string, request: CaptureRequest): Effect {
    const authorization = found(this.books.authorizations.get(id));
    const order = found(this.books.orders.get(authorization.orderId));
    expectCapturable(authorization);
    const amount = this.amountOf(authorization, request);
    const invoiceId = request.invoice_id ?? null;
    this.expectUnusedInvoice(invoiceId, order);
    const time = this.now().toISOString();
    const status = playOf(order.scenario).capture?.[0] ?? 'COMPLETED';
    const isFinal =
      request.final_capture || this.takenFrom(authorization).plus(amount).equals(fromWire(authorization.amount));
    const taken = played('capture', order.scenario, amount);
    const capture: CaptureRow = {
      id: drawId(),
      orderId: order.id,
      authorizationId: id,
      status,
      amount: toWire(taken),
      fee: toWire(feeOf(taken)),
      isFinal,
      invoiceId: invoiceId ?? order.invoiceId,
      refundIds: [],
      createdAt: time,
      updatedAt: time,
    };
    const after = isFinal ? 'CAPTURED' : 'PARTIALLY_CAPTURED';
    const row: AuthorizationRow = {
      ...authorization,
      status: status === 'DECLINED' ? authorization.status : after,
      captureIds: [...authorization.captureIds, capture.id],
      updatedAt: time,
    };
    const resource = { kind: 'capture', id: capture.id } as const;
    const type = `PAYMENT.CAPTURE.${status === 'DECLINED' ? 'DENIED' : status}`;
    return {
      changes: [
        { table: 'authorizations', row },
        { table: 'captures', row: capture },
      ],
      resource,
      happenings: [{ type, resource, scenario: order.scenario }],
    };
  }

  /**
   * The scenario `capture-fails-once`: the first attempt of each authorization ends in an error and takes nothing.
   * @returns the change that remembers it, or null when this attempt is to be played straight
   */
  failFirstCapture(id: string): { readonly change: Effect; readonly error: Refusal } | null {
    const authorization = this.books.authorizations.get(id);
    const scenario = authorization && this.books.orders.get(authorization.orderId)?.scenario;
    if (!authorization || authorization.captureFailed || scenario !== CAPTURE_FAILS_ONCE) return null;
    const row = { ...authorization, captureFailed: true };
    const resource = { kind: 'authorization', id } as const;
    return {
      change: { changes: [{ table: 'authorizations', row }], resource, happenings: [] },
      error: internalError(),
    };
  }

  private toVoid(authorization: AuthorizationRow): Effect {
    const row: AuthorizationRow = { ...authorization, status: 'VOIDED', updatedAt: this.now().toISOString() };
    const resource = { kind: 'authorization', id: row.id } as const;
    const scenario = this.books.orders.get(row.orderId)?.scenario ?? null;
    return {
      changes: [{ table: 'authorizations', row }],
      resource,
      happenings: [{ type: 'PAYMENT.AUTHORIZATION.VOIDED', resource, scenario }],
    };
  }

  private amountOf(authorization: AuthorizationRow, request: CaptureRequest): Money {
    const rest = fromWire(authorization.amount).minus(this.takenFrom(authorization));
    const amount = request.amount ? readAmount(request.amount, '/amount') : rest;
    if (amount.currency !== rest.currency) throw Refusal.of('AUTH_CAPTURE_CURRENCY_MISMATCH', '/amount/currency_code');
    if (amount.isMoreThan(rest)) throw Refusal.of('MAX_CAPTURE_AMOUNT_EXCEEDED', '/amount/value');
    if (authorization.captureIds.length >= MOST_CAPTURES) throw Refusal.of('MAX_CAPTURE_COUNT_EXCEEDED');
    return amount;
  }

  private takenFrom(authorization: AuthorizationRow): Money {
    const amounts = this.takingOf(authorization).map(({ amount }) => amount);
    return sumOf(amounts, authorization.amount);
  }

  /** The captures that took money, or may still. */
  private takingOf({ captureIds }: AuthorizationRow): CaptureRow[] {
    return captureIds.map((id) => found(this.books.captures.get(id))).filter(({ status }) => status !== 'DECLINED');
  }

  private expectUnusedInvoice(invoiceId: string | null, order: OrderRow): void {
    if (invoiceId === null) return;
    const orderOfInvoice = this.books.invoices.orders.get(invoiceId);
    const isForeign = orderOfInvoice !== undefined && orderOfInvoice !== order.id;
    if (isForeign || this.books.invoices.captures.has(invoiceId))
      throw Refusal.of('DUPLICATE_INVOICE_ID', '/invoice_id');
  }
}

function expectCapturable(authorization: AuthorizationRow): void {
  if (authorization.status === 'PENDING') throw Refusal.of('PENDING_REVIEW');
  if (authorization.status === 'DENIED') throw Refusal.of('AUTHORIZATION_DENIED');
  if (authorization.lapsed) throw Refusal.of('AUTHORIZATION_EXPIRED');
  if (authorization.status === 'VOIDED') throw Refusal.of('AUTHORIZATION_VOIDED');
  if (authorization.status === 'CAPTURED') throw Refusal.of('AUTHORIZATION_ALREADY_CAPTURED');
}

const FIXED_FEE: Partial<Record<Currency, Money>> = { USD: Money.of(49n, 'USD') };

/** About what PayPal takes of a commercial payment: 3.49 % and, in dollars, 49 cents; never more than all of it. */
function feeOf(amount: Money): Money {
  const share = amount.share(349n, 10_000n);
  const fixed = FIXED_FEE[amount.currency];
  const fee = fixed ? share.plus(fixed) : share;
  return fee.isMoreThan(amount) ? amount : fee;
}

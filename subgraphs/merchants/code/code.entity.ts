import { defineEntity, p } from '@mikro-orm/core';
import { after, HOUR, MINUTE, SECOND } from '../../kernel/clock.js';
import { invariant } from '../../kernel/error.js';
import type { CodeKind, Network } from '../../kernel/graphql/enums.js';
import { type CodeId, type MerchantId, newId, type PaymentId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';
import { step } from '../../kernel/states.js';
import { CodeExpired } from './code.errors.js';
import { type CodeStatus, codeTransitions, type OrderState, type StoredCodeStatus } from './code.states.js';

const PaymentCodeSchema = defineEntity({
  name: 'PaymentCode',
  tableName: 'payment_code',
  properties: {
    id: p.string().$type<CodeId>().primary(),
    merchantId: p.string().$type<MerchantId>(),
    network: p.string().$type<`${Network}`>(),
    kind: p.string().$type<`${CodeKind}`>(),
    status: p.string().$type<StoredCodeStatus>(),
    payload: p.string().$type<string | null>().strictNullable(),
    currencyCode: p.string().$type<Currency>(),
    amountMinor: p.bigint().$type<bigint | null>().strictNullable(),
    reference: p.string().$type<string | null>().strictNullable(),
    outTradeNo: p.string().$type<string | null>().strictNullable(),
    expiresAt: p.datetime().$type<Date | null>().strictNullable(),
    paymentId: p.string().$type<PaymentId | null>().strictNullable(),
    createdAt: p.datetime(),
    paidAt: p.datetime().$type<Date | null>().strictNullable(),
    closedAt: p.datetime().$type<Date | null>().strictNullable(),
    /** When to ask the network about an order of whose end we have heard nothing. */
    lookAt: p.datetime().$type<Date | null>().strictNullable(),
  },
});

/** How long the network keeps an order open. */
const LIFETIME_MS = 2 * HOUR;
/** How long whoever scanned an order in time may take to pay it. */
const LAST_MINUTES_MS = 10 * MINUTE;

interface Birth {
  readonly merchantId: MerchantId;
  readonly network: `${Network}`;
  readonly reference: string | null;
  readonly now: Date;
}

/** What a QR carries: a merchant's own (STATIC), or one order with its amount (DYNAMIC). */
export class PaymentCode extends PaymentCodeSchema.class {
  /** @param payload makes the text from the code's own id */
  static static(birth: Birth & { id?: CodeId; currency: Currency; payload: (id: CodeId) => string }): PaymentCode {
    const id = birth.id ?? newId('cod', 'cn');
    return Object.assign(PaymentCode.born(id, birth), {
      kind: 'STATIC' as const,
      status: 'ACTIVE' as const,
      payload: birth.payload(id),
      currencyCode: birth.currency,
    });
  }

  /** An order that the network does not know yet: its number is written before the network is asked. */
  static order(birth: Birth & { amount: Money }): PaymentCode {
    const id = newId('cod', 'cn');
    const expiresAt = after(birth.now, LIFETIME_MS);
    // The network counts whole seconds, and a repeated request must say exactly the same.
    expiresAt.setTime(expiresAt.getTime() - (expiresAt.getTime() % SECOND));
    return Object.assign(PaymentCode.born(id, birth), {
      kind: 'DYNAMIC' as const,
      status: 'REGISTERING' as const,
      payload: null,
      currencyCode: birth.amount.currency,
      amountMinor: birth.amount.minor,
      // At most 32 characters at WeChat Pay: the id without its region.
      outTradeNo: id.replace(/^cod_[a-z]{2}_/, 'cod_'),
      expiresAt,
    });
  }

  private static born(id: CodeId, { merchantId, network, reference, now }: Birth): PaymentCode {
    return Object.assign(new PaymentCode(), {
      id,
      merchantId,
      network,
      amountMinor: null,
      reference,
      outTradeNo: null,
      expiresAt: null,
      paymentId: null,
      createdAt: now,
      paidAt: null,
      closedAt: null,
      lookAt: null,
    });
  }

  /** Null when the payer types it. */
  get amount(): Money | null {
    return this.amountMinor === null ? null : Money.of(this.amountMinor, this.currencyCode);
  }

  /** A row without a payload is not a code yet: nobody was ever shown it. */
  statusAt(now: Date): CodeStatus {
    invariant(this.status !== 'REGISTERING', `${this.id} is not a code yet`);
    return this.status === 'ACTIVE' && this.isOverAt(now) ? 'EXPIRED' : this.status;
  }

  isOverAt(now: Date): boolean {
    return this.expiresAt !== null && this.expiresAt <= now;
  }

  /** @throws CodeExpired when it is paid, closed or expired */
  requirePayable(now: Date): void {
    const status = this.statusAt(now);
    if (status !== 'ACTIVE') throw new CodeExpired(status);
  }

  registered(payload: string): void {
    this.become('ACTIVE');
    this.payload = payload;
    this.lookAt = after(this.createdAt, MINUTE);
  }

  /** To be closed already is fine. */
  close(now: Date): void {
    if (this.status === 'CLOSED') return;
    this.become('CLOSED');
    this.closedAt = now;
    this.lookAt = null;
  }

  /**
   * A static code is paid many times and stays as it is; an order once.
   * @param paymentId null when only the network says so: by a payment of ours that is not heard of yet, or by a wallet
   *   of its own
   */
  paid(paymentId: PaymentId | null, now: Date): void {
    if (this.kind === 'STATIC') return;
    const wasPaid = this.status === 'PAID';
    if (wasPaid && (paymentId === null || paymentId === this.paymentId)) return;
    // The network's word came first: now we hear by which payment.
    const isNamedNow = wasPaid && this.paymentId === null;
    if (!isNamedNow) {
      this.become('PAID');
      this.paidAt = now;
      this.lookAt = null;
    }
    this.paymentId = paymentId;
  }

  /** Takes over what the network says of an order that is not over here. */
  follow(state: OrderState, now: Date): void {
    if (this.status !== 'ACTIVE') return;
    if (state === 'PAID') this.paid(null, now);
    if (state === 'CLOSED') this.close(now);
    // Nobody can be paying it any more: there is nothing left to hear.
    if (this.expiresAt && after(this.expiresAt, LAST_MINUTES_MS) <= now) this.lookAt = null;
  }

  /**
   * Sets the next look: when its age has doubled, so that those who were just made are looked at often and all of them
   * rarely, and once more when nobody can be paying it any more.
   */
  lookedAt(now: Date): void {
    const age = Math.max(MINUTE, now.getTime() - this.createdAt.getTime());
    const doubled = after(now, age);
    const last = this.expiresAt && after(this.expiresAt, LAST_MINUTES_MS);
    this.lookAt = last && now < last && last < doubled ? last : doubled;
  }

  private become(status: StoredCodeStatus): void {
    this.status = step(codeTransitions, this.status, status);
  }
}

PaymentCodeSchema.setClass(PaymentCode);

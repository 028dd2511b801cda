import { createHash } from 'node:crypto';
import type { MerchantId, PaymentId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';

/** An account of the ledger: its code says what it is; it has one currency and four running totals. */
export interface Account {
  readonly code: string;
  readonly currency: Currency;
}

/** The house's own accounts are split, so that payments side by side rarely wait for the same row. */
const SHARDS = 16;

/** What the wallet provider owes us: held and captured money of payers. */
export function walletClearing(provider: string, currency: Currency, paymentId: PaymentId): Account {
  return sharded(`wallet.clearing:${provider}:${currency}`, currency, paymentId);
}

/** The control account of one payment: 0 once the payment is over (M2). */
export function control(paymentId: PaymentId, currency: Currency): Account {
  return { code: `payment:${paymentId}:${currency}`, currency };
}

/** What we bought and sold of a currency; the rest between two of them is our exchange risk. */
export function fxPosition(currency: Currency, paymentId: PaymentId): Account {
  return sharded(`fx.position:${currency}`, currency, paymentId);
}

export function spreadRevenue(currency: Currency, paymentId: PaymentId): Account {
  return sharded(`fx.spread.revenue:${currency}`, currency, paymentId);
}

export function feeRevenue(currency: Currency, paymentId: PaymentId): Account {
  return sharded(`fee.revenue:${currency}`, currency, paymentId);
}

/** What the wallet provider kept for itself. */
export function processorFee(provider: string, currency: Currency, paymentId: PaymentId): Account {
  return sharded(`processor.fee:${provider}:${currency}`, currency, paymentId);
}

/** What we owe a merchant. */
export function merchantPayable(merchantId: MerchantId, currency: Currency, paymentId: PaymentId): Account {
  return sharded(`merchant.payable:${merchantId}:${currency}`, currency, paymentId);
}

function sharded(name: string, currency: Currency, paymentId: PaymentId): Account {
  const shard = createHash('sha1').update(paymentId).digest().readUInt16BE(0) % SHARDS;
  return { code: `${name}:${shard.toString().padStart(2, '0')}`, currency };
}

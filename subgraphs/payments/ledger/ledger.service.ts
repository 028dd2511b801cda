import type { Condition } from '../../kernel/database.rows.js';
import { Money } from '../../kernel/money/money.js';
import type { Payment } from '../payment/payment.entity.js';
import type { Refund } from '../refund/refund.entity.js';
import * as accounts from './account.entity.js';
import { type Entry, holding, type Movement, posting, resolving } from './ledger.repository.js';

const WALLET_LEG = ['wallet'] as const;
const NETWORK_LEGS = ['exchange', 'spread', 'fee', 'merchant'] as const;

/**
 * What each step of a payment and of a refund means in the books: entries, to be written with the change of the step's
 * state, in one transaction or one statement. Nothing here looks at a clock or a network.
 */

/** The wallet holds the payer's whole price. */
export function holdWallet(payment: Payment, now: Date, when?: Condition): Entry {
  return holding(payment.id, [walletHoldOf(payment)], now, when);
}

/** The network is about to be asked: the exchange, our shares and the merchant's claim are set aside, linked. */
export function holdNetwork(payment: Payment, now: Date, when?: Condition): Entry {
  return holding(payment.id, exchangeOf(payment), now, when);
}

/** Both at once. */
export function holdBoth(payment: Payment, now: Date, when?: Condition): Entry {
  return holding(payment.id, [walletHoldOf(payment), ...exchangeOf(payment)], now, when);
}

/** The merchant was paid. */
export function postNetwork(payment: Payment, now: Date, when?: Condition): Entry {
  return resolving(payment.id, NETWORK_LEGS, 'POSTED', now, when);
}

/** The network definitely did not pay the merchant. */
export function voidNetwork(payment: Payment, now: Date, when?: Condition): Entry {
  return resolving(payment.id, NETWORK_LEGS, 'VOIDED', now, when);
}

/** The wallet gave its hold free. */
export function voidWallet(payment: Payment, now: Date, when?: Condition): Entry {
  return resolving(payment.id, WALLET_LEG, 'VOIDED', now, when);
}

/** The wallet's money is ours; what the provider kept of it is an expense. */
export function postWallet(payment: Payment, processorFeeMinor: bigint | null, now: Date, when?: Condition): Entry {
  const { id, sell, walletProvider } = payment;
  const kept = processorFeeMinor
    ? {
        leg: 'processor-fee',
        debit: accounts.processorFee(walletProvider, sell.currency, id),
        credit: accounts.walletClearing(walletProvider, sell.currency, id),
        amount: Money.of(processorFeeMinor, sell.currency),
      }
    : null;
  return resolving(id, WALLET_LEG, 'POSTED', now, when, kept);
}

/** A refund was taken from the merchant: the exchange and our shares go back at the payment's own rate. */
export function postRefundTaken(payment: Payment, refund: Refund, now: Date, when?: Condition): Entry {
  return posting(payment.id, refund.id, exchangeOf({ ...amountsOf(refund), payment }).map(mirrored), now, when);
}

/** A refund reached the payer's wallet. */
export function postRefundGiven(payment: Payment, refund: Refund, now: Date, when?: Condition): Entry {
  const { debit, credit } = walletHoldOf(payment);
  const back: Movement = { leg: 'wallet', debit: credit, credit: debit, amount: refund.sell };
  return posting(payment.id, refund.id, [back], now, when);
}

function walletHoldOf({ id, sell, walletProvider }: Payment): Movement {
  const debit = accounts.walletClearing(walletProvider, sell.currency, id);
  return { leg: 'wallet', debit, credit: accounts.control(id, sell.currency), amount: sell };
}

interface Amounts {
  readonly buy: Money;
  readonly sell: Money;
  readonly spreadMinor: bigint;
  readonly feeMinor: bigint;
}

function amountsOf({ buy, sell, spreadMinor, feeMinor }: Refund): Amounts {
  return { buy, sell, spreadMinor, feeMinor };
}

function exchangeOf(source: Payment | (Amounts & { payment: Payment })): Movement[] {
  const payment = 'payment' in source ? source.payment : source;
  const { id, merchantId } = payment;
  const { buy, sell } = source;
  const spread = Money.of(source.spreadMinor, sell.currency);
  const fee = Money.of(source.feeMinor, sell.currency);
  const from = accounts.control(id, sell.currency);
  const position = accounts.fxPosition(buy.currency, id);
  return [
    {
      leg: 'exchange',
      debit: from,
      credit: accounts.fxPosition(sell.currency, id),
      amount: sell.minus(spread).minus(fee),
    },
    { leg: 'spread', debit: from, credit: accounts.spreadRevenue(sell.currency, id), amount: spread },
    { leg: 'fee', debit: from, credit: accounts.feeRevenue(sell.currency, id), amount: fee },
    { leg: 'merchant', debit: position, credit: accounts.merchantPayable(merchantId, buy.currency, id), amount: buy },
  ];
}

function mirrored(movement: Movement): Movement {
  return { ...movement, debit: movement.credit, credit: movement.debit };
}

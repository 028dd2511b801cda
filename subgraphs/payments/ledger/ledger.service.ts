import type { EntityManager } from '@mikro-orm/postgresql';
import { Money } from '../../kernel/money/money.js';
import type { Payment } from '../payment/payment.entity.js';
import type { Refund } from '../refund/refund.entity.js';
import * as accounts from './account.entity.js';
import { hold, type Movement, post, postHolds, voidHolds } from './ledger.repository.js';

const WALLET_LEG = ['wallet'] as const;
const NETWORK_LEGS = ['exchange', 'spread', 'fee', 'merchant'] as const;

/**
 * What each step of a payment and of a refund means in the books. All of it happens inside the transaction that
 * changes the step's state; nothing here looks at a clock or a network.
 */

/** The wallet holds the payer's whole price. */
export async function holdWallet(em: EntityManager, payment: Payment, now: Date): Promise<void> {
  const { id, sell, walletProvider } = payment;
  const clearing = accounts.walletClearing(walletProvider, sell.currency, id);
  await hold(
    em,
    id,
    [{ leg: 'wallet', debit: clearing, credit: accounts.control(id, sell.currency), amount: sell }],
    now,
  );
}

/** The network is about to be asked: the exchange, our shares and the merchant's claim are set aside, linked. */
export async function holdNetwork(em: EntityManager, payment: Payment, now: Date): Promise<void> {
  await hold(em, payment.id, exchangeOf(payment), now);
}

/** The merchant was paid. */
export async function postNetwork(em: EntityManager, payment: Payment, now: Date): Promise<void> {
  await postHolds(em, payment.id, NETWORK_LEGS, now);
}

/** The network definitely did not pay the merchant. */
export async function voidNetwork(em: EntityManager, payment: Payment, now: Date): Promise<void> {
  await voidHolds(em, payment.id, NETWORK_LEGS, now);
}

/** The wallet gave its hold free. */
export async function voidWallet(em: EntityManager, payment: Payment, now: Date): Promise<void> {
  await voidHolds(em, payment.id, WALLET_LEG, now);
}

/** The wallet's money is ours; what the provider kept of it is an expense. */
export async function postWallet(
  em: EntityManager,
  payment: Payment,
  processorFeeMinor: bigint | null,
  now: Date,
): Promise<void> {
  const { id, sell, walletProvider } = payment;
  await postHolds(em, id, WALLET_LEG, now);
  if (!processorFeeMinor) return;
  const kept: Movement = {
    leg: 'processor-fee',
    debit: accounts.processorFee(walletProvider, sell.currency, id),
    credit: accounts.walletClearing(walletProvider, sell.currency, id),
    amount: Money.of(processorFeeMinor, sell.currency),
  };
  await post(em, id, null, [kept], now);
}

/** A refund was taken from the merchant: the exchange and our shares go back at the payment's own rate. */
export async function postRefundTaken(em: EntityManager, payment: Payment, refund: Refund, now: Date): Promise<void> {
  await post(em, payment.id, refund.id, exchangeOf({ ...amountsOf(refund), payment }).map(mirrored), now);
}

/** A refund reached the payer's wallet. */
export async function postRefundGiven(em: EntityManager, payment: Payment, refund: Refund, now: Date): Promise<void> {
  const { id, walletProvider } = payment;
  const currency = payment.sellCurrency;
  const back: Movement = {
    leg: 'wallet',
    debit: accounts.control(id, currency),
    credit: accounts.walletClearing(walletProvider, currency, id),
    amount: refund.sell,
  };
  await post(em, id, refund.id, [back], now);
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

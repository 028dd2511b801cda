import { randomUUID } from 'node:crypto';
import type { Scenario } from '../../local/seed.stores.js';
import type { PaymentId, RefundId } from '../../subgraphs/kernel/id.js';
import type { FaultProxy } from './fault.proxy.js';

/** What a payer wants, by keys that stay: whoever gets no answer asks again with them, and means the same purchase. */
export interface Purchase {
  readonly scenario: Scenario;
  readonly startKey: string;
  readonly confirmKey: string;
  /** How it must end, wherever the process dies. */
  readonly ends: 'COMPLETED' | 'DECLINED' | 'FAILED' | 'IN_REVIEW';
  checkoutId: string | null;
  paymentId: PaymentId | null;
}

/** What a merchant wants to give back of a purchase that is completed. */
export interface WantedRefund {
  readonly of: Purchase & { readonly paymentId: PaymentId };
  readonly yuan: string;
  readonly key: string;
  readonly ends: 'GIVEN' | 'OWED' | 'REFUSED';
  refundId: RefundId | null;
}

/** What is under way when the process dies. */
export interface Journey {
  readonly purchases: readonly (readonly [Scenario, Purchase['ends']])[];
  /** How the refund of an earlier purchase ends, where there is one. */
  readonly refund: WantedRefund['ends'] | null;
  /** What goes wrong outside meanwhile, until the lines are healed. */
  spoil(lines: { readonly paypal: FaultProxy; readonly wechatPay: FaultProxy }): void;
}

const nothing = () => undefined;

/** Together they pass every fault point; each point is tried with the first that passes it. */
export const journeys = {
  everyday: {
    purchases: [
      ['ok', 'COMPLETED'],
      ['declined', 'DECLINED'],
      ['refused', 'FAILED'],
      ['lost-reply', 'COMPLETED'],
      ['slow', 'COMPLETED'],
      ['capture-fails-once', 'COMPLETED'],
      ['duplicate-notifications', 'COMPLETED'],
    ],
    refund: 'GIVEN',
    spoil: nothing,
  },
  /** The network refuses only when it is asked again: it has to agree first to forget the request that got lost. */
  cancelled: {
    purchases: [
      ['refused', 'FAILED'],
      ['refused', 'FAILED'],
    ],
    refund: null,
    spoil: ({ wechatPay }) => wechatPay.spoil('/v3/wallet/pay', { kind: 'CUT_BEFORE' }, 2),
  },
  /** The wallet holds the money, and its answer gets lost. */
  orderLost: {
    purchases: [
      ['ok', 'COMPLETED'],
      ['ok', 'COMPLETED'],
    ],
    refund: null,
    spoil: ({ paypal }) => paypal.spoil('/authorize', { kind: 'CUT_AFTER' }, 2),
  },
  /** The merchant is paid, and the wallet does not give what it held. */
  reviewed: {
    purchases: [
      ['ok', 'IN_REVIEW'],
      ['ok', 'IN_REVIEW'],
    ],
    refund: null,
    spoil: ({ paypal }) => paypal.spoil('/capture', paypalRefuses('AUTHORIZATION_EXPIRED'), Number.POSITIVE_INFINITY),
  },
  /** The merchant gives back, and the wallet does not take it. */
  owed: {
    purchases: [['ok', 'COMPLETED']],
    refund: 'OWED',
    spoil: ({ paypal }) =>
      paypal.spoil('/refund', paypalRefuses('REFUND_TIME_LIMIT_EXCEEDED'), Number.POSITIVE_INFINITY),
  },
  /** The merchant has given everything back by itself already. */
  refunded: { purchases: [['ok', 'COMPLETED']], refund: 'REFUSED', spoil: nothing },
} as const satisfies Readonly<Record<string, Journey>>;

export type JourneyName = keyof typeof journeys;
export const journeyNames = Object.keys(journeys) as JourneyName[];

/** By their own way to ask for an error. */
function paypalRefuses(issue: string) {
  const value = JSON.stringify({ mock_application_codes: issue });
  return { kind: 'HEADER', name: 'paypal-mock-response', value } as const;
}

export function purchasesOf(name: JourneyName): Purchase[] {
  return journeys[name].purchases.map(([scenario, ends]) => ({
    scenario,
    ends,
    startKey: randomUUID(),
    confirmKey: randomUUID(),
    checkoutId: null,
    paymentId: null,
  }));
}

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { maya } from '../../local/seed.identities.js';
import { type Scenario, stores } from '../../local/seed.stores.js';
import { type Answer, Refused, type RunningGraph } from './graph.js';

export interface MoneyAnswer {
  readonly amount: string;
  readonly currencyCode: string;
}

export interface CheckoutAnswer {
  readonly id: string;
  readonly status: string;
  readonly expiresAt: string;
  readonly amount: MoneyAnswer;
  readonly total: MoneyAnswer & { readonly formatted: string };
  readonly merchant: { readonly id: string; readonly name: string };
  readonly quote: Readonly<Record<'id' | 'midRate' | 'customerRate' | 'source' | 'asOf' | 'expiresAt', string>> &
    Readonly<Record<'sell' | 'buy' | 'spread' | 'fee', MoneyAnswer>>;
}

/** As `payment.graphql` asks for it. */
export interface PaymentAnswer {
  readonly id: string;
  readonly status: string;
  readonly isFinal: boolean;
  readonly declineReason: string | null;
  readonly createdAt: string;
  readonly completedAt: string | null;
  readonly network: string;
  readonly amount: MoneyAnswer;
  readonly total: MoneyAnswer;
  readonly refundedAmount: MoneyAnswer;
  readonly merchant: { readonly id: string; readonly name: string };
  readonly quote: { readonly customerRate: string };
  readonly wallet: { readonly id: string; readonly label: string } | null;
  readonly events: readonly { readonly sequence: number; readonly type: string; readonly status: string }[];
  readonly refunds: {
    readonly nodes: readonly {
      readonly id: string;
      readonly status: string;
      readonly amount: { readonly amount: string };
    }[];
  };
}

export interface RefundAnswer {
  readonly id: string;
  readonly status: string;
  readonly amount: MoneyAnswer;
  readonly total: MoneyAnswer;
  readonly payment: { readonly id: string; readonly refundedAmount: { readonly amount: string } };
}

export function yuan(amount: string): MoneyAnswer {
  return { amount, currencyCode: 'CNY' };
}

export function storeOf(scenario: Scenario) {
  const store = stores.find((candidate) => candidate.scenario === scenario);
  if (!store) throw new Error(`no store plays ${scenario}`);
  return store;
}

/** Maya scans a store's code. */
export async function checkout(graph: RunningGraph, scenario: Scenario, amount = '88.00'): Promise<CheckoutAnswer> {
  return checkoutOf(graph, storeOf(scenario).payload, yuan(amount));
}

export async function checkoutOf(
  graph: RunningGraph,
  code: string,
  amount: MoneyAnswer | null,
): Promise<CheckoutAnswer> {
  const input = { code, amount, walletId: maya.walletId, idempotencyKey: randomUUID() };
  const data = await graph.run<{ startCheckout: { checkout: CheckoutAnswer } }>('traveler', 'start-checkout', {
    input,
  });
  return data.startCheckout.checkout;
}

/** @returns the payment, as it was then */
export async function confirm(graph: RunningGraph, checkoutId: string, idempotencyKey: string = randomUUID()) {
  const input = { checkoutId, idempotencyKey };
  const data = await graph.run<{ confirmCheckout: { payment: PaymentAnswer } }>('traveler', 'confirm-checkout', {
    input,
  });
  return data.confirmCheckout.payment;
}

/** Scans and confirms. @returns the id of the payment, at work */
export async function pay(graph: RunningGraph, scenario: Scenario, amount?: string): Promise<string> {
  return (await confirm(graph, (await checkout(graph, scenario, amount)).id)).id;
}

export async function paymentOf(graph: RunningGraph, id: string): Promise<PaymentAnswer> {
  return (await graph.run<{ payment: PaymentAnswer }>('traveler', 'payment', { id })).payment;
}

const PROGRESS = 'query Progress($id: ID!) { payment(id: $id) { isFinal refunds { nodes { status } } } }';

/** The payment once it is final and none of its refunds is under way. */
export async function settled(graph: RunningGraph, id: string, withinMs = 20_000): Promise<PaymentAnswer> {
  await eventually(withinMs, `${id} to settle`, async () => {
    const { data, errors } = await graph.ask<{ payment: Pick<PaymentAnswer, 'isFinal' | 'refunds'> }>(
      'traveler',
      PROGRESS,
      { id },
    );
    if (!data || errors) throw new Refused(PROGRESS, errors ?? []);
    const { isFinal, refunds } = data.payment;
    return isFinal && refunds.nodes.every(({ status }) => status !== 'PROCESSING') ? true : null;
  });
  return paymentOf(graph, id);
}

/** Asks as a client should: again, with the same idempotency key, while it is told that this may help. */
export async function persistently<Answered>(ask: () => Promise<Answered>, withinMs = 60_000): Promise<Answered> {
  for (const deadline = Date.now() + withinMs; ; ) {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof Refused) || !thrown.transient || Date.now() > deadline) throw thrown;
      await delay(MOST_PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

export async function refund(
  graph: RunningGraph,
  paymentId: string,
  amount: string | null,
  idempotencyKey: string = randomUUID(),
): Promise<RefundAnswer> {
  const input = { paymentId, amount: amount === null ? null : yuan(amount), reason: 'Returned', idempotencyKey };
  return (await graph.run<{ refundPayment: { refund: RefundAnswer } }>('merchant', 'refund', { input })).refundPayment
    .refund;
}

const MOST_PAUSE_MS = 500;

/** Looks again until there is something. @throws Error that says what did not come */
export async function eventually<Found>(
  withinMs: number,
  what: string,
  look: () => Promise<Found | null>,
): Promise<Found> {
  // Ever more rarely: many who look at once would take the time of what they wait for.
  for (let [pauseMs, deadline] = [50, Date.now() + withinMs]; ; pauseMs = Math.min(pauseMs * 1.5, MOST_PAUSE_MS)) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await delay(pauseMs);
  }
}

/** The codes of an answer's errors, in their order. */
export function codesIn(answer: Answer<unknown>): unknown[] {
  return (answer.errors ?? []).map(({ extensions }) => extensions?.code);
}

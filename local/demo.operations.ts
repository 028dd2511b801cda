import { z } from 'zod';
import type { Operation } from './demo.client.js';

const money = z.object({ amount: z.string(), currencyCode: z.string() });

function operation<Shape extends z.ZodRawShape>(query: string, shape: Shape): Operation<z.infer<z.ZodObject<Shape>>> {
  return { query, answer: z.object(shape) };
}

export const viewer = operation('query Viewer { viewer { traveler { wallets { id label } } } }', {
  viewer: z.object({ traveler: z.object({ wallets: z.array(z.object({ id: z.string(), label: z.string() })) }) }),
});

export const resolveCode = operation(
  'query ResolveCode($payload: String!) { resolveCode(payload: $payload) { network kind merchant { name localName city } } }',
  {
    resolveCode: z.object({
      network: z.string(),
      kind: z.string(),
      merchant: z.object({ name: z.string(), localName: z.string(), city: z.string() }),
    }),
  },
);

export const startCheckout = operation(
  `mutation StartCheckout($input: StartCheckoutInput!) {
    startCheckout(input: $input) {
      checkout {
        id expiresAt total { formatted }
        quote {
          midRate customerRate source asOf
          buy { amount currencyCode } spread { amount currencyCode } fee { amount currencyCode }
        }
      }
    }
  }`,
  {
    startCheckout: z.object({
      checkout: z.object({
        id: z.string(),
        expiresAt: z.string(),
        total: z.object({ formatted: z.string() }),
        quote: z.object({
          midRate: z.string(),
          customerRate: z.string(),
          source: z.string(),
          asOf: z.string(),
          buy: money,
          spread: money,
          fee: money,
        }),
      }),
    }),
  },
);

export const confirmCheckout = operation(
  'mutation Confirm($input: ConfirmCheckoutInput!) { confirmCheckout(input: $input) { payment { id status } } }',
  { confirmCheckout: z.object({ payment: z.object({ id: z.string(), status: z.string() }) }) },
);

export const paymentEvents = operation(
  'subscription PaymentEvents($paymentId: ID!) { paymentEvents(paymentId: $paymentId) { type status terminal } }',
  { paymentEvents: z.object({ type: z.string(), status: z.string(), terminal: z.boolean() }) },
);

export const refundPayment = operation(
  `mutation Refund($input: RefundPaymentInput!) {
    refundPayment(input: $input) { refund { id total { amount currencyCode } } }
  }`,
  { refundPayment: z.object({ refund: z.object({ id: z.string(), total: money }) }) },
);

export const travelerHistory = operation(
  `query TravelerHistory($first: Int!) {
    viewer { traveler { payments(first: $first) {
      nodes { id status total { amount currencyCode } refundedAmount { amount currencyCode } }
    } } }
  }`,
  {
    viewer: z.object({
      traveler: z.object({
        payments: z.object({
          nodes: z.array(z.object({ id: z.string(), status: z.string(), total: money, refundedAmount: money })),
        }),
      }),
    }),
  },
);

export const merchantHistory = operation(
  `query MerchantHistory($merchantId: ID!, $first: Int!) {
    merchant(id: $merchantId) { payments(first: $first) { nodes { id status amount { amount currencyCode } } } }
  }`,
  {
    merchant: z.object({
      payments: z.object({ nodes: z.array(z.object({ id: z.string(), status: z.string(), amount: money })) }),
    }),
  },
);

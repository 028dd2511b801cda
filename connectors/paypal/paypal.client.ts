import type { z } from 'zod';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { type Authorization, answers, type Capture, type Order, type PaypalRefund } from './paypal.answer.js';
import type { PaypalConfiguration } from './paypal.configuration.js';
import { PaypalConnection } from './paypal.connection.js';
import { PaypalRefusal } from './paypal.errors.js';
import { toWire } from './paypal.money.js';

export type { Authorization, Capture, Order, PaypalRefund } from './paypal.answer.js';

export interface CreateOrder {
  readonly requestId: string;
  /** Comes back in PayPal's reports and notifications (custom_id). */
  readonly paymentId: string;
  /** PayPal takes each but once. */
  readonly invoiceId: string;
  readonly referenceId: string;
  readonly amount: Money;
  /** The payer's wallet, as PayPal's vault knows it. */
  readonly vaultId: string;
  readonly description: string;
}

export interface CaptureAuthorization {
  readonly requestId: string;
  readonly authorizationId: string;
  readonly amount: Money;
  readonly invoiceId: string;
}

export interface RefundCapture {
  readonly requestId: string;
  readonly captureId: string;
  /** Always said: PayPal takes a refund without an amount for all that is left. */
  readonly amount: Money;
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly note: string;
}

/**
 * PayPal's Orders v2 and Payments v2, as far as a hold, its capture, its release and refunds need them.
 * Every method throws PaypalRefusal (a definite answer) or PaypalUnknown (no one knows), and nothing else.
 * A `requestId` is written down before the call and used again for each retry: PayPal keeps those of orders for 6 hours,
 * those of payments for 45 days. After that, read first.
 */
export class PaypalClient {
  private readonly connection: PaypalConnection;

  constructor(configuration: PaypalConfiguration) {
    this.connection = new PaypalConnection(configuration);
  }

  /**
   * An order to hold (not yet take) the amount. PayPal may authorize a vaulted wallet in the same step: look at
   * `authorization` before asking for one.
   */
  async createOrder(order: CreateOrder): Promise<Order> {
    const body = {
      intent: 'AUTHORIZE',
      purchase_units: [
        {
          reference_id: order.referenceId,
          custom_id: order.paymentId,
          invoice_id: order.invoiceId,
          description: cut(order.description, 127),
          amount: toWire(order.amount),
        },
      ],
      payment_source: {
        paypal: {
          vault_id: order.vaultId,
          experience_context: {
            // Without it a payer's bank transfer may leave us waiting for days (ECHECK).
            payment_method_preference: 'IMMEDIATE_PAYMENT_REQUIRED',
            shipping_preference: 'NO_SHIPPING',
            user_action: 'PAY_NOW',
          },
        },
      },
    };
    return this.post('/v2/checkout/orders', answers.order, order.requestId, body);
  }

  getOrder(orderId: string): Promise<Order> {
    return this.get('/v2/checkout/orders', orderId, answers.order);
  }

  authorizeOrder({ requestId, orderId }: { readonly requestId: string; readonly orderId: string }): Promise<Order> {
    return this.post(`/v2/checkout/orders/${encodeURIComponent(orderId)}/authorize`, answers.order, requestId, {});
  }

  getAuthorization(authorizationId: string): Promise<Authorization> {
    return this.get('/v2/payments/authorizations', authorizationId, answers.authorization);
  }

  /** Takes the held money; what the authorization holds beyond `amount` is released. */
  async captureAuthorization(capture: CaptureAuthorization): Promise<Capture> {
    const body = { amount: toWire(capture.amount), invoice_id: capture.invoiceId, final_capture: true };
    const path = `/v2/payments/authorizations/${encodeURIComponent(capture.authorizationId)}/capture`;
    return this.post(path, answers.capture, capture.requestId, body);
  }

  getCapture(captureId: string): Promise<Capture> {
    return this.get('/v2/payments/captures', captureId, answers.capture);
  }

  /** The capture of an order, for whoever lost the answer that named it: one that took money before one that did not. */
  async findCapture({ orderId }: { readonly orderId: string }): Promise<Capture | null> {
    const { captures } = await this.get('/v2/checkout/orders', orderId, answers.order);
    const took = captures.findLast((capture) => capture.status !== 'DECLINED' && capture.status !== 'FAILED');
    return took ?? captures.at(-1) ?? null;
  }

  /**
   * Releases the held money. PayPal has no key for it, and needs none: an authorization that is void already is a
   * success. PREVIOUSLY_CAPTURED is not, whatever its action says: the money was taken.
   */
  async voidAuthorization(authorizationId: string): Promise<void> {
    try {
      await this.connection.tell({
        method: 'POST',
        path: `/v2/payments/authorizations/${encodeURIComponent(authorizationId)}/void`,
      });
    } catch (thrown) {
      if (!(thrown instanceof PaypalRefusal && VOID_ALREADY.has(thrown.code))) throw thrown;
    }
  }

  async refundCapture(refund: RefundCapture): Promise<PaypalRefund> {
    const body = {
      amount: toWire(refund.amount),
      custom_id: refund.paymentId,
      invoice_id: refund.invoiceId,
      ...(refund.note && { note_to_payer: cut(refund.note, 255) }),
    };
    const path = `/v2/payments/captures/${encodeURIComponent(refund.captureId)}/refund`;
    return this.post(path, answers.refund, refund.requestId, body);
  }

  getRefund(refundId: string): Promise<PaypalRefund> {
    return this.get('/v2/payments/refunds', refundId, answers.refund);
  }

  /** Lets calls under way finish. */
  close(): Promise<void> {
    return this.connection.close();
  }

  private get<Result>(collection: string, id: string, schema: z.ZodType<Result>): Promise<Result> {
    return this.connection.ask({ method: 'GET', path: `${collection}/${encodeURIComponent(id)}` }, schema);
  }

  private post<Result>(path: string, schema: z.ZodType<Result>, requestId: string, body: object): Promise<Result> {
    return this.connection.ask({ method: 'POST', path, requestId, body, representation: true }, schema);
  }
}

const VOID_ALREADY: ReadonlySet<string> = new Set(['PREVIOUSLY_VOIDED', 'AUTHORIZATION_VOIDED']);

/** PayPal refuses longer texts; these are for people, who miss nothing that matters. Never splits a character. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const shortened = text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '');
  return `${shortened}…`;
}

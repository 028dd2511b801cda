import type { Authorization } from '../../../connectors/paypal/paypal.answer.js';
import type { Capture, Order, PaypalClient } from '../../../connectors/paypal/paypal.client.js';
import { PaypalRefusal, PaypalUnknown } from '../../../connectors/paypal/paypal.errors.js';
import { messageOf } from '../../kernel/error.js';
import type { Money } from '../../kernel/money/money.js';
import type { Captured, Held, Refused, Unknown, WalletClient, WalletStanding } from './wallet.client.js';

/** What PayPal's issues mean to a payer; whatever is not here is only a decline. */
const REASONS: Readonly<Record<string, string>> = {
  PAYER_ACTION_REQUIRED: 'PAYER_ACTION_REQUIRED',
  ORDER_NOT_APPROVED: 'PAYER_ACTION_REQUIRED',
  REDIRECT_PAYER_FOR_ALTERNATE_FUNDING: 'PAYER_ACTION_REQUIRED',
  PAYER_ACCOUNT_LOCKED_OR_CLOSED: 'WALLET_CLOSED',
  PAYER_ACCOUNT_RESTRICTED: 'WALLET_RESTRICTED',
  TRANSACTION_LIMIT_EXCEEDED: 'WALLET_LIMIT_EXCEEDED',
  COMPLIANCE_VIOLATION: 'WALLET_RESTRICTED',
  CAPTURE_FULLY_REFUNDED: 'WALLET_ALREADY_REFUNDED',
};

/** What PayPal says when there is nothing left to capture, and never will be. */
const NOT_HELD: ReadonlySet<string> = new Set(['AUTHORIZATION_EXPIRED', 'AUTHORIZATION_VOIDED']);

/** PayPal as a provider of wallets: Orders v2 with intent AUTHORIZE. */
export class PaypalWalletClient implements WalletClient {
  constructor(private readonly paypal: PaypalClient) {}

  async authorize(request: Parameters<WalletClient['authorize']>[0]): Promise<Held | Refused | Unknown> {
    let { orderId } = request;
    const answer = await threeWays(async () => {
      const order = orderId ? await this.read(orderId) : await this.createOrder(request);
      orderId = order.id;
      // With a vaulted wallet PayPal may authorize while it creates.
      return heldOf(order.authorization ? order : await this.authorizeOrder(order.id, request.requestId));
    }, request.mayBeUnderWay);
    return answer.outcome === 'UNKNOWN' && orderId ? { ...answer, orderId } : answer;
  }

  async inquire(orderId: string): Promise<WalletStanding | Unknown> {
    try {
      return standingOf(await this.paypal.getOrder(orderId));
    } catch (thrown) {
      return { outcome: 'UNKNOWN', cause: messageOf(thrown) };
    }
  }

  async capture(request: Parameters<WalletClient['capture']>[0]): Promise<Captured | Refused | Unknown> {
    const { paymentId, requestId, orderId, authorizationId, amount } = request;
    const answer = await threeWays(async () => {
      const capture = await this.paypal
        .captureAuthorization({ requestId: `${requestId}-capture`, authorizationId, amount, invoiceId: paymentId })
        .catch(adopt(() => asked(() => this.paypal.findCapture({ orderId }))));
      return capturedOf(capture);
    }, request.mayBeUnderWay);
    if (answer.outcome !== 'NO') return answer;
    return { ...answer, reason: NOT_HELD.has(answer.code) ? 'AUTHORIZATION_EXPIRED' : 'CAPTURE_REFUSED' };
  }

  void(request: Parameters<WalletClient['void']>[0]): Promise<{ outcome: 'YES' } | Refused | Unknown> {
    return threeWays(async () => {
      try {
        await this.paypal.voidAuthorization(request.authorizationId);
        return { outcome: 'YES' };
      } catch (thrown) {
        if (!(thrown instanceof PaypalRefusal) || thrown.action !== 'ALREADY_DONE') throw thrown;
        // Voided already is a yes by then; what is left is captured.
        return { outcome: 'NO', reason: 'VOID_REFUSED', code: thrown.code };
      }
    }, request.mayBeUnderWay);
  }

  refund(
    request: Parameters<WalletClient['refund']>[0],
  ): Promise<{ outcome: 'YES'; walletRefundId: string; amount: Money } | Refused | Unknown> {
    const { paymentId, refundId, captureId, amount } = request;
    const order = { requestId: refundId, captureId, amount, paymentId, invoiceId: refundId, note: 'Refund' };
    return threeWays(async () => {
      const refund = await this.paypal.refundCapture(order).catch(asDefinite);
      if (refund.status === 'COMPLETED') return { outcome: 'YES', walletRefundId: refund.id, amount: refund.amount };
      if (refund.status === 'PENDING') return { outcome: 'UNKNOWN', cause: 'the refund is pending' };
      return { outcome: 'NO', reason: 'WALLET_REFUSED_REFUND', code: refund.reason ?? refund.status };
    }, request.mayBeUnderWay);
  }

  private read(orderId: string): Promise<Order> {
    return asked(() => this.paypal.getOrder(orderId));
  }

  private createOrder(request: Parameters<WalletClient['authorize']>[0]): Promise<Order> {
    const { paymentId, requestId, merchantId, merchantName, vaultReference, amount } = request;
    return this.paypal.createOrder({
      requestId: `${requestId}-order`,
      paymentId,
      invoiceId: paymentId,
      referenceId: merchantId,
      amount,
      vaultId: vaultReference,
      description: merchantName,
    });
  }

  /** A refusal is believed only when the order shows no hold: an earlier, unanswered attempt may have made one. */
  private async authorizeOrder(orderId: string, requestId: string): Promise<Order> {
    try {
      return await this.paypal.authorizeOrder({ requestId: `${requestId}-authorize`, orderId });
    } catch (thrown) {
      if (!(thrown instanceof PaypalRefusal) || thrown.action === 'RETRY') throw thrown;
      const order = await this.read(orderId);
      if (order.authorization || thrown.action === 'ALREADY_DONE') return order;
      throw thrown;
    }
  }
}

const HOLDS = {
  CREATED: 'HELD',
  CAPTURED: 'CAPTURED',
  PARTIALLY_CAPTURED: 'CAPTURED',
  DENIED: 'REFUSED',
  VOIDED: 'RELEASED',
  PENDING: 'PENDING',
} as const satisfies Record<Authorization['status'], WalletStanding['hold']>;

function standingOf({ authorization, captures }: Order): WalletStanding {
  return {
    outcome: 'YES',
    hold: authorization ? HOLDS[authorization.status] : 'NONE',
    authorizationId: authorization?.id ?? null,
    captureId: captures.at(-1)?.id ?? null,
    amount: authorization?.amount ?? null,
  };
}

function heldOf(order: Order): Held | Refused | Unknown {
  const { authorization } = order;
  if (!authorization || authorization.status === 'PENDING')
    return { outcome: 'UNKNOWN', cause: `the order is ${order.status}, without a decided authorization` };
  const { id, amount, expiresAt, reason, status } = authorization;
  // A replay shows the order as it is now: by then somebody else of ours may have captured what was held.
  if (status === 'CREATED' || status === 'CAPTURED')
    return { outcome: 'YES', orderId: order.id, authorizationId: id, amount, expiresAt };
  return { outcome: 'NO', reason: 'WALLET_DECLINED', code: reason ?? status };
}

function capturedOf(capture: Capture | null): Captured | Refused | Unknown {
  if (!capture || capture.status === 'PENDING') return { outcome: 'UNKNOWN', cause: 'the capture is pending' };
  if (capture.status === 'DECLINED' || capture.status === 'FAILED')
    return { outcome: 'NO', reason: 'CAPTURE_REFUSED', code: capture.reason ?? capture.status };
  return { outcome: 'YES', captureId: capture.id, amount: capture.amount, processorFee: capture.fee };
}

/** Where PayPal says that it was done already, what it did is read instead. */
function adopt<T>(read: () => Promise<T>): (thrown: unknown) => Promise<T> {
  return (thrown) => {
    if (thrown instanceof PaypalRefusal && thrown.action === 'ALREADY_DONE') return read();
    throw thrown;
  };
}

/** For questions: whatever they refuse to tell, they have not said no to the payment itself (M10). */
async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (thrown) {
    throw thrown instanceof PaypalRefusal ? new PaypalUnknown(thrown, thrown.debugId) : thrown;
  }
}

/** All was given back, they say, but not by this refund, whose key would show it: so this one never will be. */
function asDefinite(thrown: unknown): never {
  const { code, debugId } = thrown instanceof PaypalRefusal ? thrown : { code: '', debugId: undefined };
  throw code === 'CAPTURE_FULLY_REFUNDED' ? new PaypalRefusal(code, 'FINAL', debugId) : thrown;
}

/** @param mayBeUnderWay whether an earlier request may still be done: then no refusal is believed */
async function threeWays<T>(call: () => Promise<T>, mayBeUnderWay: boolean): Promise<T | Refused | Unknown> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof PaypalRefusal && (thrown.action === 'FINAL' || thrown.action === 'PAYER_MUST_ACT')) {
      if (mayBeUnderWay) return { outcome: 'UNKNOWN', cause: `${thrown.message}, a repetition`, refused: true };
      return { outcome: 'NO', reason: REASONS[thrown.code] ?? 'WALLET_DECLINED', code: thrown.code };
    }
    // A request of ours that they call wrong did nothing, but may have done something before: look again, then a person.
    return { outcome: 'UNKNOWN', cause: messageOf(thrown) };
  }
}

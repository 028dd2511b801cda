import { PaypalNotificationRefused } from '../../connectors/paypal/paypal.errors.js';
import { WechatPayNotificationRefused } from '../../connectors/wechat-pay/wechat-pay.notification.js';
import { messageOf } from '../kernel/error.js';
import type { Route, RouteAnswer } from '../kernel/graphql/subgraph.js';
import type { Logger } from '../kernel/telemetry.js';
import type { NotificationService } from './notification/notification.service.js';
import { type Outside, PAYPAL_PATH, WECHAT_PAY_PATH } from './outside.js';

type RouteRequest = Parameters<Route['answer']>[0];

const REFUSED: RouteAnswer = {
  status: 401,
  headers: { 'content-type': 'application/json' },
  body: '{"code":"FAIL","message":"refused"}',
};

/** Where the outside systems tell us that something happened. Verified first, stored, answered; acted upon afterwards. */
export function notificationRoutes(outside: Outside, notifications: NotificationService, logger: Logger): Route[] {
  const paypal = async ({ headers, body }: RouteRequest): Promise<RouteAnswer> => {
    const { id, eventType, resource } = await outside.paypalNotifications.verify(headers, body);
    const subjectId = subjectOf(resource.invoiceId) ?? subjectOf(resource.customId);
    await notifications.take({ source: 'PAYPAL', id, eventType, subjectId, saysPaid: false });
    return { status: 200 };
  };
  const wechatPay = async ({ headers, body }: RouteRequest): Promise<RouteAnswer> => {
    const { id, eventType, status, paymentRequestId, outRefundNo } = await outside.wechatPayNotifications.verify(
      headers,
      body,
    );
    const subjectId = subjectOf(paymentRequestId) ?? subjectOf(outRefundNo);
    const saysPaid = eventType === 'PAYMENT.RESULT' && status === 'SUCCESS';
    await notifications.take({ source: 'WECHAT_PAY', id, eventType, subjectId, saysPaid });
    return { status: 204 };
  };
  const refusing = (answer: Route['answer']): Route['answer'] => {
    return async (request) => {
      try {
        return await answer(request);
      } catch (thrown) {
        const undecided = isUndecided(thrown);
        if (undecided === null) throw thrown;
        logger.warn({ cause: messageOf(thrown) }, 'a notification was refused');
        return undecided ? { ...REFUSED, status: 503 } : REFUSED;
      }
    };
  };
  return [
    { method: 'POST', path: PAYPAL_PATH, answer: refusing(paypal) },
    { method: 'POST', path: WECHAT_PAY_PATH, answer: refusing(wechatPay) },
  ];
}

/** Whether the sender's key could not be had just now, so that it should send again; null for other failures. */
function isUndecided(thrown: unknown): boolean | null {
  if (thrown instanceof PaypalNotificationRefused) return thrown.transient;
  if (thrown instanceof WechatPayNotificationRefused) return thrown.reason === 'KEYS_UNAVAILABLE';
  return null;
}

/** Our own id of a payment or refund, which they carry for us; anything else is not one of ours. */
function subjectOf(id: string | undefined): string | null {
  return id && /^(pay|ref)_[a-z]{2}_[0-9a-z]{26}$/.test(id) ? id : null;
}

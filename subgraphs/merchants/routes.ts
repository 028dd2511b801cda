import { WechatPayNotificationRefused } from '../../connectors/wechat-pay/wechat-pay.notification.js';
import { messageOf } from '../kernel/error.js';
import type { Route, RouteAnswer } from '../kernel/graphql/subgraph.js';
import type { Logger } from '../kernel/telemetry.js';
import { NetworkUnavailable } from './code/code.errors.js';
import type { CodeService } from './code/code.service.js';
import { ORDERS_PATH, type Outside } from './outside.js';

/**
 * Where the network tells us of an order's end. Once verified it only says where to look: the network is asked, and told
 * to come again where it cannot be.
 */
export function notificationRoutes({ notifications }: Outside, codes: CodeService, logger: Logger): Route[] {
  const answer: Route['answer'] = async ({ headers, body }): Promise<RouteAnswer> => {
    try {
      const { outTradeNo } = await notifications.verify(headers, body);
      if (outTradeNo !== undefined) await codes.followOrder(outTradeNo);
      return { status: 204 };
    } catch (thrown) {
      const status = statusFor(thrown);
      if (status === null) throw thrown;
      logger.warn({ cause: messageOf(thrown) }, 'a notification was not taken');
      return { status, headers: { 'content-type': 'application/json' }, body: '{"code":"FAIL","message":"refused"}' };
    }
  };
  return [{ method: 'POST', path: ORDERS_PATH, answer }];
}

/** 503 where it cannot be judged or looked after just now; null for other failures. */
function statusFor(thrown: unknown): number | null {
  if (thrown instanceof NetworkUnavailable) return 503;
  if (!(thrown instanceof WechatPayNotificationRefused)) return null;
  return thrown.reason === 'KEYS_UNAVAILABLE' ? 503 : 401;
}

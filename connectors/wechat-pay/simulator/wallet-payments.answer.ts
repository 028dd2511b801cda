import { toBeijing } from '../wechat-pay.time.js';
import type { Payment } from './books.js';
import type { ResolvedCode } from './codes.js';
import { playOf } from './scenarios.js';

/** What a payment says of itself, when it is asked for, and in its notification. */
export function paymentAnswer(payment: Payment): Record<string, unknown> {
  return {
    payment_request_id: payment.requestId,
    payment_status: payment.status,
    amount: { total: payment.totalFen, currency: playOf(payment.scenario).differs === 'CURRENCY' ? 'USD' : 'CNY' },
    ...(payment.paymentId !== null && { payment_id: payment.paymentId, sub_mchid: payment.merchantId }),
    ...(payment.transactionId !== null && { transaction_id: payment.transactionId }),
    ...(payment.resultCode !== null && { result_code: payment.resultCode }),
    ...(payment.paidAt !== null && { payment_time: toBeijing(new Date(payment.paidAt)) }),
  };
}

/** What a code says before it is paid. */
export function scanAnswer(code: ResolvedCode): Record<string, unknown> {
  const { store, order } = code;
  const fen = order === null ? code.fixedFen : order.totalFen;
  const reference = order === null ? code.reference : order.attach || null;
  return {
    code_type: order === null ? 'STORE_CODE' : 'ORDER_CODE',
    merchant: {
      sub_mchid: store.merchantId,
      name: store.name,
      local_name: store.localName,
      category_code: store.categoryCode,
      city: store.city,
      country_code: 'CN',
    },
    ...(fen !== null && { amount: { total: fen, currency: 'CNY' } }),
    ...(reference !== null && { reference }),
    ...(order !== null && { expire_time: toBeijing(new Date(order.expiresAt)), out_trade_no: order.outTradeNo }),
  };
}

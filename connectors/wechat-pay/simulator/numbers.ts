import { randomInt } from 'node:crypto';
import { newNonce } from '../wechat-pay.signature.js';

/** Numbers as the network mints them: 28 digits, a prefix for the kind, the day, then luck. */
export const newTransactionId = (now: Date) => numbered('4200000', now);
export const newRefundId = (now: Date) => numbered('5030000', now);
export const newPaymentId = (now: Date) => numbered('9800000', now);

/** For a payment of a store code, where no merchant chose a number. */
export const newOutTradeNo = (now: Date) => numbered('1000000', now);

export const newCodeUrl = () => `weixin://wxpay/bizpayurl/up?pr=${newNonce().slice(0, 9)}&groupid=00`;

export const newNoticeId = () => `EV-${newNonce()}`;

function numbered(prefix: string, now: Date): string {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  return `${prefix}${day}${String(randomInt(281_474_976_710_655)).slice(-13).padStart(13, '0')}`;
}

import type { Transaction, WechatPayClient } from '../../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayRefusal, WechatPayUnknown } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import type { ScannedCode, WechatPayWalletClient } from '../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { CodeExpired, CodeRefused, NetworkUnavailable } from './code.errors.js';
import type { OrderState } from './code.states.js';
import type { NetworkClient, NetworkCode, NetworkOrder } from './network.client.js';
import { WECHAT_PAY } from './network.js';

/** Their codes for an order that was there and can no longer be paid. */
const OVER: Readonly<Record<string, 'PAID' | 'CLOSED' | 'EXPIRED'>> = {
  CODE_EXPIRED: 'EXPIRED',
  ORDER_CLOSED: 'CLOSED',
  ORDERPAID: 'PAID',
  ORDER_ALREADY_PAID: 'PAID',
};

const STATES: Readonly<Record<Transaction['state'], OrderState>> = {
  NOTPAY: 'OPEN',
  USERPAYING: 'OPEN',
  // The payer may try again.
  PAYERROR: 'OPEN',
  SUCCESS: 'PAID',
  // Paid, and given back since.
  REFUND: 'PAID',
  CLOSED: 'CLOSED',
  REVOKED: 'CLOSED',
};

/** Who scanned does not matter to what a code says, so nobody is named: no pseudonym of a traveler goes abroad for it. */
const NOBODY = 'sojourn';

/** WeChat Pay as merchants need it: orders by its merchant side, scanned codes by its wallet side. */
export class WechatPayNetwork implements NetworkClient {
  constructor(
    private readonly merchantSide: WechatPayClient,
    private readonly walletSide: WechatPayWalletClient,
    /** Where it reports the end of an order. */
    private readonly notifyUrl: string,
  ) {}

  async register(order: NetworkOrder): Promise<string> {
    const { codeId, networkMerchantId, ...rest } = order;
    const call = { ...rest, merchantId: networkMerchantId, notifyUrl: this.notifyUrl, attach: codeId };
    try {
      return (await this.merchantSide.createNativeOrder(call)).codeUrl;
    } catch (thrown) {
      if (!(thrown instanceof WechatPayRefusal)) throw undecided(thrown);
      // Over already, or not to be had.
      if (OVER[thrown.code] || thrown.action === 'FINAL') throw new CodeRefused(WECHAT_PAY.network);
      throw undecided(thrown);
    }
  }

  async close(outTradeNo: string, networkMerchantId: string): Promise<boolean> {
    try {
      await this.merchantSide.closeOrder(outTradeNo, networkMerchantId);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof WechatPayRefusal)) throw undecided(thrown);
      if (OVER[thrown.code]) return OVER[thrown.code] !== 'PAID';
      // There is nothing to close: nobody will ever pay it.
      if (thrown.code === 'ORDER_NOT_EXIST') return true;
      throw undecided(thrown);
    }
  }

  async inquire(outTradeNo: string, networkMerchantId: string): Promise<OrderState> {
    try {
      const order = await this.merchantSide.queryOrder(outTradeNo, networkMerchantId);
      // What it does not know it lets nobody pay.
      return order ? STATES[order.state] : 'CLOSED';
    } catch (thrown) {
      throw undecided(thrown);
    }
  }

  async identify(payload: string): Promise<NetworkCode | null> {
    try {
      return codeOf(await this.walletSide.userInitiatedPay({ codeValue: payload, customerId: NOBODY }));
    } catch (thrown) {
      if (!(thrown instanceof WechatPayRefusal)) throw undecided(thrown);
      const over = OVER[thrown.code];
      if (over) throw new CodeExpired(over);
      if (thrown.action === 'FINAL') return null;
      throw undecided(thrown);
    }
  }
}

function codeOf(scanned: ScannedCode): NetworkCode {
  const { merchantId: networkMerchantId, ...merchant } = scanned.merchant;
  const { amount, reference, expiresAt } = scanned;
  // The amount of an order is the network's to say: an answer without one is no answer.
  if (amount === null ? scanned.codeType === 'ORDER_CODE' : !amount.isPositive())
    throw new NetworkUnavailable(WECHAT_PAY.network, 'an order without an amount');
  // A store's code may carry an amount too; then the payer has nothing to type either.
  return { kind: amount ? 'DYNAMIC' : 'STATIC', networkMerchantId, merchant, amount, reference, expiresAt };
}

/** No answer, or one that asks to try again or to wait for someone. What we got wrong ourselves stays an error of ours. */
function undecided(thrown: unknown): unknown {
  if (thrown instanceof WechatPayUnknown) return new NetworkUnavailable(WECHAT_PAY.network, thrown);
  if (!(thrown instanceof WechatPayRefusal)) return thrown;
  const mayPass = thrown.action === 'RETRY' || thrown.action === 'PAYER_MUST_ACT';
  return mayPass ? new NetworkUnavailable(WECHAT_PAY.network, thrown) : thrown;
}

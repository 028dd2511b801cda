import type { WechatPayBillClient } from '../../../connectors/wechat-pay/wechat-pay.bill.client.js';
import type { TradeBillRow } from '../../../connectors/wechat-pay/wechat-pay.bill.js';
import type { StatementClient } from './statement.client.js';
import type { StatementLine, StatementWindow } from './statement.js';

const REFUND_STATES: Readonly<Record<string, StatementLine['status']>> = {
  SUCCESS: 'SETTLED',
  PROCESSING: 'PENDING',
  // The payer's account could not take it: it waits for a person.
  CHANGE: 'PENDING',
};

/** WeChat Pay's trade bill. Its days are Beijing's, and so are reconciliation's. */
export class WechatPayStatementClient implements StatementClient {
  constructor(private readonly bills: Pick<WechatPayBillClient, 'tradeBill'>) {}

  async *lines({ day }: StatementWindow): AsyncGenerator<StatementLine> {
    const bill = await this.bills.tradeBill(day);
    if (bill === null) return;
    for await (const row of bill) yield lineOf(row);
  }
}

function lineOf(row: TradeBillRow): StatementLine {
  const isRefund = row.kind === 'REFUND';
  return {
    kind: isRefund ? 'REFUND' : 'PAYMENT',
    externalId: row.refundId ?? row.transactionId,
    reference: row.outRefundNo ?? (row.attach || null),
    amount: row.amount,
    status: isRefund ? (REFUND_STATES[row.state] ?? 'FAILED') : row.kind === 'REVERSAL' ? 'REVERSED' : 'SETTLED',
    happenedAt: row.happenedAt,
    merchantId: row.merchantId,
    // In parts of a fen: the network's fees are settled with the network, not by payment.
    fee: null,
  };
}

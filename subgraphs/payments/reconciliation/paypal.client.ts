import type { PaypalReportClient } from '../../../connectors/paypal/paypal.report.client.js';
import type { ReportedTransaction } from '../../../connectors/paypal/paypal.report.js';
import { Money } from '../../kernel/money/money.js';
import type { StatementClient } from './statement.client.js';
import type { StatementLine, StatementWindow } from './statement.js';

const STATUSES = { DENIED: 'FAILED', PENDING: 'PENDING', SUCCEEDED: 'SETTLED', REVERSED: 'REVERSED' } as const;

/** PayPal's transaction search. It takes any window, so it is asked for Beijing's day, as the network is. */
export class PaypalStatementClient implements StatementClient {
  constructor(private readonly reports: PaypalReportClient) {}

  async *lines(window: StatementWindow): AsyncGenerator<StatementLine> {
    for await (const transaction of this.reports.transactions(window)) yield lineOf(transaction);
  }
}

function lineOf(transaction: ReportedTransaction): StatementLine {
  const { kind, id, amount, fee, status, initiatedAt, invoiceId, customId } = transaction;
  return {
    kind: kind === 'PAYMENT' || kind === 'REFUND' ? kind : 'OTHER',
    externalId: id,
    // A refund's own number is its invoice; its custom field names the payment.
    reference: kind === 'REFUND' ? invoiceId : (customId ?? invoiceId),
    amount: kind === 'REFUND' ? opposite(amount) : amount,
    status: STATUSES[status],
    happenedAt: initiatedAt,
    merchantId: null,
    fee: fee && opposite(fee),
  };
}

function opposite(money: Money): Money {
  return Money.zero(money.currency).minus(money);
}

import { after, DAY, SECOND } from '../../subgraphs/kernel/clock.js';
import type { PaypalConfiguration } from './paypal.configuration.js';
import { PaypalConnection } from './paypal.connection.js';
import { PaypalRefusal, PaypalUnknown } from './paypal.errors.js';
import { type ReportedTransaction, type ReportPage, reportPage } from './paypal.report.js';

const PAGE_SIZE = 500;
/** PayPal answers for no more than this at once. */
const LONGEST_MS = 31 * DAY;

/** From `from`, before `to`. */
interface Window {
  readonly from: Date;
  readonly to: Date;
}

/**
 * PayPal's transaction search: what moved on our account. Transactions appear up to three hours after they happened, and
 * can be had for three years.
 */
export class PaypalReportClient {
  private readonly connection: PaypalConnection;

  constructor(configuration: PaypalConfiguration) {
    this.connection = new PaypalConnection(configuration);
  }

  /**
   * All that changed our balance from `from` (whole seconds) until before `to`, a page in memory at a time. PayPal refuses more than it wants to
   * list at once: the time is halved then, as often as it must be.
   * @throws PaypalRefusal, in particular REPORT_NOT_READY (RETRY): PayPal has not yet listed all of that time
   * @throws PaypalUnknown also when the report changed while it was read
   */
  async *transactions({ from, to }: Window): AsyncGenerator<ReportedTransaction> {
    for (let begin = from; begin < to; begin = after(begin, LONGEST_MS)) {
      const end = after(begin, LONGEST_MS);
      yield* this.within({ from: begin, to: end < to ? end : to });
    }
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async *within(window: Window): AsyncGenerator<ReportedTransaction> {
    const first = await this.page(window, 1).catch((thrown: unknown) => {
      if (thrown instanceof PaypalRefusal && thrown.code === 'RESULTSET_TOO_LARGE') return null;
      throw thrown;
    });
    if (first !== null) {
      yield* this.pages(window, first);
      return;
    }
    for (const half of halves(window)) yield* this.within(half);
  }

  private async *pages(window: Window, first: ReportPage): AsyncGenerator<ReportedTransaction> {
    let count = 0;
    for (let page = first; ; page = await this.page(window, page.page + 1)) {
      // Pages move when something is added in between: a transaction could be missed, or come twice.
      if (page.totalItems !== first.totalItems) throw new PaypalUnknown('the report changed while it was read');
      count += page.transactions.length;
      // PayPal's end belongs to the window, ours to the next one.
      for (const transaction of page.transactions) if (transaction.initiatedAt < window.to) yield transaction;
      if (page.page >= page.totalPages) break;
    }
    if (count !== first.totalItems)
      throw new PaypalUnknown('the report has another number of transactions than it says');
  }

  private async page({ from, to }: Window, number: number): Promise<ReportPage> {
    const query = new URLSearchParams({
      start_date: inSeconds(from),
      end_date: inSeconds(to),
      fields: 'transaction_info',
      balance_affecting_records_only: 'Y',
      page_size: String(PAGE_SIZE),
      page: String(number),
    });
    const page = await this.connection.ask({ method: 'GET', path: `/v1/reporting/transactions?${query}` }, reportPage);
    if (page.refreshedAt !== null && page.refreshedAt < to) throw new PaypalRefusal('REPORT_NOT_READY', 'RETRY');
    if (page.page !== number) throw new PaypalUnknown('another page than the one that was asked for');
    return page;
  }
}

/** @throws PaypalRefusal when nothing is left to halve */
function halves({ from, to }: Window): readonly Window[] {
  const seconds = Math.floor((to.getTime() - from.getTime()) / SECOND);
  if (seconds < 2) throw new PaypalRefusal('RESULTSET_TOO_LARGE', 'OUR_BUG');
  const middle = after(from, Math.floor(seconds / 2) * SECOND);
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

/** Reports know whole seconds. */
function inSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

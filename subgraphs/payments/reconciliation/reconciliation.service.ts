import { after, type Clock, DAY, HOUR } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/error.js';
import type { Logger } from '../../kernel/telemetry.js';
import { type Judged, Workbench } from './reconciliation.repository.js';
import type { MarketStatements } from './statement.client.js';

/**
 * A record is missed on the day that holds its time one hour later. So one of the last hour before midnight is looked for
 * in its own day's statement and the next one's: our clock and theirs need not agree on which side of midnight it was.
 */
const MARGIN_MS = HOUR;

/** Compares a day of ours with what the network and the wallet provider state, each by its own statement. */
export class ReconciliationService {
  constructor(
    private readonly databaseUrl: string,
    private readonly logger: Logger,
    private readonly now: Clock,
  ) {}

  /**
   * Safe to repeat: the same statements and records give the same breaks, which then keep their identity and their first
   * time; what has vanished is closed. A day without both statements whole keeps its earlier result.
   * @param day `YYYY-MM-DD` in Beijing, where the network's days are
   * @returns false when the day could not be reconciled now, or somebody else is at it
   */
  async reconcile(market: MarketStatements, day: string): Promise<boolean> {
    const workbench = await Workbench.open(this.databaseUrl);
    try {
      if (!(await workbench.claim(market.marketCode, day))) return false;
      return await this.work(workbench, market, day);
    } finally {
      await workbench.close();
    }
  }

  /** Days since then whose reconciliation failed, or that have open breaks: later statements may settle them. */
  async unsettledDays(marketCode: string, since: string): Promise<string[]> {
    const workbench = await Workbench.open(this.databaseUrl);
    try {
      return await workbench.unsettledDays(marketCode, since);
    } finally {
      await workbench.close();
    }
  }

  private async work(workbench: Workbench, market: MarketStatements, day: string): Promise<boolean> {
    const { marketCode } = market;
    const from = new Date(`${day}T00:00:00+08:00`);
    const window = { day, from, to: after(from, DAY) };
    const judged: Judged = { marketCode, day, from: after(from, -MARGIN_MS), to: after(from, DAY - MARGIN_MS) };
    try {
      const counts = {
        NETWORK: await workbench.load('NETWORK', market.network.lines(window)),
        WALLET: await workbench.load('WALLET', market.wallet.lines(window)),
      };
      await workbench.compare(judged);
      await workbench.record(judged, counts, this.now());
      return true;
    } catch (thrown) {
      this.logger.error({ err: thrown, marketCode, day }, 'a day could not be reconciled');
      await workbench.recordFailure(marketCode, day, messageOf(thrown), this.now());
      return false;
    }
  }
}

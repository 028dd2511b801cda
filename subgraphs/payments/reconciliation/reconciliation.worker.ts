import type { PgBoss } from 'pg-boss';
import { after, type Clock, DAY, HOUR } from '../../kernel/clock.js';
import { ensureQueue, ensureSchedule } from '../jobs.js';
import type { ReconciliationService } from './reconciliation.service.js';
import type { MarketStatements } from './statement.client.js';

const QUEUE = 'reconcile';
/** Half past ten in Beijing: the network's bill of yesterday is there at ten. */
const DAILY = '30 2 * * *';
const LOOK_BACK_DAYS = 7;

/** Reconciles yesterday, and again those of the last days that are not settled. */
export class ReconciliationWorker {
  constructor(
    private readonly reconciliation: ReconciliationService,
    private readonly statements: readonly MarketStatements[],
    private readonly boss: PgBoss,
    private readonly now: Clock,
  ) {}

  async start(): Promise<void> {
    await ensureQueue(this.boss, QUEUE, {
      deleteAfterSeconds: 3_600,
      expireInSeconds: 3_600,
      retryLimit: 12,
      retryDelay: 600,
    });
    await this.boss.work(QUEUE, { pollingIntervalSeconds: 60 }, () => this.reconcile());
    await ensureSchedule(this.boss, QUEUE, DAILY);
  }

  /** @throws Error when a day failed: the queue then tries again, for two hours */
  async reconcile(): Promise<void> {
    const failed: string[] = [];
    for (const market of this.statements) {
      const { marketCode } = market;
      const earlier = await this.reconciliation.unsettledDays(marketCode, this.dayBefore(LOOK_BACK_DAYS));
      for (const day of new Set([...earlier, this.dayBefore(1)]))
        if (!(await this.reconciliation.reconcile(market, day))) failed.push(`${marketCode} ${day}`);
    }
    if (failed.length > 0) throw new Error(`not reconciled: ${failed.join(', ')}`);
  }

  /** In Beijing. */
  private dayBefore(days: number): string {
    return after(this.now(), 8 * HOUR - days * DAY)
      .toISOString()
      .slice(0, 10);
  }
}

import { Migration } from '@mikro-orm/migrations';

const WORK = { payment: "status in ('PROCESSING', 'PAID')", refund: "leg_status in ('REQUESTED', 'TAKEN')" };

/**
 * By when the last request of the step at work whose answer was not heard had been sent (`saga/patience.ts`), by the
 * clock of the process that wrote it; null where there is none. Of what is at work already only the attempts are known:
 * the last of them may have been lost just now.
 */
export class Migration20261128010000 extends Migration {
  override up(): void {
    for (const [table, undecided] of Object.entries(WORK)) {
      this.addSql(`alter table ${table} add column unclear_since timestamptz`);
      this.addSql(`update ${table} set unclear_since = now() where ${undecided} and attempt > 0`);
    }
  }
}

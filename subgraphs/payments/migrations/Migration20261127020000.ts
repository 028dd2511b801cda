import { Migration } from '@mikro-orm/migrations';

/**
 * A yearly limit is kept by the row that counts against it (M4). What was counted before was within it; the limit that it
 * was within comes with the next payment.
 */
export class Migration20261127020000 extends Migration {
  override up(): void {
    this.addSql(`
      alter table limit_usage add column limit_minor bigint,
        add constraint limit_usage_within_limit check (used_minor <= limit_minor)`);
  }
}

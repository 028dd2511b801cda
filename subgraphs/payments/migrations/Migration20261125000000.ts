import { Migration } from '@mikro-orm/migrations';

/** Finds the oldest notifications without a look at the others: they are pruned. */
export class Migration20261125000000 extends Migration {
  override up(): void {
    this.addSql('create index notification_by_age on notification (received_at)');
  }
}

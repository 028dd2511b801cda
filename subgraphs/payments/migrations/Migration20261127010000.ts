import { Migration } from '@mikro-orm/migrations';

/**
 * Lets the planner believe that anyone may have many payments. It reckons with what the average traveler or merchant has:
 * where that is less than a page, it would fetch all payments of the one who is asked for, and sort them to show twenty.
 * It believes so from the table's next `analyze` on, which comes by itself.
 */
export class Migration20261127010000 extends Migration {
  override up(): void {
    for (const column of ['traveler_id', 'merchant_id'])
      this.addSql(`alter table payment alter column ${column} set (n_distinct = 10)`);
  }
}

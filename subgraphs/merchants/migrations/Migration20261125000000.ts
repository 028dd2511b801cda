import { Migration } from '@mikro-orm/migrations';

// An order may also be paid by somebody who is no payer of ours. Orders of before are looked at once more.
const FOLLOWED_ORDERS = `
  alter table payment_code
    drop constraint payment_code_check5,
    add constraint payment_code_paid_by check (payment_id is null or status = 'PAID'),
    add column look_at timestamptz;
  update payment_code set look_at = now() where kind = 'DYNAMIC' and status = 'ACTIVE';
  create index payment_code_look on payment_code (look_at) where look_at is not null;
`;

export class Migration20261125000000 extends Migration {
  override up(): void {
    this.addSql(FOLLOWED_ORDERS);
  }
}

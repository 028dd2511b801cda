import type { MikroORM } from '@mikro-orm/postgresql';
import { openDatabase, transaction } from '../../subgraphs/kernel/database.js';
import { executeTogether, insertion } from '../../subgraphs/kernel/database.rows.js';
import type { PaymentId } from '../../subgraphs/kernel/id.js';
import { Acceptance } from '../../subgraphs/payments/acceptance/acceptance.entity.js';
import { Authorization } from '../../subgraphs/payments/authorization/authorization.entity.js';
import { Checkout } from '../../subgraphs/payments/checkout/checkout.entity.js';
import { migrations } from '../../subgraphs/payments/migrations/migrations.js';
import { Payment } from '../../subgraphs/payments/payment/payment.entity.js';
import { type Legs, readLegs } from '../../subgraphs/payments/payment/payment.repository.js';
import { PaymentEvent } from '../../subgraphs/payments/payment/payment-event.entity.js';
import { migratedDatabase } from './database.migrated.js';
import { openCheckout } from './payment.js';

const entities = [Checkout, Payment, PaymentEvent, Authorization, Acceptance];

/** Payments with their legs in a database of their own, and nobody who drives them. */
export class LegsLab {
  private constructor(readonly orm: MikroORM) {}

  static async open(): Promise<LegsLab> {
    const url = await migratedDatabase('payments');
    return new LegsLab(await openDatabase({ name: 'legs', url, entities, migrations }));
  }

  async newPayment(now = new Date()): Promise<PaymentId> {
    return transaction(this.orm.em, async (em) => {
      const checkout = openCheckout();
      checkout.confirm(now);
      const payment = Payment.of(checkout, now);
      const { id } = payment;
      const rows = [checkout, payment, Authorization.requested(id), Acceptance.prepared(id)];
      await executeTogether(
        em,
        rows.map((each) => insertion(em, each)),
      );
      return id;
    });
  }

  read(id: PaymentId): Promise<Legs> {
    return readLegs(this.orm.em.fork(), id);
  }

  /** Changes the payment's own row behind everybody's back. */
  async set(id: PaymentId, change: string): Promise<void> {
    await this.orm.em.fork().execute(`update payment set ${change} where id = ?`, [id]);
  }

  /** Number, type and status of each, in order. */
  async eventsOf(id: PaymentId): Promise<string[]> {
    const rows = await this.orm.em
      .fork()
      .execute<{ event: string }[]>(
        "select concat_ws(' ', sequence, type, status) as event from payment_event where payment_id = ? order by sequence",
        [id],
      );
    return rows.map(({ event }) => event);
  }

  async close(): Promise<void> {
    await this.orm.close();
  }
}

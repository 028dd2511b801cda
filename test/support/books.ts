import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { openDatabase, transaction } from '../../subgraphs/kernel/database.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { Checkout } from '../../subgraphs/payments/checkout/checkout.entity.js';
import { fxPosition, merchantPayable } from '../../subgraphs/payments/ledger/account.entity.js';
import { book, posting } from '../../subgraphs/payments/ledger/ledger.repository.js';
import { migrations } from '../../subgraphs/payments/migrations/migrations.js';
import { Payment } from '../../subgraphs/payments/payment/payment.entity.js';
import { migratedDatabase } from './database.migrated.js';
import { openCheckout } from './payment.js';

const open = (url: string) => openDatabase({ name: 'books', url, entities: [Checkout, Payment], migrations });

/** Books of their own, to post into and to forge. */
export class Books {
  private legs = 0;
  private copies = 0;
  private owner: MikroORM | null = null;

  private constructor(
    readonly orm: MikroORM,
    readonly url: string,
    private readonly payment: Payment,
  ) {}

  static async open(): Promise<Books> {
    const url = await migratedDatabase('payments');
    const orm = await open(url);
    const payment = await transaction(orm.em, async (em) => {
      const checkout = openCheckout();
      checkout.confirm(new Date());
      em.persist(checkout);
      await em.flush();
      const born = Payment.of(checkout, new Date());
      em.persist(born);
      return born;
    });
    return new Books(orm, url, payment);
  }

  get em(): EntityManager {
    return this.orm.em.fork();
  }

  /** Posts some fen, in the transaction of `em`. */
  async post(em: EntityManager, fen: bigint, at = new Date()): Promise<void> {
    const { id, merchantId } = this.payment;
    this.legs += 1;
    const [debit, credit] = [fxPosition('CNY', id), merchantPayable(merchantId, 'CNY', id)];
    const movement = { leg: `leg-${this.legs}`, debit, credit, amount: Money.of(fen, 'CNY') };
    await book(em, posting(id, null, [movement], at));
  }

  /** Posts so many times one yuan, each in a transaction of its own. */
  async postEach(count: number, at = new Date()): Promise<void> {
    for (let index = 0; index < count; index += 1) await transaction(this.orm.em, (em) => this.post(em, 100n, at));
  }

  /** What only who owns the whole server can do: no trigger and no foreign key stops it. */
  async forge(sql: string): Promise<void> {
    await (await this.asOwner()).execute(`set session_replication_role = replica; ${sql}`);
  }

  /** Looks at the books as they would be after that, which is then taken back. */
  async forging<Seen>(sql: string, look: (em: EntityManager) => Promise<Seen>): Promise<Seen> {
    const em = await this.asOwner();
    await em.begin();
    try {
      await em.execute(`set local session_replication_role = replica; ${sql}`);
      return await look(em);
    } finally {
      await em.rollback();
    }
  }

  /** So many payments more, which differ from the first by their ids alone. */
  async morePayments(count: number): Promise<string[]> {
    const from = this.copies;
    this.copies += count;
    await this.forge(`insert into payment select (jsonb_populate_record(payment, jsonb_build_object(
        'id', id || '-' || n, 'checkout_id', checkout_id || '-' || n, 'quote_id', quote_id || '-' || n))).*
      from payment, generate_series(${from}, ${this.copies - 1}) n where id = '${this.payment.id}'`);
    return Array.from({ length: count }, (_, index) => `${this.payment.id}-${from + index}`);
  }

  private async asOwner(): Promise<EntityManager> {
    const place = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    place.pathname = new URL(this.url).pathname;
    this.owner ??= await open(place.href);
    return this.owner.em.fork();
  }

  async close(): Promise<void> {
    await this.owner?.close();
    await this.orm.close();
  }
}

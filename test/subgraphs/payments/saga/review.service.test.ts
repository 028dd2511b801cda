import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { type Clock, DAY } from '../../../../subgraphs/kernel/clock.js';
import { invariant, UnavailableError } from '../../../../subgraphs/kernel/error.js';
import { WalletProvider } from '../../../../subgraphs/kernel/graphql/enums.js';
import type { SubgraphClient } from '../../../../subgraphs/kernel/graphql/subgraph.client.js';
import type { PaymentId } from '../../../../subgraphs/kernel/id.js';
import type { Logger } from '../../../../subgraphs/kernel/telemetry.js';
import type { AcceptanceService } from '../../../../subgraphs/payments/acceptance/acceptance.service.js';
import { AuthorizationService } from '../../../../subgraphs/payments/authorization/authorization.service.js';
import { VaultClient } from '../../../../subgraphs/payments/checkout/payer.client.js';
import { type Databases, openDatabases } from '../../../../subgraphs/payments/databases.js';
import type { Legs } from '../../../../subgraphs/payments/payment/payment.repository.js';
import { paymentStatuses } from '../../../../subgraphs/payments/payment/payment.states.js';
import { sendToReview } from '../../../../subgraphs/payments/saga/review.service.js';
import { PaymentSaga } from '../../../../subgraphs/payments/saga/saga.service.js';
import { MOVED } from '../../../../subgraphs/payments/saga/saga.states.js';
import type { WalletClient } from '../../../../subgraphs/payments/wallet/wallet.client.js';
import { atOnce } from '../../../support/barrier.js';
import { Books } from '../../../support/books.js';
import { LegsLab } from '../../../support/legs.js';

const now = new Date('2026-06-01T12:00:00Z');
let lab: LegsLab;
beforeAll(async () => {
  lab = await LegsLab.open();
});
afterAll(() => lab.close());

const review = (id: PaymentId) => sendToReview(lab.orm.em, id, 'NETWORK_AMOUNT_DIFFERS', now);

describe('A contradiction', () => {
  it.each(paymentStatuses)(
    'hands a payment at work to a person, once, and leaves one that is over: %s',
    async (status) => {
      const id = await lab.newPayment();
      await lab.set(id, `status = '${status}', reason = 'BEFORE', paid_at = now(), completed_at = now()`);
      await review(id);
      await review(id);
      const { payment } = await lab.read(id);
      const events = await lab.eventsOf(id);
      if (status === 'PROCESSING' || status === 'PAID') {
        expect(events).toEqual(['1 IN_REVIEW IN_REVIEW']);
        expect([payment.status, payment.reason]).toEqual(['IN_REVIEW', 'NETWORK_AMOUNT_DIFFERS']);
      } else {
        expect(events).toEqual([]);
        expect([payment.status, payment.reason, payment.eventCount]).toEqual([status, 'BEFORE', 0]);
      }
    },
  );

  it('is written down once by however many find it at once', async () => {
    const id = await lab.newPayment();
    await Promise.all(Array.from({ length: 6 }, () => review(id)));
    expect(await lab.eventsOf(id)).toEqual(['1 IN_REVIEW IN_REVIEW']);
  });
});

describe('A refusal that a person must look at', () => {
  const refused = async (id: PaymentId, known: Legs) => {
    await sendToReview(lab.orm.em, id, 'CAPTURE_REFUSED', now, known);
    return { events: await lab.eventsOf(id), reason: (await lab.read(id)).payment.reason };
  };
  const askedElsewhere = 'update payment set unclear_since = now() where id = ?';

  it('is believed where nobody else has asked', async () => {
    const id = await lab.newPayment();
    const outcome = { events: ['1 IN_REVIEW IN_REVIEW'], reason: 'CAPTURE_REFUSED' };
    expect(await refused(id, await lab.read(id))).toEqual(outcome);
  });

  it('is no matter where another worker has asked since, or asks while it is written down', async () => {
    const nothing = { events: [], reason: null };
    const before = await lab.newPayment();
    const known = await lab.read(before);
    await lab.orm.em.fork().execute(askedElsewhere, [before]);
    expect(await refused(before, known)).toEqual(nothing);

    const meanwhile = await lab.newPayment();
    const legs = await lab.read(meanwhile);
    const barrier = { sql: askedElsewhere, values: [meanwhile], whose: 'legs' };
    expect(await atOnce(lab.orm.em, barrier, [() => refused(meanwhile, legs)])).toEqual([nothing]);
  });
});

describe('A step that does not come to an answer', () => {
  let books: Books;
  let databases: Databases;
  let orm: MikroORM;
  beforeAll(async () => {
    books = await Books.open();
    databases = await openDatabases({ databaseUrl: books.url, poolSize: 2 });
    orm = databases.orm;
  });
  afterAll(async () => {
    await Promise.all([orm.close(), databases.workersOrm.close(), databases.proofs.orm.close()]);
    await books.close();
  });

  const broken = () => invariant(false, 'broken');
  const down = () => {
    throw new UnavailableError('SUBGRAPH_UNAVAILABLE', 'down');
  };
  const unlike = () => {
    throw new Error('something else');
  };
  const execute = (sql: string) => () => books.em.execute(sql);
  const twice = execute('insert into payment select * from payment limit 1');
  const unchecked = execute('update payment set event_count = -1');
  const incomplete = execute("insert into payment (id) values ('pay_us_none')");
  const unheard = () => Promise.resolve();

  /** What becomes of a payment that has stood before the wallet for so long, when users are asked for it. */
  async function advanced(
    ask: () => unknown,
    passedMs: number,
    { attempt = 11, change = '', isHeld = false, wasHeld = false } = {},
  ) {
    const [id = ''] = await books.morePayments(1);
    await books.forge(`update payment set ${change} attempt = ${attempt}, created_at = '${now.toISOString()}' where id = '${id}';
      insert into payment_authorization (payment_id, status, request_id, order_id, authorization_id)
        values ('${id}', ${wasHeld ? `'HELD', '${id}', '${id}', '${id}'` : `'REQUESTED', '${id}', '${id}', null`});
      insert into payment_acceptance (payment_id, status, request_id) values ('${id}', 'PREPARED', '${id}')`);
    const clock: Clock = () => new Date(now.getTime() + passedMs);
    const errors: unknown[] = [];
    const logger = { error: (...line: unknown[]) => errors.push(line) } as unknown as Logger;
    const users = {
      ask: async () => {
        await ask();
        return { walletVault: { vaultReference: 'vault' } };
      },
    } as unknown as SubgraphClient;
    const lost = { outcome: 'UNKNOWN', cause: 'lost' };
    const yes = { outcome: 'YES', orderId: id, authorizationId: id, expiresAt: null };
    const authorize: WalletClient['authorize'] = async ({ amount }) => (isHeld ? { ...yes, amount } : lost) as never;
    const wallet = { authorize } as unknown as WalletClient;
    const authorizations = new AuthorizationService(
      orm.em,
      new VaultClient(users),
      { [WalletProvider.PAYPAL]: wallet },
      clock,
    );
    const network: string[] = [];
    const told = (what: string) => async (legs: Legs) => {
      network.push(`${what} ${legs.acceptance.status}`);
      return MOVED;
    };
    const acceptances = { ask: told('asked'), submit: told('submitted') } as unknown as AcceptanceService;
    const saga = new PaymentSaga(orm.em, authorizations, acceptances, logger, clock);
    const outcome = await saga.advance(id as PaymentId, null).then(
      ({ kind }) => kind,
      (thrown: Error) => thrown.constructor.name,
    );
    const [row] = await books.em.execute<{ ending: string }[]>(
      "select concat_ws(' ', status, reason) as ending from payment where id = ?",
      [id],
    );
    const events = await books.em.execute<{ type: string }[]>(
      'select type from payment_event where payment_id = ? order by sequence',
      [id],
    );
    return { id, outcome, ending: row?.ending, events: events.map(({ type }) => type), errors, network };
  }

  it.each([
    ['a broken rule', broken, 0],
    ['a broken rule, however long it lasts', broken, 2 * DAY],
    ['a value that is there twice', twice, 0],
    ['a value that cannot be', unchecked, 0],
  ])('goes to a person at once for %s: trying again would only fail again', async (_, ask, passedMs) => {
    const { id, errors, ...rest } = await advanced(ask, passedMs);
    expect(rest).toEqual({ outcome: 'OVER', ending: 'IN_REVIEW CONTRADICTION', events: ['IN_REVIEW'], network: [] });
    expect(errors).toEqual([[{ err: expect.any(Error), id }, 'a payment contradicts itself']]);
  });

  it.each([
    ['users are down', down],
    ['the wallet’s answer is lost', unheard],
  ])('goes to a person when its time is over and %s, and not before', async (_, ask) => {
    const late = await advanced(ask, DAY + 1);
    expect(late).toMatchObject({
      outcome: 'OVER',
      ending: 'IN_REVIEW WALLET_OUTCOME_UNKNOWN',
      events: ['IN_REVIEW'],
      errors: [],
    });
    const early = await advanced(ask, DAY);
    const outcome = ask === down ? 'UnavailableError' : 'WAIT';
    expect(early).toMatchObject({ outcome, ending: 'PROCESSING', events: [], errors: [] });
  });

  it('is not given up after ten attempts that failed, whatever the clock says: we may have been off ourselves', async () => {
    const outcome = { outcome: 'UnavailableError', ending: 'PROCESSING' };
    expect(await advanced(down, 2 * DAY, { attempt: 10 })).toMatchObject(outcome);
  });

  it('has come to one when the wallet answers, however late: then nothing is given up', async () => {
    const moved = { outcome: 'MOVED', ending: 'PROCESSING', events: ['AUTHORIZED', 'SUBMITTED'] };
    expect(await advanced(unheard, 2 * DAY, { isHeld: true })).toMatchObject(moved);
  });

  it('asks the network at once when the wallet holds the money, but not for a payer who stood there for too long', async () => {
    const held = { outcome: 'MOVED', events: ['AUTHORIZED', 'SUBMITTED'], network: ['asked SUBMITTED'] };
    expect(await advanced(unheard, 0, { isHeld: true })).toMatchObject(held);
    const late = { isHeld: true, change: `pay_by = '${now.toISOString()}',` };
    expect(await advanced(unheard, 1, late)).toMatchObject({ outcome: 'MOVED', events: ['AUTHORIZED'], network: [] });
  });

  it('submits what the wallet holds and nobody has submitted yet', async () => {
    const outcome = { outcome: 'MOVED', network: ['submitted PREPARED'] };
    expect(await advanced(unheard, 0, { wasHeld: true })).toMatchObject(outcome);
  });

  it('is not taken at all where a payment is over, or a person’s', async () => {
    for (const status of ['FAILED', 'IN_REVIEW'])
      expect(await advanced(broken, 2 * DAY, { change: `status = '${status}', reason = 'BEFORE',` })).toMatchObject({
        outcome: 'OVER',
        ending: `${status} BEFORE`,
        events: [],
        errors: [],
      });
  });

  it.each([
    ['what nobody expected', unlike, 'Error'],
    ['a mistake of ours in a statement', incomplete, 'NotNullConstraintViolationException'],
  ])('is told to whoever drives it for %s, and taken again', async (_, ask, name) => {
    for (const passedMs of [0, 2 * DAY])
      expect(await advanced(ask, passedMs)).toMatchObject({
        outcome: name,
        ending: 'PROCESSING',
        events: [],
        errors: [],
      });
  });
});

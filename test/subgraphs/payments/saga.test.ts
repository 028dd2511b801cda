import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Scenario } from '../../../local/seed.stores.js';
import { after, MINUTE, systemClock } from '../../../subgraphs/kernel/clock.js';
import { Network, WalletProvider } from '../../../subgraphs/kernel/graphql/enums.js';
import type { PaymentId, RefundId } from '../../../subgraphs/kernel/id.js';
import type { NetworkClient } from '../../../subgraphs/payments/network/network.client.js';
import { SagaWorker } from '../../../subgraphs/payments/saga/saga.worker.js';
import type { WalletClient } from '../../../subgraphs/payments/wallet/wallet.client.js';
import { contradictions } from '../../support/crash.books.js';
import { silent } from '../../support/logger.js';
import { silentQueue } from '../../support/queue.js';
import { type Standing, standingOf } from '../../support/standing.js';
import { World } from '../../support/world.js';

type Call = 'authorize' | 'capture' | 'void' | 'pay' | 'take' | 'give';
type Fate = 'LOST' | 'REFUSED';

/** A call by which money moves or is given free, and how it ends when all that was asked for is done once. */
interface Leg {
  readonly call: Call;
  /** Whose next requests have these fates, one after the other. */
  readonly spoil: (fates: readonly Fate[]) => void;
  readonly at: Scenario;
  readonly ends: Pick<Standing, 'status' | 'legs' | 'refunds'>;
}

const COMPLETED = { status: 'COMPLETED', legs: 'CAPTURED/ACCEPTED', refunds: [] };
const REFUNDED = { ...COMPLETED, refunds: ['GIVEN'] };

/** PayPal refuses by itself where its own header asks for it. */
const atPaypal =
  (path: string, refusal: string): Leg['spoil'] =>
  (fates) => {
    const name = 'paypal-mock-response';
    const value = JSON.stringify({ mock_application_codes: refusal });
    for (const fate of fates)
      world.lines.paypal.spoil(
        path,
        fate === 'LOST' ? { kind: 'CUT_AND_HELD', until: arrival.promise } : { kind: 'HEADER', name, value },
      );
  };
const atNetwork: Leg['spoil'] = (next) => fates.push(...next);

const legs = {
  authorize: {
    call: 'authorize',
    spoil: atPaypal('/authorize', 'INSTRUMENT_DECLINED'),
    at: 'ok',
    ends: COMPLETED,
  },
  capture: { call: 'capture', spoil: atPaypal('/capture', 'PAYEE_ACCOUNT_RESTRICTED'), at: 'ok', ends: COMPLETED },
  void: {
    call: 'void',
    spoil: atPaypal('/void', 'PAYEE_ACCOUNT_RESTRICTED'),
    at: 'refused',
    ends: { status: 'FAILED', legs: 'VOIDED/REFUSED', refunds: [] },
  },
  pay: { call: 'pay', spoil: atNetwork, at: 'ok', ends: COMPLETED },
  take: { call: 'take', spoil: atNetwork, at: 'ok', ends: REFUNDED },
  give: { call: 'give', spoil: atPaypal('/refund', 'REFUND_NOT_ALLOWED'), at: 'ok', ends: REFUNDED },
} as const satisfies Readonly<Record<Call, Leg>>;

let world: World;
let ahead = 0;
const now = () => after(systemClock(), ahead);
/** Of the network's next requests; the others are done. */
let fates: Fate[] = [];
let late: Promise<unknown>[] = [];
/** Until then a lost request is on its way: it arrives when all seems to be over. */
let arrival = Promise.withResolvers<void>();
/** The call that a test looks at, how often it was made, and what happens right before and right after each. */
let watched: {
  readonly call: Call;
  count: number;
  readonly before?: (count: number) => void | Promise<void>;
  readonly after?: (count: number) => Promise<void>;
} | null = null;

beforeAll(async () => {
  world = await World.start({
    now,
    outside: (real) => {
      const [network, wallet] = [real.networks[Network.WECHAT_PAY], real.wallets[WalletProvider.PAYPAL]];
      return {
        ...real,
        networks: { [Network.WECHAT_PAY]: watchedNetwork(network) },
        wallets: { [WalletProvider.PAYPAL]: watchedWallet(wallet) },
      };
    },
  });
});
afterAll(() => world.stop());
beforeEach(() => {
  ahead = 0;
  watched = null;
  [fates, late] = [[], []];
  arrival = Promise.withResolvers();
  world.lines.paypal.heal();
});

function watchedWallet(real: WalletClient): WalletClient {
  return {
    inquire: (orderId) => real.inquire(orderId),
    authorize: (request) => watching('authorize', () => real.authorize(request)),
    capture: (request) => watching('capture', () => real.capture(request)),
    void: (request) => watching('void', () => real.void(request)),
    refund: (request) => watching('give', () => real.refund(request)),
  };
}

function watchedNetwork(real: NetworkClient): NetworkClient {
  return {
    pay: (request) => watching('pay', () => fated(() => real.pay(request))),
    inquire: (id) => real.inquire(id),
    cancel: (id) => real.cancel(id),
    refund: (request) => watching('take', () => fated(() => real.refund(request))),
    inquireRefund: (id, merchant) => real.inquireRefund(id, merchant),
  };
}

async function watching<Answer>(call: Call, ask: () => Promise<Answer>): Promise<Answer> {
  const scene = watched;
  if (scene?.call !== call) return ask();
  scene.count += 1;
  const { count } = scene;
  await scene.before?.(count);
  const answer = await ask();
  await scene.after?.(count);
  return answer;
}

async function fated<Answer>(ask: () => Promise<Answer>) {
  const fate = fates.shift();
  if (fate === 'LOST') late.push(arrival.promise.then(ask));
  if (fate === 'LOST') return { outcome: 'UNKNOWN' as const, cause: 'lost' };
  if (fate === 'REFUSED') return { outcome: 'NO' as const, reason: 'NETWORK_REFUSED', code: 'INVALID_REQUEST' };
  return ask();
}

/** What is driven: a payment, or the refund of one that is completed. */
async function begin({ call, spoil, at }: Leg, next: readonly Fate[]) {
  const isRefund = call === 'take' || call === 'give';
  if (!isRefund) spoil(next);
  const paymentId = await world.pay(at);
  if (!isRefund) return { table: 'payment' as const, id: paymentId, paymentId };
  expect(await world.settled(paymentId)).toBe('COMPLETED');
  spoil(next);
  const { data } = await world.refund(paymentId, null, world.store(at).merchantId);
  const { id } = (data as { refundPayment: { refund: { id: RefundId } } }).refundPayment.refund;
  return { table: 'refund' as const, id, paymentId };
}

/** Once all is over, and what was late has arrived after it. */
async function expectEnd({ ends }: Leg, paymentId: PaymentId): Promise<void> {
  const {
    status,
    legs: both,
    refunds,
  } = await world.eventually(45_000, async () => {
    const standing = await standingOf(world, paymentId);
    const isOver = /COMPLETED|DECLINED|FAILED|IN_REVIEW/.test(standing.status);
    return isOver && standing.refunds.every((leg) => /GIVEN|OWED|REFUSED/.test(leg)) ? standing : null;
  });
  arrival.resolve();
  await Promise.all([world.lines.paypal.quiet(), ...late]);
  expect({ status, legs: both, refunds }).toEqual(ends);
  const { outside, sell, buy } = await standingOf(world, paymentId);
  const isPaid = status === 'COMPLETED';
  expect(outside.authorizations).toEqual([`${sell} ${isPaid ? 'CAPTURED' : 'VOIDED'}`]);
  expect(outside.captures).toHaveLength(isPaid ? 1 : 0);
  expect(outside.transactions).toEqual([`${buy} ${isPaid ? 'SUCCESS' : 'FAIL'}`]);
  expect(outside.refunds).toEqual(refunds.map(() => `${sell} COMPLETED`));
  expect(outside.networkRefunds).toEqual(refunds.map(() => `${buy} SUCCESS`));
  expect(await contradictions(world.payments.em)).toEqual([]);
  // Whoever did not ask so often has not been tried.
  expect([world.lines.paypal.unspent, fates]).toEqual([0, []]);
}

/** Who drives such things in the world's own process. */
function first(table: 'payment' | 'refund') {
  const { payments, refunds } = world.payments.sagas;
  return table === 'payment' ? payments : refunds;
}

/** A process of its own, but for the wires: its worker takes up what another one left. */
function successor(table: 'payment' | 'refund'): SagaWorker {
  const { payments, refunds } = world.payments.sagas;
  const work = table === 'payment' ? payments['work'] : refunds['work'];
  return new SagaWorker(work, world.payments.em, world.databaseUrl, silentQueue, silent, now);
}

/** Its process is dead, the database believes, with all its leases. */
async function bury(table: 'payment' | 'refund', id: string): Promise<void> {
  await world.payments.em.fork().execute(`update ${table} set lease_owner = 12345 where id = ?`, [id]);
}

/** What the network was asked to pay it forgets again: that is another law, of the network leg. */
const kept = Object.values(legs).filter(({ call }) => call !== 'pay');

describe('A refused repetition is not believed while the request before it may still be done', () => {
  it.each(kept)('when that was sent long after all began: $call (M5, M6)', async (leg) => {
    // As when another subgraph was away, the leg before it took long, or the queue was slow.
    watched = {
      call: leg.call,
      count: 0,
      before: (count) => {
        if (count === 1) ahead = 2 * MINUTE;
      },
    };
    const { paymentId } = await begin(leg, ['LOST', 'REFUSED']);
    await expectEnd(leg, paymentId);
  });

  it.each(kept)('when its process died in the middle of it: $call (M5, M6)', async (leg) => {
    const [asked, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    watched = {
      call: leg.call,
      count: 0,
      after: async (count) => {
        if (count > 1) return;
        asked.resolve();
        await end.promise;
      },
    };
    const { table, id, paymentId } = await begin(leg, ['LOST', 'REFUSED']);
    await asked.promise;
    await bury(table, id);
    const next = successor(table);
    try {
      await next.start();
      await expectEnd(leg, paymentId);
    } finally {
      end.resolve();
      await next.stop();
    }
  });

  it.each(Object.values(legs))('by who lost its lease, as another has asked since: $call (M5, M6)', async (leg) => {
    const [asked, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let table: 'payment' | 'refund' = 'payment';
    watched = {
      call: leg.call,
      count: 0,
      after: async (count) => {
        if (count === 1) asked.resolve();
        if (count === 1) await end.promise;
        if (count !== 2) return;
        // The second one's request is lost, and on its way: now the first one hears its no.
        end.resolve();
        await first(table).idle();
      },
    };
    const begun = await begin(leg, ['REFUSED', 'LOST']);
    table = begun.table;
    await asked.promise;
    await bury(table, begun.id);
    const next = successor(table);
    try {
      await next.start();
      await expectEnd(leg, begun.paymentId);
    } finally {
      end.resolve();
      await next.stop();
    }
  });
});

describe('A yes that comes when another worker has believed a no', () => {
  /** The first one's request is sent when all is over: longer ago than any request is thought to be on its way. */
  async function sentLate(leg: Leg, isOver: (standing: Standing) => boolean): Promise<Standing> {
    const [asking, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    watched = {
      call: leg.call,
      count: 0,
      before: async (count) => {
        if (count === 1) asking.resolve();
        if (count === 1) await end.promise;
      },
      after: async (count) => {
        if (count === 2) ahead = MINUTE;
      },
    };
    const { table, id, paymentId } = await begin(leg, ['REFUSED', 'REFUSED']);
    await asking.promise;
    await bury(table, id);
    const next = successor(table);
    try {
      await next.start();
      await world.eventually(30_000, async () => isOver(await standingOf(world, paymentId)) || null);
      end.resolve();
      await first(table).idle();
      expect(world.lines.paypal.unspent).toBe(0);
      expect(await contradictions(world.payments.em)).toEqual([]);
      return await standingOf(world, paymentId);
    } finally {
      end.resolve();
      await next.stop();
    }
  }

  it('gives free what it held', async () => {
    const standing = await sentLate(legs.authorize, ({ status }) => status === 'DECLINED');
    expect(standing).toMatchObject({ status: 'DECLINED', legs: 'DECLINED/REFUSED', reason: 'WALLET_DECLINED' });
    expect(standing.outside.authorizations).toEqual([`${standing.sell} VOIDED`]);
  });

  it('gives what was taken for owed', async () => {
    const standing = await sentLate(legs.give, ({ refunds }) => refunds[0]?.startsWith('OWED') ?? false);
    expect(standing).toMatchObject(REFUNDED);
    expect(standing.outside.refunds).toEqual([`${standing.sell} COMPLETED`]);
  });
});

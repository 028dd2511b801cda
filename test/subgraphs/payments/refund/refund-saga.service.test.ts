import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { after, MINUTE, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { Network, WalletProvider } from '../../../../subgraphs/kernel/graphql/enums.js';
import type { PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import type { NetworkClient } from '../../../../subgraphs/payments/network/network.client.js';
import type { WalletClient } from '../../../../subgraphs/payments/wallet/wallet.client.js';
import { silent } from '../../../support/logger.js';
import { World } from '../../../support/world.js';

let world: World;
let ahead = 0;
let take:
  | ((real: NetworkClient, ...args: Parameters<NetworkClient['refund']>) => ReturnType<NetworkClient['refund']>)
  | null = null;
let find: (() => ReturnType<NetworkClient['inquireRefund']>) | null = null;
let give:
  | ((real: WalletClient, ...args: Parameters<WalletClient['refund']>) => ReturnType<WalletClient['refund']>)
  | null = null;

beforeAll(async () => {
  world = await World.start({
    now: () => after(systemClock(), ahead),
    outside: (outside) => {
      const network = outside.networks[Network.WECHAT_PAY];
      const wallet = outside.wallets[WalletProvider.PAYPAL];
      return {
        ...outside,
        networks: {
          [Network.WECHAT_PAY]: {
            pay: (request) => network.pay(request),
            inquire: (id) => network.inquire(id),
            cancel: (id) => network.cancel(id),
            refund: (request) => take?.(network, request) ?? network.refund(request),
            inquireRefund: (id, merchant) => find?.() ?? network.inquireRefund(id, merchant),
          },
        },
        wallets: {
          [WalletProvider.PAYPAL]: {
            inquire: (orderId) => wallet.inquire(orderId),
            authorize: (request) => wallet.authorize(request),
            capture: (request) => wallet.capture(request),
            void: (request) => wallet.void(request),
            refund: (request) => give?.(wallet, request) ?? wallet.refund(request),
          },
        },
      };
    },
  });
});
afterAll(() => world.stop());
beforeEach(() => {
  ahead = 0;
  take = null;
  find = null;
  give = null;
});

const refused = { outcome: 'NO' as const, reason: 'NETWORK_REFUSED_REFUND', code: 'INVALID_REQUEST' };
const unknown = { outcome: 'UNKNOWN' as const, cause: 'lost' };

async function refunded(yuan = '60.00'): Promise<PaymentId> {
  const paymentId = await world.pay('ok');
  expect(await world.settled(paymentId)).toBe('COMPLETED');
  const { errors } = await world.refund(paymentId, yuan, world.store('ok').merchantId);
  expect(errors).toBeUndefined();
  return paymentId;
}

interface RefundRow {
  status: string;
  leg_status: string;
  failure_reason: string | null;
}

function ending(paymentId: PaymentId): Promise<RefundRow> {
  return world.eventually(15_000, async () => {
    const [row] = await world.payments.em
      .fork()
      .execute<RefundRow[]>(
        'select status, leg_status, failure_reason from refund where payment_id = ? order by created_at desc limit 1',
        [paymentId],
      );
    return row && ['GIVEN', 'REFUSED', 'OWED'].includes(row.leg_status) ? row : null;
  });
}

async function reserved(paymentId: PaymentId): Promise<string | undefined> {
  const [row] = await world.payments.em
    .fork()
    .execute<{ fen: string }[]>('select refunded_buy_minor as fen from payment where id = ?', [paymentId]);
  return row?.fen;
}

const expectSoundBooks = async () => expect(await world.payments.findDiscrepancies()).toEqual([]);

describe('The saga of a refund', () => {
  it('fails at once when the network refuses the first request, and frees what was reserved', async () => {
    take = async () => refused;
    const paymentId = await refunded();
    expect(await ending(paymentId)).toMatchObject({ status: 'FAILED', failure_reason: 'NETWORK_REFUSED_REFUND' });
    expect(await reserved(paymentId)).toBe('0');
    await expectSoundBooks();
  });

  it('does not believe a refused repetition while the first request may have taken the money (M6)', async () => {
    let calls = 0;
    find = async () => ({ outcome: 'MISSING' });
    take = async (real, request) => {
      calls += 1;
      if (calls > 1) return refused;
      await real.refund(request);
      return unknown;
    };
    const paymentId = await refunded();
    await world.eventually(5_000, async () => (calls > 1 ? true : null));
    expect(await reserved(paymentId)).toBe('6000');
    // The network shows it at last.
    find = null;
    expect(await ending(paymentId)).toMatchObject({ status: 'COMPLETED', leg_status: 'GIVEN' });
    await expectSoundBooks();
  });

  it('stays failed when the network takes what it had refused, and the operators are told', async () => {
    const errors = jest.spyOn(silent, 'error');
    const answered = Promise.withResolvers<void>();
    let calls = 0;
    take = async (real, request) => {
      calls += 1;
      if (calls > 1) return refused;
      await real.refund(request);
      const taken = await world.eventually(5_000, async () => {
        const found = await real.inquireRefund(request.refundId, request.networkMerchantId);
        return found.outcome === 'YES' ? found : null;
      });
      // Another one has gone on meanwhile.
      await world.payments.sagas.refunds['work'].advance(request.refundId, null);
      answered.resolve();
      return taken;
    };
    const paymentId = await refunded();
    await answered.promise;
    await world.payments.sagas.refunds.idle();
    expect(await ending(paymentId)).toMatchObject({ status: 'FAILED', leg_status: 'REFUSED' });
    expect(errors.mock.calls.map(([, said]) => said)).toEqual([
      'the network took from the merchant what it had refused to take',
    ]);
    errors.mockRestore();
  });

  it('fails when the network still knows nothing of it half a minute later', async () => {
    let calls = 0;
    find = async () => ({ outcome: 'MISSING' });
    take = async () => {
      calls += 1;
      return calls > 1 ? refused : unknown;
    };
    const paymentId = await refunded();
    await world.eventually(5_000, async () => (calls > 1 ? true : null));
    ahead = MINUTE;
    expect(await ending(paymentId)).toMatchObject({ status: 'FAILED' });
    expect(await reserved(paymentId)).toBe('0');
  });

  it('stays owed to the payer, visibly, when the wallet refuses what the merchant gave', async () => {
    give = async () => ({ outcome: 'NO', reason: 'WALLET_REFUSED_REFUND', code: 'REFUND_TIME_LIMIT_EXCEEDED' });
    const paymentId = await refunded();
    expect(await ending(paymentId)).toEqual({
      status: 'PROCESSING',
      leg_status: 'OWED',
      failure_reason: 'WALLET_REFUSED_REFUND',
    });
    expect(await reserved(paymentId)).toBe('6000');
    await expectSoundBooks();
  });

  it('stays owed when the wallet gave another amount', async () => {
    give = async (real, request) => {
      const answer = await real.refund(request);
      return answer.outcome === 'YES' ? { ...answer, amount: Money.of(1n, 'USD') } : answer;
    };
    expect(await ending(await refunded())).toMatchObject({
      leg_status: 'OWED',
      failure_reason: 'WALLET_AMOUNT_DIFFERS',
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { type MerchantId, newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import * as accounts from '../../../../subgraphs/payments/ledger/account.entity.js';

const payment = 'pay_us_01h0000000000000000000000a' as PaymentId;
const merchant = 'mer_cn_01h0000000000000000000000b' as MerchantId;

describe('An account', () => {
  it('says in its code what it is, of whom, in which currency and on which shard', () => {
    expect([
      accounts.walletClearing('PAYPAL', 'USD', payment),
      accounts.control(payment, 'USD'),
      accounts.fxPosition('CNY', payment),
      accounts.spreadRevenue('USD', payment),
      accounts.feeRevenue('USD', payment),
      accounts.processorFee('PAYPAL', 'USD', payment),
      accounts.merchantPayable(merchant, 'CNY', payment),
    ]).toEqual([
      { code: 'wallet.clearing:PAYPAL:USD:07', currency: 'USD' },
      { code: `payment:${payment}:USD`, currency: 'USD' },
      { code: 'fx.position:CNY:07', currency: 'CNY' },
      { code: 'fx.spread.revenue:USD:07', currency: 'USD' },
      { code: 'fee.revenue:USD:07', currency: 'USD' },
      { code: 'processor.fee:PAYPAL:USD:07', currency: 'USD' },
      { code: `merchant.payable:${merchant}:CNY:07`, currency: 'CNY' },
    ]);
  });

  it('has sixteen shards of the same width, which payments share out', () => {
    const shards = new Set(
      Array.from({ length: 1_000 }, () => accounts.fxPosition('CNY', newId('pay', 'us')).code.split(':')[2]),
    );
    expect([...shards].sort()).toEqual(Array.from({ length: 16 }, (_, shard) => String(shard).padStart(2, '0')));
  });
});

import { describe, expect, it } from '@jest/globals';
import { parseId } from '../../../../subgraphs/kernel/id.js';
import { networkMerchantIdOf } from '../../../../subgraphs/merchants/merchant/network-merchant-id.js';

describe('The id of a merchant that only its network knows', () => {
  it('is an id like any other, the same whoever derives it and whenever (C7)', () => {
    const id = networkMerchantIdOf('WECHAT_PAY', '1600000000');
    expect(parseId('mer', id)).toBe(id);
    // Written down: a change would give every such merchant a second id.
    expect(id).toBe('mer_cn_0k5dvgb031hs9t3cca9wevv30d');
  });

  it('differs for each number', () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => networkMerchantIdOf('WECHAT_PAY', String(index)));
    expect(new Set(ids).size).toBe(1_000);
  });
});

import { describe, expect, it } from '@jest/globals';
import { walletLabel } from '../../../../subgraphs/users/wallet/wallet-label.js';

describe('The label of a wallet', () => {
  it.each([
    ['ada@example.com', 'PayPal a•••@…'],
    ['@', 'PayPal @•••@…'],
    ['+1 (202) 555-0134', 'PayPal ••• 0134'],
    ['2025550134', 'PayPal ••• 0134'],
    ['1234', 'PayPal'],
    ['1234567', 'PayPal'],
    ['', 'PayPal'],
    ['ada', 'PayPal'],
  ])('masks %j as %j', (accountName, label) => {
    expect(walletLabel('PAYPAL', accountName)).toBe(label);
  });
});

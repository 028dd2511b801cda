import { describe, expect, it } from '@jest/globals';
import { simulatorOptions } from '../../../../connectors/paypal/simulator/simulator.configuration.js';

const REQUIRED = {
  BOOKS_DIR: '/books',
  PAYPAL_CLIENT_ID: 'client',
  PAYPAL_CLIENT_SECRET: 'hush',
  PAYPAL_WEBHOOK_ID: 'WH1',
};

describe('The simulator’s environment', () => {
  it('needs a folder and credentials; without a webhook’s address nobody is told anything', () => {
    expect(simulatorOptions(REQUIRED)).toEqual({
      port: 0,
      host: '127.0.0.1',
      publicUrl: undefined,
      booksFolder: '/books',
      clientId: 'client',
      clientSecret: 'hush',
      webhook: null,
      scenarios: {},
      wallets: [],
    });
  });

  it('names wallets, scenarios and the webhook', () => {
    const options = simulatorOptions({
      ...REQUIRED,
      PORT: '4701',
      PAYPAL_WEBHOOK_URL: 'http://127.0.0.1:4000/notifications/paypal',
      PAYPAL_SCENARIOS: '{"code":"declined"}',
      PAYPAL_WALLETS: '[{"vaultId":"v","scenario":"ok"}]',
    });
    expect(options).toMatchObject({
      port: 4701,
      webhook: { id: 'WH1', url: 'http://127.0.0.1:4000/notifications/paypal' },
      scenarios: { code: 'declined' },
      wallets: [{ vaultId: 'v', scenario: 'ok' }],
    });
  });

  it('is refused with every variable that is wrong, empty ones too, and no value', () => {
    const wrong = { ...REQUIRED, BOOKS_DIR: '', PAYPAL_WALLETS: 'hush', PAYPAL_SCENARIOS: '[]', PORT: '70000' };
    const read = () => simulatorOptions(wrong);
    expect(read).toThrow(/BOOKS_DIR[\s\S]*/);
    expect(read).toThrow(/PAYPAL_WALLETS: is not JSON/);
    expect(read).toThrow(/PAYPAL_SCENARIOS/);
    expect(read).toThrow(/PORT/);
    expect(read).not.toThrow(/hush/);
  });
});

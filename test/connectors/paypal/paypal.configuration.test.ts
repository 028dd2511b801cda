import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { paypalConfiguration, paypalVariables } from '../../../connectors/paypal/paypal.configuration.js';

const REQUIRED = { PAYPAL_CLIENT_ID: 'id', PAYPAL_CLIENT_SECRET: 'secret', PAYPAL_WEBHOOK_ID: 'WH1' };

function read(environment: Record<string, string>) {
  return z.object(paypalVariables).safeParse({ ...REQUIRED, ...environment });
}

describe('The configuration', () => {
  it('means the real sandbox and PayPal’s own certificates unless it says otherwise', () => {
    expect(paypalConfiguration(z.object(paypalVariables).parse(REQUIRED))).toEqual({
      baseUrl: 'https://api-m.sandbox.paypal.com',
      clientId: 'id',
      clientSecret: 'secret',
      webhookId: 'WH1',
      certificateHosts: ['.paypal.com'],
      deadlineMs: 10_000,
      notificationMaxAgeMs: 300_000,
    });
  });

  it('takes hosts and exact origins for certificates, comma separated', () => {
    const values = read({ PAYPAL_CERTIFICATE_HOSTS: '.paypal.com, http://127.0.0.1:4701' });
    expect(values.data?.PAYPAL_CERTIFICATE_HOSTS).toEqual(['.paypal.com', 'http://127.0.0.1:4701']);
  });

  it.each(['', '.com', '*', 'https://paypal.com/certs', '.paypal.com,'])(
    'refuses %j as a place for certificates: it would let in more than was meant',
    (hosts) => {
      expect(read({ PAYPAL_CERTIFICATE_HOSTS: hosts }).success).toBe(false);
    },
  );

  it.each([
    ['PAYPAL_BASE_URL', 'ftp://paypal.com'],
    ['PAYPAL_CLIENT_ID', ''],
    ['PAYPAL_DEADLINE_MS', '0'],
    ['PAYPAL_NOTIFICATION_MAX_AGE_MS', 'soon'],
  ])('refuses %s=%j', (name, value) => {
    expect(read({ [name]: value }).error?.issues.map((issue) => issue.path)).toEqual([[name]]);
  });
});

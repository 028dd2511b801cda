import { describe, expect, it } from '@jest/globals';
import { isAllowed } from '../../../connectors/paypal/paypal.certificate.js';

const ALLOWED = ['.paypal.com', 'http://127.0.0.1:4701'];

describe('A certificate may come from', () => {
  it.each([
    'https://api.paypal.com/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1',
    'https://paypal.com/c',
    'https://API.PAYPAL.COM/c',
    'https://api.paypal.com:443/c',
    'http://127.0.0.1:4701/v1/notifications/certs/CERT-1',
  ])('%s', (address) => {
    expect(isAllowed(address, ALLOWED)).toBe(true);
  });
});

describe('A certificate may not come from', () => {
  it.each([
    'http://api.paypal.com/c',
    'https://evilpaypal.com/c',
    'https://api.paypal.com.evil.com/c',
    'https://evil.com/.paypal.com',
    'https://evil.com/?u=https://api.paypal.com/c',
    'https://api.paypal.com@evil.com/c',
    'https://user:password@api.paypal.com/c',
    'https://api.paypal.com:8443/c',
    'https://evil.com#.paypal.com',
    'http://127.0.0.1:4702/c',
    'https://127.0.0.1:4701/c',
    'http://127.0.0.1:4701.evil.com/c',
    'ftp://api.paypal.com/c',
    '//api.paypal.com/c',
    '',
  ])('%j', (address) => {
    expect(isAllowed(address, ALLOWED)).toBe(false);
  });

  it('anywhere when nothing is allowed', () => {
    expect(isAllowed('https://api.paypal.com/c', [])).toBe(false);
  });
});

import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { platformCertificate } from '../../../../connectors/wechat-pay/simulator/certificate.js';
import { platformKeys } from '../network.fixture.js';

const FROM = new Date('2026-11-22T00:00:00Z');
const make = (serial: string, until = new Date('2031-01-01T00:00:00Z')) =>
  new X509Certificate(platformCertificate(serial, platformKeys.privateKey, FROM, until));

describe('The certificate of the platform', () => {
  it('makes a certificate that OpenSSL reads and that its own key signed', () => {
    const certificate = make('5157F09EFDC096DE15EBE81A47057A7232F1B8E1');
    expect(certificate.verify(platformKeys.publicKey)).toBe(true);
    expect(certificate.publicKey.equals(platformKeys.publicKey)).toBe(true);
    expect(certificate.subject).toBe('CN=Tenpay.com Simulator');
    expect(certificate.validFromDate).toEqual(FROM);
    expect(certificate.validToDate).toEqual(new Date('2031-01-01T00:00:00Z'));
  });

  it.each([
    ['5157F09EFDC096DE15EBE81A47057A7232F1B8E1', '5157F09EFDC096DE15EBE81A47057A7232F1B8E1'],
    ['FF01', 'FF01'],
    ['00FF', 'FF'],
  ])('carries the serial %s as a positive number', (serial, written) => {
    expect(make(serial).serialNumber).toBe(written);
  });

  it('gives a serial that is no number one of its own, always the same', () => {
    expect(make('platform-1').serialNumber).toBe(make('platform-1').serialNumber);
    expect(make('platform-1').serialNumber).not.toBe(make('platform-2').serialNumber);
  });

  it('writes years after 2049 too', () => {
    expect(make('AB12', new Date('2051-06-01T00:00:00Z')).validToDate).toEqual(new Date('2051-06-01T00:00:00Z'));
  });
});

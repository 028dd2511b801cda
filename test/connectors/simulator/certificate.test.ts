import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { selfSigned } from '../../../connectors/simulator/certificate.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const from = new Date('2026-11-22T00:00:00Z');
const make = (serial: string, until = new Date('2031-01-01T00:00:00Z')) =>
  new X509Certificate(selfSigned({ name: 'Someone 面', serial: Buffer.from(serial, 'hex'), privateKey, from, until }));

describe('A self-signed certificate', () => {
  it('is one that Node reads, of its own key and signed by it', () => {
    const certificate = make('0102');
    expect(certificate.subject).toBe('CN=Someone 面');
    expect(certificate.issuer).toBe('CN=Someone 面');
    expect(certificate.validFromDate).toEqual(from);
    expect(certificate.validToDate).toEqual(new Date('2031-01-01T00:00:00Z'));
    expect(certificate.publicKey.equals(publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(certificate.verify(publicKey)).toBe(true);
    expect(certificate.verify(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).toBe(false);
  });

  it.each([
    ['5157F09EFDC096DE15EBE81A47057A7232F1B8E1', '5157F09EFDC096DE15EBE81A47057A7232F1B8E1'],
    ['FF01', 'FF01'],
    ['00FF', 'FF'],
    ['00', '00'],
  ])('carries the serial %s as a positive number in its shortest form', (serial, written) => {
    expect(make(serial).serialNumber.padStart(written.length, '0')).toBe(written);
  });

  it('writes years after 2049 too', () => {
    expect(make('AB12', new Date('2051-06-01T00:00:00Z')).validToDate).toEqual(new Date('2051-06-01T00:00:00Z'));
  });
});

import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { selfSigned, signingCertificateIn } from '../../../../connectors/paypal/simulator/certificate.js';
import { closeEverything, freshFolder } from '../counterpart.js';

afterEach(closeEverything);

describe('The signing certificate', () => {
  it('is a certificate that Node reads, signed by its own key', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const certificate = new X509Certificate(
      selfSigned('Someone', privateKey, publicKey, new Date('2026-11-22T12:34:56Z')),
    );
    expect(certificate.subject).toBe('CN=Someone');
    expect(certificate.issuer).toBe('CN=Someone');
    expect(certificate.validFromDate).toEqual(new Date('2026-11-21T12:34:56Z'));
    expect(certificate.validToDate.getUTCFullYear()).toBe(2036);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(certificate.verify(publicKey)).toBe(true);
    expect(certificate.verify(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).toBe(false);
  });

  it('is made at the first start, kept for the next, and closed to other users', async () => {
    const folder = freshFolder();
    const first = await signingCertificateIn(folder);
    const second = await signingCertificateIn(folder);
    expect(second.pem).toBe(first.pem);
    expect(second.fingerprint).toMatch(/^[0-9A-F]{32}$/);
    expect(createPublicKey(second.key).equals(new X509Certificate(first.pem).publicKey)).toBe(true);
    expect(first.pem).not.toContain('PRIVATE');
    if (process.platform !== 'win32') expect(statSync(join(folder, 'notification.pem')).mode & 0o077).toBe(0);
    expect((await signingCertificateIn(freshFolder())).fingerprint).not.toBe(first.fingerprint);
  });
});

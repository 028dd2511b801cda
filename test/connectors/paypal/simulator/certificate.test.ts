import { createPublicKey, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { signingCertificateIn } from '../../../../connectors/paypal/simulator/certificate.js';
import { closeEverything, freshFolder } from '../counterpart.js';

afterEach(closeEverything);

describe('The signing certificate', () => {
  it('has begun a day ago and lasts ten years: clocks differ', async () => {
    const { pem } = await signingCertificateIn(freshFolder());
    const { validFromDate, validToDate, subject } = new X509Certificate(pem);
    expect(subject).toBe('CN=PayPal simulator (development)');
    expect(Date.now() - validFromDate.getTime()).toBeGreaterThan(23 * 3_600_000);
    expect(validToDate.getUTCFullYear()).toBeGreaterThanOrEqual(new Date().getUTCFullYear() + 9);
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

import { createPrivateKey, generateKeyPair, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, DAY } from '../../../subgraphs/kernel/clock.js';
import { selfSigned } from '../../simulator/certificate.js';

/** What notifications are signed with, and what shows the world that they were. */
export interface SigningCertificate {
  readonly key: KeyObject;
  readonly pem: string;
  /** Changes with the key, so that an address with it in never serves another certificate. */
  readonly fingerprint: string;
}

/** The pair kept in `folder`; made at the first start, so that no key lies in the repository. */
export async function signingCertificateIn(folder: string): Promise<SigningCertificate> {
  const file = join(folder, 'notification.pem');
  const known = await readFile(file, 'utf8').catch(() => null);
  const both = known ?? (await create());
  if (known === null) {
    // In one file and by renaming, so that a kill leaves both or none.
    await writeFile(`${file}.new`, both, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  const certificate = new X509Certificate(both);
  return {
    key: createPrivateKey(both),
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').slice(0, 32),
  };
}

async function create(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const now = new Date();
  const certificate = selfSigned({
    name: 'PayPal simulator (development)',
    serial: randomBytes(16),
    privateKey,
    // A day early: clocks differ.
    from: after(now, -DAY),
    until: after(now, 3_650 * DAY),
  });
  return `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${certificate}`;
}

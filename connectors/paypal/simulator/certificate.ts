import {
  createPrivateKey,
  createSign,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, DAY } from '../../../subgraphs/kernel/clock.js';
import { bitString, integer, nothing, objectIdentifier, sequence, set, utcTime, utf8String } from './der.js';

const COMMON_NAME = '2.5.4.3';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

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
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const certificate = selfSigned('PayPal simulator (development)', privateKey, publicKey, new Date());
  return `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${pemOf(certificate)}`;
}

/** A minimal X.509 certificate (RFC 5280, version 1), good for ten years: Node can read certificates but not make them. */
export function selfSigned(name: string, privateKey: KeyObject, publicKey: KeyObject, from: Date): Buffer {
  const algorithm = sequence(objectIdentifier(SHA256_WITH_RSA), nothing());
  const subject = sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(name))));
  const toBeSigned = sequence(
    // The first bit zero keeps it positive, the next one keeps it at full length.
    integer(Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    algorithm,
    subject,
    // A day early: clocks differ.
    sequence(utcTime(after(from, -DAY)), utcTime(after(from, 3_650 * DAY))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(toBeSigned).sign(privateKey);
  return sequence(toBeSigned, algorithm, bitString(signature));
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

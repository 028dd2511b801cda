import { createPublicKey, createSign, type KeyObject } from 'node:crypto';
import { bitString, integer, nothing, objectIdentifier, sequence, set, tagged, time, utf8String } from './der.js';

const COMMON_NAME = '2.5.4.3';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const VERSION_3 = Buffer.of(2);

export interface CertificateContent {
  readonly name: string;
  /** A number of at least zero, most significant byte first; at most 20 bytes. */
  readonly serial: Buffer;
  /** RSA: it signs the certificate. */
  readonly privateKey: KeyObject;
  /** Whose certificate it is: that of the private key unless said otherwise. */
  readonly publicKey?: KeyObject;
  readonly from: Date;
  readonly until: Date;
}

/** A minimal X.509 certificate (RFC 5280) as PEM, which any reader takes. */
export function selfSigned(content: CertificateContent): string {
  const { name, serial, privateKey, publicKey = createPublicKey(privateKey), from, until } = content;
  const algorithm = sequence(objectIdentifier(SHA256_WITH_RSA), nothing());
  const subject = sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(name))));
  const toBeSigned = sequence(
    tagged(0, integer(VERSION_3)),
    integer(serial),
    algorithm,
    subject,
    sequence(time(from), time(until)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(toBeSigned).sign(privateKey);
  return pemOf(sequence(toBeSigned, algorithm, bitString(signature)));
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

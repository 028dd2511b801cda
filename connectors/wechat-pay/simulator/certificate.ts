import { createHash, createPublicKey, createSign, type KeyObject } from 'node:crypto';

const SHA256_WITH_RSA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const COMMON_NAME = [0x55, 0x04, 0x03];

/**
 * A self-signed X.509 certificate (PEM) for an RSA key. Just enough DER (ITU-T X.690) that any reader takes it: the protocol
 * hands out its keys as certificates, and a simulator must not need openssl for that.
 */
export function selfSigned(name: string, serial: string, privateKey: KeyObject, from: Date, until: Date): string {
  const algorithm = sequence(der(0x06, Buffer.from(SHA256_WITH_RSA)), der(0x05, Buffer.alloc(0)));
  const distinguishedName = sequence(
    der(0x31, sequence(der(0x06, Buffer.from(COMMON_NAME)), der(0x0c, Buffer.from(name, 'utf8')))),
  );
  const unsigned = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serialNumber(serial)),
    algorithm,
    distinguishedName,
    sequence(time(from), time(until)),
    distinguishedName,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(unsigned).sign(privateKey);
  const certificate = sequence(unsigned, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A serial in hexadecimal is the number itself; any other name is hashed to one of 20 bytes, the longest allowed. */
function serialNumber(serial: string): Buffer {
  if (/^(?:[0-9A-F]{2}){1,20}$/i.test(serial)) return Buffer.from(serial, 'hex');
  return createHash('sha256').update(serial).digest().subarray(0, 19);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** Positive: a leading bit of one would make it negative, leading zeros would not be DER. */
function integer(bytes: Buffer): Buffer {
  const significant = bytes.subarray(
    Math.max(
      0,
      bytes.findIndex((byte) => byte !== 0),
    ),
  );
  return der(0x02, (significant[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), significant]) : significant);
}

/** RFC 5280: UTCTime with two digits for the year until 2049, GeneralizedTime with four from then on. */
function time(moment: Date): Buffer {
  const digits = moment.toISOString().replace(/[-:T]|\.\d+/g, '');
  return moment.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function der(tag: number, content: Uint8Array): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

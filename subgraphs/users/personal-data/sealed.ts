import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const VERSION = 1;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const OVERHEAD = 1 + NONCE_LENGTH + TAG_LENGTH;

/** The length of every key here, in bytes. */
export const KEY_LENGTH = 32;

/**
 * Encrypts: version, nonce, ciphertext, tag. `place` is authenticated with it, so that a value that was copied to
 * another place does not open there. Nonces are random: no key seals anywhere near the 2³² values that allows.
 */
export function seal(key: Buffer, plain: Buffer, place: string): Buffer {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(Buffer.from(place, 'utf8'));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()]);
}

/** Thrown when a sealed value does not open: another key, another place, or altered. Says nothing of its content. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** @throws SealBroken */
export function open(key: Buffer, sealed: Buffer, place: string): Buffer {
  if (sealed.length < OVERHEAD || sealed[0] !== VERSION) throw new SealBroken(`${place} is not a sealed value`);
  const nonce = sealed.subarray(1, 1 + NONCE_LENGTH);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.from(place, 'utf8'));
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_LENGTH, -TAG_LENGTH)), decipher.final()]);
  } catch {
    throw new SealBroken(`${place} does not open with this key`);
  }
}

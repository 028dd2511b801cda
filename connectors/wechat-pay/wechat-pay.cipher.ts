import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';

const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;

/** What WeChat Pay encrypts for us: notifications and certificates. The last 16 bytes of the ciphertext are the tag. */
export const sealed = z.object({
  algorithm: z.literal('AEAD_AES_256_GCM'),
  ciphertext: z.base64(),
  associated_data: z.string().default(''),
  nonce: z.string().refine((text) => Buffer.byteLength(text) === NONCE_LENGTH, 'must be 12 bytes long'),
});
export type Sealed = z.infer<typeof sealed>;

/** The text within, or null when the key, the associated data or a single bit is wrong. */
export function open({ ciphertext, associated_data, nonce }: Sealed, apiV3Key: Uint8Array): string | null {
  const bytes = Buffer.from(ciphertext, 'base64');
  if (bytes.length < TAG_LENGTH) return null;
  const decipher = createDecipheriv('aes-256-gcm', apiV3Key, Buffer.from(nonce), { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.from(associated_data)).setAuthTag(bytes.subarray(-TAG_LENGTH));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_LENGTH)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** The other side of `open`, as the platform does it. */
export function seal(text: string, associatedData: string, apiV3Key: Uint8Array): Sealed {
  const nonce = randomBytes(NONCE_LENGTH / 2).toString('hex');
  const cipher = createCipheriv('aes-256-gcm', apiV3Key, Buffer.from(nonce), { authTagLength: TAG_LENGTH });
  cipher.setAAD(Buffer.from(associatedData));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  );
  return { algorithm: 'AEAD_AES_256_GCM', ciphertext, associated_data: associatedData, nonce };
}

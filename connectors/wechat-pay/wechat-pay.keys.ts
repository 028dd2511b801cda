import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

const SMALLEST_KEY = 2048;

/** An RSA private key as an environment holds it: PEM (newlines may be written `\n`) or base64 of PKCS#8. */
export const privateKey = z
  .string()
  .min(1)
  .transform(
    readKey((text) =>
      isPem(text)
        ? createPrivateKey(pem(text))
        : createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' }),
    ),
  );

/** An RSA public key: PEM or base64 of SPKI. */
export const publicKey = z
  .string()
  .min(1)
  .transform(
    readKey((text) =>
      isPem(text)
        ? createPublicKey(pem(text))
        : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' }),
    ),
  );

/** The APIv3 key: 32 bytes of text, the key of everything that WeChat Pay encrypts for us. */
export const apiV3Key = z
  .string()
  .refine((text) => Buffer.byteLength(text) === 32, 'must be 32 bytes long')
  .transform((text) => Buffer.from(text));

function readKey(read: (text: string) => KeyObject) {
  return (text: string, context: z.RefinementCtx): KeyObject => {
    try {
      const key = read(text.trim());
      if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= SMALLEST_KEY) return key;
      context.addIssue({ code: 'custom', message: `must be an RSA key of at least ${SMALLEST_KEY} bits` });
    } catch {
      // The reason is left out on purpose: it may quote the key.
      context.addIssue({ code: 'custom', message: 'is not a readable key' });
    }
    return z.NEVER;
  };
}

function isPem(text: string): boolean {
  return text.startsWith('-----BEGIN');
}

function pem(text: string): string {
  return text.replaceAll('\\n', '\n');
}

import { generateKeyPair, randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK, generateKeyPair as generateJwtKeys } from 'jose';
import { z } from 'zod';
import { messageOf } from '../subgraphs/kernel/error.js';
import { newSigningKey } from '../subgraphs/kernel/principal.token.js';
import { readOrCreate } from './file.js';

const signingKey = z.object({ privateKey: z.string(), publicKey: z.string() });
const rsaKey = z.object({ serial: z.string(), privateKey: z.string(), publicKey: z.string() });

const secretsSchema = z.object({
  /** Who vouches for principals, and with what key. */
  internal: z.object({ gateway: signingKey, payments: signingKey }),
  /** Wraps the keys of personal data: 32 bytes in base64. */
  personalDataKey: z.string(),
  /** Signs the development tokens: a private JWK. */
  issuer: z.record(z.string(), z.unknown()),
  paypal: z.object({ clientId: z.string(), clientSecret: z.string(), webhookId: z.string() }),
  wechatPay: z.object({
    mchid: z.string(),
    appid: z.string(),
    apiV3Key: z.string(),
    /** Ours: signs what we ask. */
    merchant: rsaKey,
    /** Theirs: signs what they answer. */
    platform: rsaKey,
  }),
});

export type Secrets = z.infer<typeof secretsSchema>;

/**
 * The secrets of one development machine: made once, kept in a file that only its owner reads. Nothing in them opens
 * anything elsewhere.
 * @throws Error that names the file when it is not ours
 */
export async function secretsIn(file: string): Promise<Secrets> {
  const text = await readOrCreate(file, async () => `${JSON.stringify(await newSecrets(), null, 2)}\n`);
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (thrown) {
    // Made anew, they would not open the data beside them.
    throw new Error(
      `${file} is damaged (${messageOf(thrown)}). Restore it, or remove the whole folder to start afresh.`,
    );
  }
}

/** Secrets that no file keeps: for tests. */
export async function newSecrets(): Promise<Secrets> {
  const [merchant, platform, issuer] = await Promise.all([newRsaKey(), newRsaKey(), newIssuerKey()]);
  return {
    internal: { gateway: newSigningKey(), payments: newSigningKey() },
    personalDataKey: randomBytes(32).toString('base64'),
    issuer,
    paypal: {
      clientId: `A${randomBytes(30).toString('base64url')}`,
      clientSecret: `E${randomBytes(30).toString('base64url')}`,
      webhookId: randomBytes(9).toString('hex').slice(0, 17).toUpperCase(),
    },
    wechatPay: {
      mchid: `19${randomInt(10_000_000, 99_999_999)}`,
      appid: `wx${randomBytes(8).toString('hex')}`,
      // 32 characters, of which AES-256 takes the bytes as they are.
      apiV3Key: randomBytes(16).toString('hex'),
      merchant,
      platform,
    },
  };
}

async function newRsaKey(): Promise<z.infer<typeof rsaKey>> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  });
  return { serial: randomBytes(20).toString('hex').toUpperCase(), privateKey, publicKey };
}

async function newIssuerKey(): Promise<Record<string, unknown>> {
  const { privateKey } = await generateJwtKeys('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256' };
}

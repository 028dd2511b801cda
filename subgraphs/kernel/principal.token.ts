import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ForbiddenError } from './error.js';
import { Principal, principalKinds } from './principal.js';

/** The header by which the gateway and our own services vouch for who asks. Clients can never set it. */
export const PRINCIPAL_HEADER = 'x-sojourn-principal';

const LIFETIME_SECONDS = 60;
const AUDIENCE = 'sojourn-subgraphs';

const claimsSchema = z.object({
  iss: z.string(),
  kind: z.enum(principalKinds),
  subject: z.string(),
  scopes: z.array(z.string()),
  merchantIds: z.array(z.string()),
  exp: z.number(),
});

/**
 * Signs principals for one issuer. Ed25519: who can check a signature cannot make one, so a subgraph that is broken
 * into cannot speak for the gateway.
 */
export class PrincipalSigner {
  private readonly signed = new LRUCache<string, { token: string; renewAt: number }>({ max: 10_000 });
  private readonly key: KeyObject;

  /** @param privateKey PKCS#8 in base64, as `newSigningKey` makes it */
  constructor(
    readonly issuer: string,
    privateKey: string,
    private readonly now: () => number = Date.now,
  ) {
    this.key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  }

  /** A token for this principal, valid for at least half a minute. */
  async sign(principal: Principal): Promise<string> {
    const cached = this.signed.get(principal.fingerprint);
    if (cached && cached.renewAt > this.now()) return cached.token;
    const issuedAt = Math.floor(this.now() / 1_000);
    const token = await new SignJWT({
      kind: principal.kind,
      subject: principal.subject,
      scopes: principal.scopes,
      merchantIds: principal.merchantIds,
    })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(this.issuer)
      .setAudience(AUDIENCE)
      .setExpirationTime(issuedAt + LIFETIME_SECONDS)
      .sign(this.key);
    this.signed.set(principal.fingerprint, { token, renewAt: this.now() + (LIFETIME_SECONDS * 1_000) / 2 });
    return token;
  }
}

/** Checks principals. The gateway may vouch for anyone but services; a service only for itself. */
export class PrincipalVerifier {
  private readonly verified = new LRUCache<string, { principal: Principal; expiresAt: number }>({ max: 10_000 });
  private readonly keys: ReadonlyMap<string, KeyObject>;

  /** @param publicKeys issuer → SPKI in base64 */
  constructor(
    publicKeys: Readonly<Record<string, string>>,
    private readonly now: () => number = Date.now,
  ) {
    this.keys = new Map(
      Object.entries(publicKeys).map(([issuer, key]) => [
        issuer,
        createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' }),
      ]),
    );
  }

  /** @throws ForbiddenError UNAUTHENTICATED when the token is missing, forged, stale or beyond its issuer's rights */
  async verify(token: string | undefined): Promise<Principal> {
    if (!token) throw refused();
    const cacheKey = createHash('sha256').update(token).digest('base64');
    const cached = this.verified.get(cacheKey);
    if (cached && cached.expiresAt > this.now()) return cached.principal;
    const claims = await this.claimsOf(token);
    const mayVouch = claims.kind === 'SERVICE' ? claims.subject === claims.iss : claims.iss === 'gateway';
    if (!mayVouch) throw refused();
    const principal = new Principal(claims);
    this.verified.set(cacheKey, { principal, expiresAt: claims.exp * 1_000 });
    return principal;
  }

  private async claimsOf(token: string): Promise<z.infer<typeof claimsSchema>> {
    try {
      const issuer = z.object({ iss: z.string() }).parse(decodePayload(token)).iss;
      const key = this.keys.get(issuer);
      if (!key) throw refused();
      const { payload } = await jwtVerify(token, key, {
        issuer,
        audience: AUDIENCE,
        algorithms: ['EdDSA'],
        currentDate: new Date(this.now()),
      });
      return claimsSchema.parse(payload);
    } catch {
      // Why it failed helps only a forger.
      throw refused();
    }
  }
}

/** A new Ed25519 key pair, both halves in base64 (PKCS#8 and SPKI): for development, tests and key rotation. */
export function newSigningKey(): { privateKey: string; publicKey: string } {
  const pair = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  });
  return { privateKey: pair.privateKey.toString('base64'), publicKey: pair.publicKey.toString('base64') };
}

function decodePayload(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

function refused(): ForbiddenError {
  return new ForbiddenError('This request does not come through the gateway.', 'UNAUTHENTICATED');
}

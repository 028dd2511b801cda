import { calculateJwkThumbprint, importJWK, type JSONWebKeySet, type JWK, SignJWT } from 'jose';
import type { PrincipalClaims } from '../subgraphs/kernel/principal.js';

/** What our gateway expects as `aud`. */
export const AUDIENCE = 'sojourn';
const LIFETIME_SECONDS = 7 * 24 * 3_600;

/** Signs people in without asking anything: a stand-in, on one machine, for the identity provider of a real one. */
export class DevelopmentIssuer {
  private constructor(
    /** `iss` of its tokens. */
    readonly issuer: string,
    private readonly key: Awaited<ReturnType<typeof importJWK>>,
    private readonly publicKey: JWK,
    private readonly now: () => number,
  ) {}

  /** @param privateKey an ES256 private JWK */
  static async create(issuer: string, privateKey: JWK, now: () => number = Date.now): Promise<DevelopmentIssuer> {
    const { kty, crv, x, y } = privateKey;
    const publicKey = { kty, crv, x, y } as JWK;
    const kid = await calculateJwkThumbprint(publicKey);
    const key = await importJWK(privateKey, 'ES256');
    return new DevelopmentIssuer(issuer, key, { ...publicKey, kid, alg: 'ES256', use: 'sig' }, now);
  }

  /** The public half, as an identity provider publishes it. */
  jwks(): JSONWebKeySet {
    return { keys: [this.publicKey] };
  }

  /** A bearer token for this identity, valid for a week. */
  async issue(identity: PrincipalClaims, lifetimeSeconds = LIFETIME_SECONDS): Promise<string> {
    const issuedAt = Math.floor(this.now() / 1_000);
    return new SignJWT({
      kind: identity.kind,
      scope: identity.scopes.join(' '),
      merchants: identity.merchantIds,
    })
      .setProtectedHeader({ alg: 'ES256', kid: this.publicKey.kid ?? '', typ: 'JWT' })
      .setIssuer(this.issuer)
      .setAudience(AUDIENCE)
      .setSubject(identity.subject)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(this.key);
  }
}

/** A token for each of these identities, by the same names. */
export async function issueAll<Who extends string>(
  issuer: DevelopmentIssuer,
  identities: Readonly<Record<Who, PrincipalClaims>>,
): Promise<Record<Who, string>> {
  const names = Object.keys(identities) as Who[];
  const tokens = await Promise.all(names.map((who) => issuer.issue(identities[who])));
  return Object.fromEntries(names.map((who, index) => [who, tokens[index]])) as Record<Who, string>;
}

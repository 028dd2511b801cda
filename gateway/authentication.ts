import { createHash } from 'node:crypto';
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Clock, SECOND, systemClock } from '../subgraphs/kernel/clock.js';
import { DomainError, ForbiddenError, UnavailableError } from '../subgraphs/kernel/error.js';
import { Principal } from '../subgraphs/kernel/principal.js';
import type { Identity } from './context.js';

/** Turns an `Authorization` header (or the same value in a WebSocket's connection_init) into who asks. */
export interface Authenticator {
  /**
   * No header is a stranger.
   * @throws ForbiddenError UNAUTHENTICATED for a token that is malformed, forged, foreign or expired
   * @throws UnavailableError SIGN_IN_UNAVAILABLE when the issuer's keys cannot be had
   */
  authenticate(authorization: string | undefined): Promise<Identity>;
}

export interface JwtAuthenticatorOptions {
  /** The issuer's keys: `createRemoteJWKSet(url)` or `createLocalJWKSet(keys)` of jose. */
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
  readonly now?: Clock;
}

// SERVICE and ANONYMOUS are ours to say, never a token's.
const claimsSchema = z.object({
  sub: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
  kind: z.enum(['TRAVELER', 'MERCHANT', 'PARTNER', 'OPERATOR']),
  scope: z.string().default(''),
  merchants: z.array(z.string()).default([]),
  exp: z.number(),
});

// Never a shared secret: whoever can check such a token can make one.
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'PS256', 'RS256'];

// A token seen before is believed this long without its signature being checked again: so long may a withdrawn key live.
const TRUSTED_FOR = 60 * SECOND;

const STRANGER: Identity = { principal: Principal.anonymous(), expiresAt: null };

/** Where nobody signs in. A token says nothing here, and does no harm either. */
export const everyoneIsAStranger: Authenticator = { authenticate: async () => STRANGER };

/** Checks bearer tokens by the issuer's published keys. */
export function jwtAuthenticator(options: JwtAuthenticatorOptions): Authenticator {
  const now = options.now ?? systemClock;
  const seen = new LRUCache<string, Identity>({ max: 10_000, ttl: TRUSTED_FOR });

  const verify = async (token: string): Promise<Identity> => {
    try {
      const { payload } = await jwtVerify(token, options.keys, {
        issuer: options.issuer,
        audience: options.audience,
        algorithms: ALGORITHMS,
        currentDate: now(),
      });
      const { sub, kind, scope, merchants, exp } = claimsSchema.parse(payload);
      const scopes = scope.split(' ').filter((word) => word !== '');
      return {
        principal: new Principal({ kind, subject: sub, scopes, merchantIds: merchants }),
        expiresAt: new Date(exp * SECOND),
      };
    } catch (thrown) {
      throw keysMissing(thrown) ? noKeys(thrown) : unauthenticated();
    }
  };

  return {
    async authenticate(authorization) {
      if (!authorization) return STRANGER;
      const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization.trim())?.[1];
      if (!token) throw unauthenticated();
      const key = createHash('sha256').update(token).digest('base64');
      const known = seen.get(key);
      const identity = known ?? (await verify(token));
      if (identity.expiresAt && identity.expiresAt <= now()) throw unauthenticated();
      if (!known) seen.set(key, identity);
      return identity;
    },
  };
}

/** What a client reads when its token does not hold, at the start or in the middle of a stream. */
export function unauthenticated(): ForbiddenError {
  // Which check failed helps only a forger.
  return new ForbiddenError('Your token is not valid or has expired. Sign in again.', 'UNAUTHENTICATED');
}

/** Whether it is not the token that is wrong. Whatever is neither jose's verdict nor ours came from fetching the keys. */
function keysMissing(thrown: unknown): boolean {
  if (thrown instanceof errors.JWKSTimeout || thrown instanceof errors.JWKSInvalid) return true;
  // jose's bare base class: a bad HTTP answer.
  if (thrown instanceof errors.JOSEError) return thrown.code === 'ERR_JOSE_GENERIC';
  return !(thrown instanceof z.ZodError) && !(thrown instanceof DomainError);
}

function noKeys(cause: unknown): UnavailableError {
  const error = new UnavailableError('SIGN_IN_UNAVAILABLE', 'Your token cannot be checked at the moment. Try again.');
  error.cause = cause;
  return error;
}

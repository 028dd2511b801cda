import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, SECOND } from '../../../subgraphs/kernel/clock.js';
import { unauthenticated } from './refusal.js';
import type { Reply } from './server.js';

export interface TokenOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly lifetimeSeconds: number;
}

/** Issues access tokens and knows them again. In memory: after a restart clients have to ask for new ones. */
export class Tokens {
  private readonly expiry = new Map<string, number>();

  constructor(
    private readonly options: TokenOptions,
    private readonly now: Clock,
  ) {}

  /** OAuth 2.0 client credentials (RFC 6749, 4.4), whose errors have a form of their own. */
  issue(authorization: string | undefined, form: string): Reply {
    const { clientId, clientSecret, lifetimeSeconds } = this.options;
    const expected = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    if (!isSame(authorization ?? '', expected))
      return { status: 401, body: { error: 'invalid_client', error_description: 'Client Authentication failed' } };
    if (new URLSearchParams(form).get('grant_type') !== 'client_credentials')
      return { status: 400, body: { error: 'unsupported_grant_type', error_description: 'Grant Type is NULL' } };
    const value = `A21AA${randomBytes(32).toString('base64url')}`;
    this.forgetExpired();
    this.expiry.set(value, this.now().getTime() + lifetimeSeconds * SECOND);
    return {
      status: 200,
      body: {
        scope:
          'https://uri.paypal.com/services/payments/realtimepayment https://uri.paypal.com/services/payments/refund',
        access_token: value,
        token_type: 'Bearer',
        app_id: 'APP-80W284485P519543T',
        expires_in: lifetimeSeconds,
        nonce: `${this.now().toISOString()}${randomBytes(16).toString('base64url')}`,
      },
    };
  }

  /** @throws Refusal without a token that we issued and that has not expired */
  check(authorization: string | undefined): void {
    const [scheme, value = ''] = (authorization ?? '').split(' ');
    if (scheme !== 'Bearer' || this.now().getTime() >= (this.expiry.get(value) ?? 0)) throw unauthenticated();
  }

  private forgetExpired(): void {
    const time = this.now().getTime();
    for (const [value, until] of this.expiry) if (time >= until) this.expiry.delete(value);
  }
}

/** In a time that does not tell how much of it is right. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

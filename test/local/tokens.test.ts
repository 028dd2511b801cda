import { beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import { type Authenticator, jwtAuthenticator } from '../../gateway/authentication.js';
import { newSecrets } from '../../local/secrets.js';
import { identities } from '../../local/seed.identities.js';
import { AUDIENCE, DevelopmentIssuer } from '../../local/tokens.js';

const ISSUER = 'http://127.0.0.1:4000/dev';

let issuer: DevelopmentIssuer;
let now = Date.now();

function gatewayThatTrusts(trusted: DevelopmentIssuer): Authenticator {
  return jwtAuthenticator({
    keys: createLocalJWKSet(trusted.jwks()),
    issuer: ISSUER,
    audience: AUDIENCE,
    now: () => new Date(now),
  });
}

beforeAll(async () => {
  issuer = await DevelopmentIssuer.create(ISSUER, (await newSecrets()).issuer, () => now);
});

describe('Development tokens', () => {
  it.each(Object.entries(identities))(
    'sign the %s in at the gateway with exactly their rights',
    async (_who, identity) => {
      const { principal } = await gatewayThatTrusts(issuer).authenticate(`Bearer ${await issuer.issue(identity)}`);
      expect({ ...principal }).toEqual({
        kind: identity.kind,
        subject: identity.subject,
        scopes: identity.scopes,
        merchantIds: identity.merchantIds,
      });
    },
  );

  it('are refused where another issuer is trusted', async () => {
    const other = await DevelopmentIssuer.create(ISSUER, (await newSecrets()).issuer);
    const token = await issuer.issue(identities.traveler);
    await expect(gatewayThatTrusts(other).authenticate(`Bearer ${token}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('expire', async () => {
    const token = await issuer.issue(identities.traveler, 60);
    const gateway = gatewayThatTrusts(issuer);
    await gateway.authenticate(`Bearer ${token}`);
    now += 61_000;
    await expect(gateway.authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('are published by a key set that cannot sign', () => {
    const [key] = issuer.jwks().keys;
    expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
    expect(key).not.toHaveProperty('d');
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, createRemoteJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type Authenticator, jwtAuthenticator } from '../../gateway/authentication.js';

const issuer = 'https://sign-in.example';
const audience = 'sojourn';
const merchant = 'mer_cn_01jd0000000000000000000000';

let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let jwks: { keys: object[] };
let clock: Date;
let authenticator: Authenticator;
beforeAll(async () => {
  keys = await generateKeyPair('ES256');
  jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), alg: 'ES256', kid: 'one' }] };
  clock = new Date();
  authenticator = jwtAuthenticator({ keys: createLocalJWKSet(jwks), issuer, audience, now: () => clock });
});

const claims = (more: JWTPayload = {}): JWTPayload => ({
  iss: issuer,
  aud: audience,
  sub: 'mem_cn_one',
  kind: 'MERCHANT',
  scope: 'payments:read refunds:write',
  merchants: [merchant],
  exp: Math.floor(Date.now() / 1_000) + 60,
  ...more,
});
const sign = async (payload: JWTPayload, key = keys.privateKey, kid = 'one') =>
  `Bearer ${await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(key)}`;

const refused = { code: 'UNAUTHENTICATED' };

describe('Authentication', () => {
  it('makes a principal of a token, with its kind, scopes, merchants and end', async () => {
    const { principal, expiresAt } = await authenticator.authenticate(await sign(claims()));
    expect(principal).toMatchObject({ kind: 'MERCHANT', subject: 'mem_cn_one', merchantIds: [merchant] });
    expect(principal.scopes).toEqual(['payments:read', 'refunds:write']);
    expect(expiresAt?.getTime()).toBe(Number(claims().exp) * 1_000);
  });

  it('takes no token for a stranger', async () => {
    const { principal, expiresAt } = await authenticator.authenticate(undefined);
    expect(principal.kind).toBe('ANONYMOUS');
    expect(expiresAt).toBeNull();
  });

  it.each<[string, JWTPayload]>([
    ['of another issuer', { iss: 'https://elsewhere.example' }],
    ['for another audience', { aud: 'another' }],
    ['that has expired', { exp: 1_000 }],
    ['without an end', { exp: undefined }],
    ['that claims to be a service of ours', { kind: 'SERVICE', sub: 'payments' }],
    ['that claims to be nobody', { kind: 'ANONYMOUS' }],
    ['whose subject could reach into a bus subject', { sub: 'ptr.*' }],
    ['with a merchant that is none', { merchants: ['trv_us_x'] }],
  ])('refuses a token %s', async (_what, more) => {
    await expect(authenticator.authenticate(await sign(claims(more)))).rejects.toMatchObject(refused);
  });

  it("refuses another's signature, an unknown key, no signature and a shared secret", async () => {
    const other = await generateKeyPair('ES256');
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `Bearer ${encode({ alg: 'none' })}.${encode(claims())}.x`;
    const secret = `Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('x'.repeat(32)))}`;
    const forged = [
      await sign(claims(), other.privateKey),
      await sign(claims(), keys.privateKey, 'two'),
      unsigned,
      secret,
    ];
    for (const token of [...forged, 'Bearer', 'nonsense'])
      await expect(authenticator.authenticate(token)).rejects.toMatchObject(refused);
  });

  it('does not let a token that it knows live past its end', async () => {
    const token = await sign(claims());
    await authenticator.authenticate(token);
    clock = new Date(Date.now() + 61_000);
    await expect(authenticator.authenticate(token)).rejects.toMatchObject(refused);
    clock = new Date();
  });
});

describe("The issuer's keys", () => {
  let answer: () => { status: number; body: string };
  const server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  let url: URL;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const byRemote = (from: URL) => jwtAuthenticator({ keys: createRemoteJWKSet(from), issuer, audience });

  it('are fetched from where they are published', async () => {
    answer = () => ({ status: 200, body: JSON.stringify(jwks) });
    const { principal } = await byRemote(url).authenticate(await sign(claims()));
    expect(principal.subject).toBe('mem_cn_one');
  });

  it('being away is our trouble, not a bad token: SIGN_IN_UNAVAILABLE', async () => {
    const away = { code: 'SIGN_IN_UNAVAILABLE', transient: true };
    const token = await sign(claims());
    answer = () => ({ status: 500, body: '' });
    await expect(byRemote(url).authenticate(token)).rejects.toMatchObject(away);
    answer = () => ({ status: 200, body: '{"keys": 1}' });
    await expect(byRemote(url).authenticate(token)).rejects.toMatchObject(away);
    await expect(byRemote(new URL('http://127.0.0.1:1/jwks')).authenticate(token)).rejects.toMatchObject(away);
  });
});

import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { newId } from '../../../subgraphs/kernel/id.js';
import { Principal, type PrincipalClaims, principalKinds } from '../../../subgraphs/kernel/principal.js';
import { newSigningKey, PrincipalSigner, PrincipalVerifier } from '../../../subgraphs/kernel/principal.token.js';

const nobody: PrincipalClaims = { kind: 'ANONYMOUS', subject: '', scopes: [], merchantIds: [] };
const of = (claims: Partial<PrincipalClaims>) => new Principal({ ...nobody, ...claims });

const traveler = of({ kind: 'TRAVELER', subject: newId('trv', 'us'), scopes: ['payments:read'] });
const merchantId = newId('mer', 'cn');
const merchant = of({ kind: 'MERCHANT', subject: newId('mem', 'cn'), merchantIds: [merchantId] });
const partner = of({ kind: 'PARTNER', subject: newId('ptr', 'us') });
const operator = of({ kind: 'OPERATOR', subject: newId('opr', 'us') });
const service = Principal.service('payments');
const everyone = [Principal.anonymous(), traveler, merchant, partner, operator, service];

const unauthenticated = expect.objectContaining({ code: 'UNAUTHENTICATED', kind: 'Forbidden' });
const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });

describe('Principal', () => {
  it.each([
    ['requireTraveler', (who: Principal) => who.requireTraveler(), traveler],
    ['requirePartner', (who: Principal) => who.requirePartner(), partner],
    ['requireOperator', (who: Principal) => who.requireOperator(), operator],
  ] as const)('%s lets one kind through, asks strangers to sign in and refuses the others', (_, ask, allowed) => {
    expect(ask(allowed)).toBe(allowed.subject);
    for (const other of everyone.filter((who) => who !== allowed))
      expect(() => ask(other)).toThrow(other.kind === 'ANONYMOUS' ? unauthenticated : forbidden);
  });

  it('acts only for itself', () => {
    expect(traveler.isTraveler(newId('trv', 'us'))).toBe(false);
    expect(everyone.filter((who) => who.isTraveler(traveler.subject as never))).toEqual([traveler]);
    expect(everyone.filter((who) => who.isPartner(partner.subject as never))).toEqual([partner]);
    expect(everyone.filter((who) => who.isOperator())).toEqual([operator]);
    expect(everyone.filter((who) => who.mayActFor(merchantId))).toEqual([merchant]);
    expect(merchant.mayActFor(newId('mer', 'cn'))).toBe(false);
    expect(of({ kind: 'PARTNER', merchantIds: [merchantId] }).mayActFor(merchantId)).toBe(false);
  });

  it('is known, or asked to sign in', () => {
    for (const who of everyone)
      if (who.kind === 'ANONYMOUS') expect(() => who.requireKnown()).toThrow(unauthenticated);
      else expect(who.requireKnown()).toBe(who);
  });

  it('is a service only under its own name', () => {
    expect(() => service.requireService('payments')).not.toThrow();
    expect(() => service.requireService('users')).toThrow(forbidden);
    const pretender = of({ kind: 'OPERATOR', subject: 'payments' });
    for (const who of [pretender, ...everyone.filter((other) => other !== service)])
      expect(() => who.requireService('payments')).toThrow(forbidden);
  });

  it('has the scopes of its token and no others', () => {
    expect(() => traveler.requireScope('payments:read')).not.toThrow();
    expect(() => traveler.requireScope('payments')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', details: { scope: 'payments' } }),
    );
    expect(() => Principal.anonymous().requireScope('x')).toThrow(unauthenticated);
  });

  it('has a fingerprint that differs where a right differs', () => {
    const variants = [
      ...everyone,
      of({ kind: 'TRAVELER', subject: traveler.subject }),
      of({ kind: 'TRAVELER', subject: traveler.subject, scopes: ['payments:read', 'refunds'] }),
      of({ kind: 'MERCHANT', subject: merchant.subject }),
    ];
    expect(new Set(variants.map(({ fingerprint }) => fingerprint)).size).toBe(variants.length);
  });

  it('is not made of malformed merchant ids', () => {
    expect(() => of({ kind: 'MERCHANT', merchantIds: ['pay_us_1'] })).toThrow(
      expect.objectContaining({ code: 'INVALID_ID' }),
    );
  });
});

describe('PrincipalSigner and PrincipalVerifier', () => {
  const keys = { gateway: newSigningKey(), payments: newSigningKey(), users: newSigningKey() };
  let time = Date.parse('2026-11-22T12:00:00Z');
  const now = () => time;
  const gateway = new PrincipalSigner('gateway', keys.gateway.privateKey, now);
  const payments = new PrincipalSigner('payments', keys.payments.privateKey, now);
  const newVerifier = () =>
    new PrincipalVerifier({ gateway: keys.gateway.publicKey, payments: keys.payments.publicKey }, now);
  const verifier = newVerifier();

  it('carry a principal unchanged, for every kind', async () => {
    expect(new Set(everyone.map(({ kind }) => kind))).toEqual(new Set(principalKinds));
    for (const who of everyone) {
      const signer = who.kind === 'SERVICE' ? payments : gateway;
      expect(await verifier.verify(await signer.sign(who))).toEqual(who);
    }
  });

  it('sign once in a while and verify once per token', async () => {
    const first = await gateway.sign(traveler);
    expect(await gateway.sign(of(traveler))).toBe(first);
    expect(await gateway.sign(partner)).not.toBe(first);
    expect(await verifier.verify(first)).toBe(await verifier.verify(first));
    time += 31_000;
    const second = await gateway.sign(traveler);
    expect(second).not.toBe(first);
    expect(await verifier.verify(first)).toEqual(traveler);
    time -= 31_000;
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['garbage', 'x'],
    ['dots', '..'],
    ['no JSON', 'e30.bm9wZQ.e30'],
  ])('refuse %s', async (_, token) => {
    await expect(verifier.verify(token)).rejects.toEqual(unauthenticated);
  });

  it('refuse a token that is over, also one that was seen before', async () => {
    const token = await gateway.sign(operator);
    await verifier.verify(token);
    time += 61_000;
    await expect(verifier.verify(token)).rejects.toEqual(unauthenticated);
    await expect(newVerifier().verify(token)).rejects.toEqual(unauthenticated);
    time -= 61_000;
  });

  it('refuse a token with another signature, content or issuer', async () => {
    const token = await gateway.sign(traveler);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forger = new PrincipalSigner('gateway', newSigningKey().privateKey, now);
    const forged = [
      `${header}.${encode({ ...claims, kind: 'OPERATOR' })}.${signature}`,
      `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      `${header}.${payload}.`,
      `${encode({ alg: 'none' })}.${payload}.`,
      // The public key used as a shared secret.
      ((input) =>
        `${input}.${createHmac('sha256', Buffer.from(keys.gateway.publicKey, 'base64')).update(input).digest('base64url')}`)(
        `${encode({ alg: 'HS256' })}.${payload}`,
      ),
      await forger.sign(traveler),
      await new PrincipalSigner('users', keys.users.privateKey, now).sign(traveler),
      await new PrincipalSigner('gateway', keys.payments.privateKey, now).sign(traveler),
    ];
    for (const each of forged) await expect(verifier.verify(each)).rejects.toEqual(unauthenticated);
  });

  it('let a service speak only for itself, and the gateway for anyone but services', async () => {
    for (const who of everyone.filter(({ kind }) => kind !== 'SERVICE'))
      await expect(verifier.verify(await payments.sign(who))).rejects.toEqual(unauthenticated);
    await expect(verifier.verify(await payments.sign(Principal.service('users')))).rejects.toEqual(unauthenticated);
    await expect(verifier.verify(await gateway.sign(service))).rejects.toEqual(unauthenticated);
  });

  it('refuse a token that was made for someone else, or lacks a claim', async () => {
    const { createPrivateKey } = await import('node:crypto');
    const key = createPrivateKey({ key: Buffer.from(keys.gateway.privateKey, 'base64'), format: 'der', type: 'pkcs8' });
    const make = (audience: string, claims: Record<string, unknown>, expires: number | null) => {
      const token = new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).setIssuer('gateway').setAudience(audience);
      return (expires === null ? token : token.setExpirationTime(Math.floor(now() / 1_000) + expires)).sign(key);
    };
    const claims = { ...nobody };
    expect(await verifier.verify(await make('sojourn-subgraphs', claims, 60))).toEqual(Principal.anonymous());
    const refused = [
      await make('sojourn', claims, 60),
      await make('sojourn-subgraphs', claims, null),
      await make('sojourn-subgraphs', { ...claims, kind: 'ROOT' }, 60),
      await make('sojourn-subgraphs', { kind: 'TRAVELER' }, 60),
      await make('sojourn-subgraphs', { ...claims, merchantIds: ['x'] }, 60),
    ];
    for (const token of refused)
      await expect(verifier.verify(token)).rejects.toEqual(
        expect.objectContaining({ kind: expect.stringMatching(/Forbidden|Invalid/) }),
      );
  });

  it('does not take a signed subject of another kind for one of ours', () => {
    for (const subject of ['abc', 'mem_cn_01jgg00000e008000000000001', '']) {
      const principal = new Principal({ kind: 'TRAVELER', subject, scopes: [], merchantIds: [] });
      expect(() => principal.requireTraveler()).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    }
  });
});

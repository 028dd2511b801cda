import { createSign, createVerify } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { secretsIn } from '../../local/secrets.js';
import { Principal } from '../../subgraphs/kernel/principal.js';
import { PrincipalSigner, PrincipalVerifier } from '../../subgraphs/kernel/principal.token.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sojourn-secrets-'));
  file = join(folder, 'data', 'secrets.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('Development secrets', () => {
  it('are made once and found again, in a file that only its owner reads', async () => {
    const first = await secretsIn(file);
    expect(await secretsIn(file)).toEqual(first);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'data'))).toEqual(['secrets.json']);
  });

  it('are the same for two starts at once', async () => {
    const [one, other] = await Promise.all([secretsIn(file), secretsIn(file)]);
    expect(one).toEqual(other);
  });

  it('differ from machine to machine', async () => {
    const [one, other] = await Promise.all([secretsIn(file), secretsIn(join(folder, 'other', 'secrets.json'))]);
    expect(one.personalDataKey).not.toBe(other.personalDataKey);
    expect(one.paypal.clientSecret).not.toBe(other.paypal.clientSecret);
    expect(one.internal.gateway.privateKey).not.toBe(other.internal.gateway.privateKey);
  });

  it('are never replaced when damaged: the data beside them would not open any more', async () => {
    await secretsIn(file);
    writeFileSync(file, '{ "internal": ');
    await expect(secretsIn(file)).rejects.toThrow(/secrets\.json is damaged/);
    expect(statSync(file).size).toBe(14);
  });

  it('hold pairs that belong together', async () => {
    const { internal, wechatPay } = await secretsIn(file);
    const verifier = new PrincipalVerifier({
      gateway: internal.gateway.publicKey,
      payments: internal.payments.publicKey,
    });
    const token = await new PrincipalSigner('payments', internal.payments.privateKey).sign(
      Principal.service('payments'),
    );
    expect((await verifier.verify(token)).subject).toBe('payments');
    for (const { privateKey, publicKey } of [wechatPay.merchant, wechatPay.platform]) {
      const signature = createSign('RSA-SHA256').update('text').sign(privateKey);
      expect(createVerify('RSA-SHA256').update('text').verify(publicKey, signature)).toBe(true);
    }
    expect(Buffer.byteLength(wechatPay.apiV3Key)).toBe(32);
  });
});

import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { open, seal, sealed } from '../../../connectors/wechat-pay/wechat-pay.cipher.js';
import { API_V3_KEY } from './network.fixture.js';

describe('open', () => {
  it('reads AEAD_AES_256_GCM with the tag behind the ciphertext', () => {
    const cipher = createCipheriv('aes-256-gcm', API_V3_KEY, 'abcdef012345').setAAD(Buffer.from('transaction'));
    const ciphertext = Buffer.concat([cipher.update('{"茶":1}'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64',
    );
    expect(
      open(
        { algorithm: 'AEAD_AES_256_GCM', nonce: 'abcdef012345', associated_data: 'transaction', ciphertext },
        API_V3_KEY,
      ),
    ).toBe('{"茶":1}');
  });

  it('gives back what was sealed, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, about) =>
        expect(open(seal(text, about, API_V3_KEY), API_V3_KEY)).toBe(text),
      ),
    );
  });

  it('gives null when a bit, the key, the nonce or the associated data differs', () => {
    const box = seal('{"total":5000}', 'transaction', API_V3_KEY);
    const bytes = Buffer.from(box.ciphertext, 'base64');
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(open({ ...box, ciphertext: altered.toString('base64') }, API_V3_KEY)).toBeNull();
    }
    expect(open(box, Buffer.alloc(32))).toBeNull();
    expect(open({ ...box, nonce: '000000000000' }, API_V3_KEY)).toBeNull();
    expect(open({ ...box, associated_data: 'refund' }, API_V3_KEY)).toBeNull();
    expect(open({ ...box, ciphertext: 'AAAA' }, API_V3_KEY)).toBeNull();
  });

  it('never meets another algorithm or a nonce of another length: the form forbids both', () => {
    const box = seal('x', 'y', API_V3_KEY);
    expect(sealed.safeParse(box).success).toBe(true);
    expect(sealed.safeParse({ ...box, algorithm: 'AES_128_ECB' }).success).toBe(false);
    expect(sealed.safeParse({ ...box, nonce: 'short' }).success).toBe(false);
  });
});

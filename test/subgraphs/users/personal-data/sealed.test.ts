import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../../subgraphs/kernel/configuration.js';
import { DataKey } from '../../../../subgraphs/users/personal-data/data-key.js';
import { MasterKey } from '../../../../subgraphs/users/personal-data/master-key.js';
import { SealBroken } from '../../../../subgraphs/users/personal-data/sealed.js';

const masterKey = new MasterKey(randomBytes(32).toString('base64'));

describe('A sealed value', () => {
  const { key } = masterKey.issue('trv_us_a');
  const sealed = key.seal('Ada', 'traveler.display-name');

  it('opens with its key at its place', () => {
    expect(key.open(sealed, 'traveler.display-name')).toBe('Ada');
  });

  it('holds any text, also none', () => {
    for (const text of ['', '李雷', '😀'.repeat(1_000)]) expect(key.open(key.seal(text, 'f'), 'f')).toBe(text);
  });

  it('differs each time: equal values cannot be told from different ones', () => {
    expect(key.seal('Ada', 'f').equals(key.seal('Ada', 'f'))).toBe(false);
  });

  it('does not open in another field or for another subject, also with the same key', () => {
    expect(() => key.open(sealed, 'traveler.email')).toThrow(SealBroken);
    expect(() => new DataKey('trv_us_b', key.secret).open(sealed, 'traveler.display-name')).toThrow(SealBroken);
  });

  it('does not open with another key', () => {
    expect(() => masterKey.issue('trv_us_a').key.open(sealed, 'traveler.display-name')).toThrow(SealBroken);
  });

  it('does not open when any byte of it was changed', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => key.open(altered, 'traveler.display-name')).toThrow(SealBroken);
    }
  });

  it('does not open when it was cut', () => {
    for (const length of [0, 1, 28, sealed.length - 1])
      expect(() => key.open(sealed.subarray(0, length), 'traveler.display-name')).toThrow(SealBroken);
  });
});

describe('A master key', () => {
  it('unwraps what it wrapped, for that subject only', () => {
    const { key, wrapped } = masterKey.issue('trv_us_a');
    expect(masterKey.unwrap('trv_us_a', wrapped).secret.equals(key.secret)).toBe(true);
    expect(() => masterKey.unwrap('trv_us_b', wrapped)).toThrow(SealBroken);
    expect(() => new MasterKey(randomBytes(32).toString('base64')).unwrap('trv_us_a', wrapped)).toThrow(SealBroken);
  });

  it('is 32 bytes in base64, or the start fails', () => {
    const short = randomBytes(31).toString('base64');
    for (const text of [
      '',
      'secret',
      short,
      `${randomBytes(32).toString('base64')}\n`,
      randomBytes(32).toString('hex'),
    ])
      expect(() => new MasterKey(text)).toThrow(ConfigurationError);
  });
});

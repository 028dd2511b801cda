import { describe, expect, it } from '@jest/globals';
import { crcOf } from '../../../connectors/emvco/emvco.crc.js';

describe('crcOf', () => {
  it('gives the check value of CRC-16/CCITT-FALSE', () => {
    expect(crcOf('123456789')).toBe('29B1');
  });

  it('keeps leading zeros', () => {
    const short = Array.from({ length: 5_000 }, (_, index) => crcOf(String(index))).filter((crc) =>
      crc.startsWith('0'),
    );
    expect(short.length).toBeGreaterThan(0);
    expect(short.every((crc) => /^[0-9A-F]{4}$/.test(crc))).toBe(true);
  });

  it('covers the bytes of UTF-8', () => {
    // The value is that of an independent implementation (binascii.crc_hqx of Python) over e6 88 90 e9 83 bd.
    expect(crcOf('成都')).toBe('E8B6');
  });
});

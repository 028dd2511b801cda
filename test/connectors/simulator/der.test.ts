import { describe, expect, it } from '@jest/globals';
import {
  bitString,
  integer,
  nothing,
  objectIdentifier,
  sequence,
  set,
  tagged,
  time,
  utf8String,
} from '../../../connectors/simulator/der.js';

const hex = (bytes: Buffer) => bytes.toString('hex');

describe('The encoding', () => {
  it('is that of X.690', () => {
    expect(hex(integer(Buffer.of(0x7f)))).toBe('02017f');
    expect(hex(integer(Buffer.of(0x80)))).toBe('02020080');
    expect(hex(integer(Buffer.of(0, 0, 0x80)))).toBe('02020080');
    expect(hex(integer(Buffer.of(0, 0)))).toBe('020100');
    expect(hex(tagged(0, integer(Buffer.of(2))))).toBe('a003020102');
    expect(hex(objectIdentifier('1.2.840.113549.1.1.11'))).toBe('06092a864886f70d01010b');
    expect(hex(objectIdentifier('2.5.4.3'))).toBe('0603550403');
    expect(hex(utf8String('面'))).toBe('0c03e99da2');
    expect(hex(nothing())).toBe('0500');
    expect(hex(bitString(Buffer.of(1)))).toBe('03020001');
    expect(hex(sequence(nothing(), nothing()))).toBe('300405000500');
    expect(hex(set(nothing()))).toBe('31020500');
    expect(time(new Date('2026-11-22T12:34:56.789Z')).subarray(2).toString()).toBe('261122123456Z');
    expect(time(new Date('2050-11-22T12:34:56Z')).subarray(2).toString()).toBe('20501122123456Z');
    expect([time(new Date('2049-12-31T23:59:59Z'))[0], time(new Date('2050-01-01T00:00:00Z'))[0]]).toEqual([
      0x17, 0x18,
    ]);
  });

  it('says lengths over 127 in as many bytes as they need', () => {
    expect(hex(utf8String('a'.repeat(127)).subarray(0, 2))).toBe('0c7f');
    expect(hex(utf8String('a'.repeat(128)).subarray(0, 3))).toBe('0c8180');
    expect(hex(utf8String('a'.repeat(300)).subarray(0, 4))).toBe('0c82012c');
  });
});

import { describe, expect, it } from '@jest/globals';
import { readableText } from '../../../subgraphs/kernel/text.js';

describe('A text for people', () => {
  it.each([
    ['Table 7', 'Table 7'],
    ['  broken cup ', 'broken cup'],
    ['退货：茶杯破了', '退货：茶杯破了'],
    ['👨‍👩‍👧 四人', '👨‍👩‍👧 四人'],
    ['می‌خواهم', 'می‌خواهم'],
    ['', ''],
    ['   ', ''],
  ])('may be %j, without the blanks around it', (text, read) => {
    expect(readableText(text, 20)).toBe(read);
  });

  it.each([
    'a\u0000b',
    'a\nb',
    'a\tb',
    'a\u0085b',
    'a\u2028b',
    'a\u202eb',
    'a\u2066b',
    'a\ufeffb',
    '\ud800',
    'x\udc00',
  ])('is none with what controls, hides or reorders: %j', (text) => {
    expect(readableText(text, 20)).toBeNull();
  });

  it('is as long as people count: an emoji is one character, not two', () => {
    expect(readableText('🍜'.repeat(80), 80)).toBe('🍜'.repeat(80));
    expect(readableText('🍜'.repeat(81), 80)).toBeNull();
    expect(readableText(` ${'a'.repeat(80)} `, 80)).toBe('a'.repeat(80));
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UUID } from 'uuidv7';
import { idOf, newId, parseId, regionOf } from '../../../subgraphs/kernel/id.js';

const invalid = expect.objectContaining({ code: 'INVALID_ID' });

describe('Id', () => {
  it('says what it is and where it lives', () => {
    const id = newId('mer', 'cn');
    expect(id).toMatch(/^mer_cn_[0-9a-z]{26}$/);
    expect(regionOf(id)).toBe('cn');
    expect(parseId('mer', id)).toBe(id);
  });

  it('is later than all that were made before, also as text', () => {
    const ids = Array.from({ length: 5_000 }, () => newId('pay', 'us'));
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('stands for one UUID and sorts like it', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [one, two] = [UUID.ofInner(a), UUID.ofInner(b)];
        const [first, second] = [idOf('evt', 'us', one), idOf('evt', 'us', two)];
        expect(parseId('evt', first)).toBe(first);
        expect(first < second).toBe(one.compareTo(two) < 0);
        expect(first === second).toBe(one.compareTo(two) === 0);
      }),
    );
  });

  it.each([
    ['of another kind', newId('chk', 'us')],
    ['empty', ''],
    ['without a region', `pay_${newId('pay', 'us').slice(7)}`],
    ['too short', newId('pay', 'us').slice(0, -1)],
    ['too long', `${newId('pay', 'us')}0`],
    ['in capitals', newId('pay', 'us').toUpperCase()],
    ['with letters that are not in the alphabet', `pay_us_0${'u'.repeat(25)}`],
    ['larger than a UUID', `pay_us_8${'0'.repeat(25)}`],
    ['with a line end', `${newId('pay', 'us')}\n`],
    ['an injection', `pay_us_' or 1=1 --`],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseId('pay', text)).toThrow(invalid);
  });
});

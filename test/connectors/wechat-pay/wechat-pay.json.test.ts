import { describe, expect, it } from '@jest/globals';
import { toJson } from '../../../connectors/wechat-pay/wechat-pay.json.js';
import { InvariantViolation } from '../../../subgraphs/kernel/error.js';

describe('toJson', () => {
  it('writes a bigint as an integer, digit for digit, and everything else as JSON does', () => {
    expect(toJson({ total: 9007199254740991n, name: '茶"', list: [1n, null], none: undefined })).toBe(
      '{"total":9007199254740991,"name":"茶\\"","list":[1,null]}',
    );
  });

  it('refuses an integer that a reader of doubles would confuse with its neighbour', () => {
    expect(() => toJson({ total: 2n ** 53n })).toThrow(InvariantViolation);
    expect(() => toJson([-(2n ** 53n)])).toThrow(InvariantViolation);
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  ConflictError,
  ForbiddenError,
  InvalidError,
  InvariantViolation,
  invariant,
  messageOf,
  NotFoundError,
  UnavailableError,
  unreachable,
} from '../../../subgraphs/kernel/error.js';

describe('error', () => {
  it('has a public code, a kind, and says whether a retry can help', () => {
    const errors = [
      new InvalidError('INVALID_MONEY', 'no', { most: 5 }),
      new NotFoundError(),
      new ForbiddenError('no'),
      new ConflictError('CHECKOUT_EXPIRED', 'no'),
      new UnavailableError('RATE_UNAVAILABLE', 'no'),
    ];
    expect(errors.map(({ name, kind, code, transient }) => [name, kind, code, transient])).toEqual([
      ['InvalidError', 'Invalid', 'INVALID_MONEY', false],
      ['NotFoundError', 'NotFound', 'NOT_FOUND', false],
      ['ForbiddenError', 'Forbidden', 'FORBIDDEN', false],
      ['ConflictError', 'Conflict', 'CHECKOUT_EXPIRED', false],
      ['UnavailableError', 'Unavailable', 'RATE_UNAVAILABLE', true],
    ]);
    expect(errors[0]?.details).toEqual({ most: 5 });
  });

  it('is another one where the program contradicts itself', () => {
    expect(() => invariant(false, 'M1')).toThrow(new InvariantViolation('M1'));
    expect(() => invariant(1, 'M1')).not.toThrow();
    expect(() => unreachable('X' as never)).toThrow('unexpected value "X"');
  });

  it('has a message, whatever was thrown', () => {
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(undefined)]).toEqual(['a', 'b', 'undefined']);
  });
});

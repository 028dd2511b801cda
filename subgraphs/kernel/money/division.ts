import { invariant } from '../error.js';

/** Integer division, each function named by its rounding. Divisors are positive. */

/** Towards plus infinity. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return -divideDown(-dividend, divisor);
}

/** Towards minus infinity. */
export function divideDown(dividend: bigint, divisor: bigint): bigint {
  invariant(divisor > 0n, 'division by zero or less');
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** To the nearest; a tie goes to the even neighbour, so that many roundings do not drift. */
export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const floor = divideDown(dividend, divisor);
  const twice = (dividend - floor * divisor) * 2n;
  if (twice < divisor) return floor;
  if (twice > divisor) return floor + 1n;
  return floor % 2n === 0n ? floor : floor + 1n;
}

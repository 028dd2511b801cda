import { InvalidError } from '../../kernel/error.js';
import { Money } from '../../kernel/money/money.js';
import { readableText } from '../../kernel/text.js';
import { InvalidReference } from './code.errors.js';
import { WECHAT_PAY } from './network.js';

const LARGEST = Money.parse('500000', WECHAT_PAY.currency);
const LONGEST_REFERENCE = 64;

/** Reads the amount that a merchant asks for. @throws InvalidError INVALID_MONEY, also for other currencies and too much */
export function requestedAmount(amount: string, currencyCode: string): Money {
  const money = Money.parsePositive(amount, currencyCode);
  if (money.currency !== WECHAT_PAY.currency)
    throw new InvalidError('INVALID_MONEY', `This merchant is paid in ${WECHAT_PAY.currency}.`, {
      expected: WECHAT_PAY.currency,
    });
  if (money.isMoreThan(LARGEST))
    throw new InvalidError('INVALID_MONEY', 'This is more than one code may ask for.', { most: LARGEST.toDecimal() });
  return money;
}

/** Reads a reference; blank is none. @throws InvalidReference */
export function requestedReference(text: string | null | undefined): string | null {
  const reference = readableText(text ?? '', LONGEST_REFERENCE);
  if (reference === null) throw new InvalidReference(LONGEST_REFERENCE);
  return reference || null;
}

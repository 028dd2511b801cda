import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromWire, toWire, wireDecimalsOf } from '../../../connectors/paypal/paypal.money.js';
import { currencies } from '../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';

describe('Amounts on the wire', () => {
  it('come back as they went, for every amount PayPal can express', () => {
    const payable = fc
      .tuple(fc.constantFrom(...currencies), fc.bigInt({ min: 0n, max: 10n ** 9n }))
      .map(([currency, units]) => Money.parse(`${units}`, currency));
    fc.assert(fc.property(payable, (money) => fromWire(toWire(money)).equals(money)));
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        (minor) => fromWire(toWire(Money.of(minor, 'USD'))).minor === minor,
      ),
    );
  });

  it('are decimal strings with the decimals that PayPal takes, not those of ISO 4217', () => {
    expect(toWire(Money.parse('14.1', 'USD'))).toEqual({ currency_code: 'USD', value: '14.10' });
    expect(toWire(Money.parse('1200', 'JPY'))).toEqual({ currency_code: 'JPY', value: '1200' });
    expect(toWire(Money.parse('1200.00', 'TWD'))).toEqual({ currency_code: 'TWD', value: '1200' });
    expect([wireDecimalsOf('USD'), wireDecimalsOf('HUF'), wireDecimalsOf('KWD')]).toEqual([2, 0, 3]);
  });

  it('are refused rather than rounded', () => {
    expect(() => toWire(Money.parse('1200.01', 'HUF'))).toThrow('DECIMALS_NOT_SUPPORTED');
    expect(() => fromWire({ currency_code: 'USD', value: '0.001' })).toThrow('2 decimals');
    expect(() => fromWire({ currency_code: 'BTC', value: '1' })).toThrow('not a currency');
  });
});

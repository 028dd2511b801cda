import { describe, expect, it } from '@jest/globals';
import { formatError } from '../../gateway/errors.js';
import { createLogger } from '../../subgraphs/kernel/telemetry.js';

const logger = createLogger('errors', 'silent');
const formatted = (message: string, code: string, hints: boolean) =>
  formatError({ message, extensions: { code } }, new Error(message), logger, hints);

describe('What a client reads of a malformed request', () => {
  const wrong = 'Variable "$in" got invalid value { frist: 1 }; Field "frist" is not defined by type "Page".';

  it.each([
    [`${wrong} Did you mean "first"?`, wrong],
    [
      'Value "PAYD" does not exist in "Status" enum. Did you mean the enum value "PAID"?',
      'Value "PAYD" does not exist in "Status" enum.',
    ],
    ['Unknown type "Paymen". Did you mean "Payment", "PaymentEdge", or "Payments"?', 'Unknown type "Paymen".'],
    ['A question to keep?', 'A question to keep?'],
  ])('names nothing that is like a wrong name, unless hints are given: %s', (message, without) => {
    expect(formatted(message, 'BAD_USER_INPUT', false).message).toBe(without);
    expect(formatted(message, 'BAD_USER_INPUT', true).message).toBe(message);
  });

  it('leaves what a subgraph says of its own errors alone', () => {
    expect(formatted('No. Did you mean yes?', 'NOT_FOUND', false).message).toBe('No. Did you mean yes?');
  });
});

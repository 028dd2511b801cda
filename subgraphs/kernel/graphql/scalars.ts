import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

function textScalar(
  name: string,
  description: string,
  isValid: (text: string) => boolean,
): GraphQLScalarType<string, string> {
  const check = (value: unknown): string => {
    if (typeof value === 'string' && isValid(value)) return value;
    throw new GraphQLError(`This is not a ${name}.`, { extensions: { code: 'BAD_USER_INPUT' } });
  };
  return new GraphQLScalarType<string, string>({
    name,
    description,
    serialize: (value) => check(value),
    parseValue: check,
    parseLiteral: (node) => check(node.kind === Kind.STRING ? node.value : undefined),
  });
}

/** What is wrong with a decimal is said by `Money.parse`, with a code of its own; here any text passes. */
export const DecimalScalar = textScalar(
  'Decimal',
  'An exact decimal number as a string, such as `"12.50"`. Never a float.',
  () => true,
);

export const CurrencyCodeScalar = textScalar(
  'CurrencyCode',
  'An ISO 4217 currency code, such as `USD`.',
  (text) => text.length <= 8,
);

export const CountryCodeScalar = textScalar(
  'CountryCode',
  'An ISO 3166-1 alpha-2 country code, such as `CN`.',
  (text) => /^[A-Z]{2}$/.test(text),
);

/** A calendar day in UTC, held as its `YYYY-MM-DD` string. */
export const DateScalar = textScalar('Date', 'A calendar day, `YYYY-MM-DD`.', isDay);

export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment in UTC as RFC 3339 writes it, such as `2026-06-01T12:00:00.000Z`.',
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    // A value that another service already wrote.
    if (typeof value === 'string' && isMoment(value)) return new Date(value).toISOString();
    throw new GraphQLError('This is not a DateTime.');
  },
  parseValue: parseMoment,
  parseLiteral: (node) => parseMoment(node.kind === Kind.STRING ? node.value : undefined),
});

function parseMoment(value: unknown): Date {
  if (typeof value === 'string' && isMoment(value)) return new Date(value);
  throw new GraphQLError('This is not a DateTime.', { extensions: { code: 'BAD_USER_INPUT' } });
}

function isMoment(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isDay(text: string): boolean {
  // No calendar of PostgreSQL has a year 0000.
  if (!/^(?!0000)\d{4}-\d\d-\d\d$/.test(text)) return false;
  const moment = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(text);
}

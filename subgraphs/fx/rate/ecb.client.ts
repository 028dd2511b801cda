import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { isCurrency } from '../../kernel/money/currency.js';
import type { ReferenceRate } from './market-rate.js';
import { MalformedRates } from './rate.errors.js';

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const PRICE = /^(?=.*[1-9])\d{1,9}(\.\d{1,9})?$/;
const NOT_PUBLISHED = new Set(['', 'N/A']);

/**
 * Reads a file in the layout of the ECB's `eurofxref-hist.csv`, day by day: `Date,USD,…,` and then one line a day, each
 * with a comma at its end. `N/A` and currencies that we do not know are left out; days without a line are normal.
 * @throws MalformedRates that names the line
 */
export async function* readReferenceRates(file: AsyncIterable<Buffer | string>): AsyncGenerator<ReferenceRate[]> {
  const lines = createInterface({ input: Readable.from(file), crlfDelay: Number.POSITIVE_INFINITY });
  let columns: readonly string[] | null = null;
  const seen = new Set<string>();
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (columns === null) columns = headerOf(line);
    else if (line.trim() !== '') yield ratesOf(line, columns, number, seen);
  }
  if (columns === null) throw new MalformedRates(1, 'it is empty');
}

function headerOf(line: string): readonly string[] {
  const [first, ...currencies] = cellsOf(line.replace(/^\uFEFF/, ''));
  // Every line of theirs ends with a comma; a file that went through a spreadsheet may have lost them.
  if (currencies.at(-1) === '') currencies.pop();
  if (first !== 'Date' || currencies.length === 0) throw new MalformedRates(1, 'it does not begin with Date');
  const unlike = currencies.find((code, index) => !/^[A-Z]{3}$/.test(code) || currencies.indexOf(code) !== index);
  if (unlike !== undefined) throw new MalformedRates(1, 'a column is not a currency, or is there twice');
  return currencies;
}

function ratesOf(line: string, columns: readonly string[], number: number, seen: Set<string>): ReferenceRate[] {
  const [day = '', ...cells] = cellsOf(line);
  if (!isDay(day)) throw new MalformedRates(number, 'it does not begin with a day');
  if (seen.has(day)) throw new MalformedRates(number, 'its day is there twice');
  seen.add(day);
  if (cells.length === columns.length + 1 && cells.at(-1) === '') cells.pop();
  if (cells.length !== columns.length) throw new MalformedRates(number, `it has not ${columns.length} rates`);
  const rates: ReferenceRate[] = [];
  for (const [index, perEuro] of cells.entries()) {
    const currency = columns[index] ?? '';
    if (NOT_PUBLISHED.has(perEuro)) continue;
    if (!PRICE.test(perEuro)) throw new MalformedRates(number, `its ${currency} is not a rate`);
    if (isCurrency(currency)) rates.push({ day, currency, perEuro });
  }
  return rates;
}

function cellsOf(line: string): string[] {
  return line.split(',').map((cell) => cell.trim());
}

function isDay(text: string): boolean {
  return DAY.test(text) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

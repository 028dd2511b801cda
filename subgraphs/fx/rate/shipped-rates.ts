import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { invariant } from '../../kernel/error.js';

/** The part of the ECB's history that comes with the project. */
export async function readShippedRates(): Promise<Buffer> {
  // Beside this file in the sources; four folders up and down again when this file was compiled to `dist`.
  const file = ['./reference-rates.csv', '../../../../subgraphs/fx/rate/reference-rates.csv']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find(existsSync);
  invariant(file, 'reference-rates.csv comes with the project');
  return readFile(file);
}

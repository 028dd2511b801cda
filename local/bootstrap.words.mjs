import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Where the compiler writes to. */
export const OUTPUT = join(ROOT, 'dist');

/** Something the person at the keyboard can mend: shown without a stack. */
export class SetupFailure extends Error {}

/** Progress goes to standard error: standard output belongs to the target. */
export function say(text) {
  process.stderr.write(`sojourn: ${text}\n`);
}

export function fail(text) {
  say(text);
  process.exit(1);
}

/** `MALFORMED`: not a well-formed merchant-presented payload. `BAD_CRC`: well formed, but altered or damaged on its way. */
export type EmvcoProblem = 'MALFORMED' | 'BAD_CRC';

/** A text that is not a code we may trust. The message names the rule, never the text: a code may name a person. */
export class EmvcoError extends Error {
  override readonly name = 'EmvcoError';

  constructor(
    readonly reason: EmvcoProblem,
    message: string,
  ) {
    super(message);
  }
}

export function malformed(message: string): never {
  throw new EmvcoError('MALFORMED', message);
}

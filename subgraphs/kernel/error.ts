/** What kind of refusal an error is: it decides the HTTP class at an edge and whether a retry can help. */
export type ErrorKind = 'Invalid' | 'NotFound' | 'Forbidden' | 'Conflict' | 'Unavailable';

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/**
 * An error that a client may see. `code` is public and never renamed, `details` hold facts a client can switch on;
 * neither carries personal data. Whatever is not a DomainError reaches clients as INTERNAL_SERVER_ERROR.
 */
export abstract class DomainError extends Error {
  abstract readonly kind: ErrorKind;

  constructor(
    /** Public, SCREAMING_SNAKE, listed in `schema/README.md`. */
    readonly code: string,
    message: string,
    readonly details: ErrorDetails = {},
    /** The same request may succeed later without any change. */
    readonly transient: boolean = false,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** The request itself is wrong: sending it again cannot help. */
export class InvalidError extends DomainError {
  readonly kind = 'Invalid';
}

/** There is no such thing, or it is not the asker's: a stranger cannot tell the two apart. */
export class NotFoundError extends DomainError {
  readonly kind = 'NotFound';

  constructor(message = 'There is nothing here that you may see.', details: ErrorDetails = {}) {
    super('NOT_FOUND', message, details);
  }
}

/** The asker is known to exist but lacks the right. */
export class ForbiddenError extends DomainError {
  readonly kind = 'Forbidden';

  constructor(message: string, code: 'FORBIDDEN' | 'UNAUTHENTICATED' = 'FORBIDDEN', details: ErrorDetails = {}) {
    super(code, message, details);
  }
}

/** The request is well formed but the state of the world forbids it. */
export class ConflictError extends DomainError {
  readonly kind = 'Conflict';
}

/** Something we depend on is down, slow or nonsensical: nothing was changed, and a retry may help. */
export class UnavailableError extends DomainError {
  readonly kind = 'Unavailable';

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(code, message, details, true);
  }
}

/** Thrown where the program contradicts itself: never a client's fault, never shown to one. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Asserts what must hold whatever clients do. @throws InvariantViolation */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

/** A type error when a new variant is not handled. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unexpected value ${JSON.stringify(value)}`);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

import type { IncomingHttpHeaders } from 'node:http';

// What the gateway says of its own doing to those who follow requests through many services. Nothing here loads anything:
// `trace.otlp.ts` does the work, and only where it was asked for. Whoever begins a span ends it.

/** Facts for whoever reads a trace. Never a variable, a token, an id of a person or an error's message. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

/** Something that takes a while, as part of something larger. */
export interface Span {
  /** @param others that wait for the same, in traces of their own */
  child(name: string, facts?: Facts, others?: readonly (Span | undefined)[]): Span;
  rename(name: string): void;
  set(facts: Facts): void;
  /** Something that happened meanwhile and took no time. */
  note(name: string, facts?: Facts): void;
  /** It ended in an error: a public code, or a word of ours. */
  fail(code: string): void;
  /** Ends it; what comes after that changes nothing. */
  end(): void;
  /** For whoever is asked to do a part of it (W3C Trace Context). */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Tracer {
  /** @param arrived with what came in, where something did: its caller's trace goes on, if callers are to be believed */
  begin(name: string, facts?: Facts, arrived?: IncomingHttpHeaders): Span;
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}

const OURS = /^INTERNAL|UNAVAILABLE$/;

export function codesIn(errors: readonly { readonly extensions?: Record<string, unknown> }[] = []): unknown[] {
  return errors.map(({ extensions }) => extensions?.['code']);
}

/** Says of what an operation became, in codes. Only what is not the client's doing is a failure of the span. */
export function traceErrors(span: Span, codes: readonly unknown[]): void {
  if (codes.length === 0) return;
  const known = codes.map((code) => (typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR'));
  span.set({ 'graphql.errors': codes.length, 'graphql.error.code': known[0] ?? '' });
  const failure = known.find((code) => OURS.test(code));
  if (failure) span.fail(failure);
}

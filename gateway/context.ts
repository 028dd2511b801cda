import type { Principal } from '../subgraphs/kernel/principal.js';
import type { Span } from './trace.js';

/** Who asks, and until when that is known to be true (null: a stranger stays one). */
export interface Identity {
  readonly principal: Principal;
  readonly expiresAt: Date | null;
}

/** Whether somebody is gone. */
export type Presence = Pick<AbortSignal, 'aborted'>;

/** What travels with one operation through the gateway, down to each fetch. */
export interface GatewayContext {
  readonly identity: Identity;
  readonly requestId: string;
  /** In whose name new documents wait for their turn; missing where we ask for ourselves. */
  readonly asker?: string;
  /** Aborted when the client is gone: nobody waits for the answer any more. Looked at, never listened to. */
  readonly signal?: Presence;
  /** Where traces are made: what this is done for. */
  readonly span?: Span;
}

const fingerprints = new WeakMap<Principal, string>();

/**
 * Equal for equal rights. Made once per principal object: a token's principal is the same object for all its requests.
 */
export function fingerprintOf(principal: Principal): string {
  const known = fingerprints.get(principal);
  if (known !== undefined) return known;
  const { fingerprint } = principal;
  fingerprints.set(principal, fingerprint);
  return fingerprint;
}

/** For whom something is counted: the principal, or a stranger's address. */
export function askerOf({ principal }: Identity, address: string): string {
  return principal.kind === 'ANONYMOUS' ? address : `${principal.kind} ${principal.subject}`;
}

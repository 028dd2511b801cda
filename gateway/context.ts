import type { Principal } from '../subgraphs/kernel/principal.js';

/** Who asks, and until when that is known to be true (null: a stranger stays one). */
export interface Identity {
  readonly principal: Principal;
  readonly expiresAt: Date | null;
}

/** What travels with one operation through the gateway, down to each fetch. */
export interface GatewayContext {
  readonly identity: Identity;
  readonly requestId: string;
  /** Aborts when the client is gone: nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** For whom something is counted: the principal, or a stranger's address. */
export function askerOf({ principal }: Identity, address: string): string {
  return principal.kind === 'ANONYMOUS' ? address : `${principal.kind} ${principal.subject}`;
}

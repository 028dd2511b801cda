import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './sources.js';

/** The name of a file in `schema/operations`, without its ending. */
export type DocumentName =
  | 'approve-resolution'
  | 'cancel'
  | 'confirm-checkout'
  | 'create-code'
  | 'ledger-proof'
  | 'markets'
  | 'merchant-events'
  | 'merchant-history'
  | 'partner-events'
  | 'payment'
  | 'payment-events'
  | 'payments-in-review'
  | 'propose-resolution'
  | 'rate'
  | 'rate-history'
  | 'rates'
  | 'reconciliation-breaks'
  | 'reconciliation-runs'
  | 'refund'
  | 'reject-resolution'
  | 'requote'
  | 'resolve-code'
  | 'start-checkout'
  | 'traveler-history'
  | 'trial-balance'
  | 'viewer';

const folder = join(root, 'schema', 'operations');
const asked = new Set<string>();

/** The operations of the contract, as they are written down for clients. */
export const documents = {
  /** The text of one; remembers that it was wanted. */
  read(name: DocumentName): string {
    asked.add(name);
    return readFileSync(join(folder, `${name}.graphql`), 'utf8');
  },

  /** Those that nothing in this test file has read. */
  unread(): string[] {
    const all = readdirSync(folder).map((file) => file.replace(/\.graphql$/, ''));
    return all.filter((name) => !asked.has(name));
  },
};

import type { TravelerId, WalletId } from '../subgraphs/kernel/id.js';
import type { PrincipalClaims } from '../subgraphs/kernel/principal.js';
import { fixedId } from './seed.id.js';
import { stores } from './seed.stores.js';

/** A traveler with a wallet. The names are invented; the mail addresses can belong to nobody (RFC 2606). */
export interface SeededTraveler {
  readonly id: TravelerId;
  readonly displayName: string;
  readonly legalName: string;
  readonly email: string;
  readonly walletId: WalletId;
  /** What PayPal calls the wallet: known to the simulator. */
  readonly vaultReference: string;
}

export const maya: SeededTraveler = {
  id: fixedId('trv', 'us', 1),
  displayName: 'Maya',
  legalName: 'Maya Ellen Brooks',
  email: 'maya.brooks@example.com',
  walletId: fixedId('wal', 'us', 1),
  vaultReference: '8kk8451t',
};

/** Somebody else: what is Maya's is not Daniel's to see. */
export const daniel: SeededTraveler = {
  id: fixedId('trv', 'us', 2),
  displayName: 'Daniel',
  legalName: 'Daniel Reyes',
  email: 'daniel.reyes@example.com',
  walletId: fixedId('wal', 'us', 2),
  vaultReference: '3xw7920p',
};

export const travelers = [maya, daniel] as const;

export const partner = { id: fixedId('ptr', 'us', 1), name: 'Trailbook', scopes: ['payments:read'] } as const;

const operator = {
  kind: 'OPERATOR',
  scopes: ['payments:read', 'payments:review', 'travelers:read'],
  merchantIds: [],
} as const;

const nobodyElse = { scopes: [], merchantIds: [] } as const;

/** Who can sign in on a development machine. */
export const identities = {
  traveler: { kind: 'TRAVELER', subject: maya.id, ...nobodyElse },
  merchant: {
    kind: 'MERCHANT',
    subject: fixedId('mem', 'cn', 1),
    scopes: ['codes:write', 'payments:read', 'refunds:write'],
    merchantIds: stores.map(({ merchantId }) => merchantId),
  },
  partner: { kind: 'PARTNER', subject: partner.id, scopes: partner.scopes, merchantIds: [] },
  operator: { ...operator, subject: fixedId('opr', 'us', 1) },
  /** What one operator proposes, another one decides. */
  secondOperator: { ...operator, subject: fixedId('opr', 'us', 2) },
  /** Daniel: for trying what a stranger gets. */
  otherTraveler: { kind: 'TRAVELER', subject: daniel.id, ...nobodyElse },
} as const satisfies Record<string, PrincipalClaims>;

import { Money } from '../../../subgraphs/kernel/money/money.js';

/** What an order may be told to play. All else is played straight. */
export const DECLINED = 'declined';
export const CAPTURE_FAILS_ONCE = 'capture-fails-once';
export const DUPLICATE_NOTIFICATIONS = 'duplicate-notifications';

/** The first status, and the one that it is found to have come to by whoever looks after a while. */
type Course<Last extends string> = readonly ['PENDING', Last] | readonly [Last];

/** What is played otherwise than straight. */
export interface Play {
  readonly authorization?: Course<'CREATED' | 'DENIED'>;
  readonly capture?: Course<'COMPLETED' | 'DECLINED'>;
  readonly refund?: Course<'COMPLETED' | 'FAILED'>;
  /** The hold is over when somebody wants to take it. */
  readonly lapses?: true;
  /** Another amount is held, taken or given back than was asked for. */
  readonly differs?: { readonly what: 'authorization' | 'capture' | 'refund'; readonly by: (asked: Money) => Money };
}

const less = (asked: Money) => asked.minus(Money.of(1n, asked.currency));
const inEuros = (asked: Money) => Money.of(asked.minor, 'EUR');

const PLAYS: ReadonlyMap<string, Play> = new Map<string, Play>([
  [DECLINED, {}],
  [CAPTURE_FAILS_ONCE, {}],
  [DUPLICATE_NOTIFICATIONS, {}],
  ['authorization-pending', { authorization: ['PENDING', 'CREATED'] }],
  ['authorization-denied', { authorization: ['PENDING', 'DENIED'] }],
  ['authorization-lapses', { lapses: true }],
  ['capture-pending', { capture: ['PENDING', 'COMPLETED'] }],
  ['capture-denied', { capture: ['PENDING', 'DECLINED'] }],
  ['capture-declined', { capture: ['DECLINED'] }],
  ['refund-pending', { refund: ['PENDING', 'COMPLETED'] }],
  ['refund-fails', { refund: ['PENDING', 'FAILED'] }],
  ['holds-less', { differs: { what: 'authorization', by: less } }],
  ['holds-euros', { differs: { what: 'authorization', by: inEuros } }],
  ['takes-less', { differs: { what: 'capture', by: less } }],
  ['takes-euros', { differs: { what: 'capture', by: inEuros } }],
  ['gives-less', { differs: { what: 'refund', by: less } }],
]);

export function playOf(scenario: string | null): Play {
  return PLAYS.get(scenario ?? '') ?? {};
}

/** What is held, taken or given back when this amount was asked for. */
export function played(what: 'authorization' | 'capture' | 'refund', scenario: string | null, asked: Money): Money {
  const { differs } = playOf(scenario);
  return differs?.what === what ? differs.by(asked) : asked;
}

export interface Wallet {
  readonly vaultId: string;
  readonly scenario?: string;
}

/** Which scenario an order plays: by its reference (the code that was scanned), else by its wallet. */
export class Scenarios {
  private readonly wallets: ReadonlyMap<string, Wallet>;

  constructor(
    private readonly byReference: Readonly<Record<string, string>>,
    wallets: readonly Wallet[],
  ) {
    this.wallets = new Map(wallets.map((wallet) => [wallet.vaultId, wallet]));
  }

  knows(vaultId: string): boolean {
    return this.wallets.has(vaultId);
  }

  of(referenceId: string, vaultId: string | null): string | null {
    const named = Object.hasOwn(this.byReference, referenceId) ? this.byReference[referenceId] : undefined;
    const candidates = [named, vaultId === null ? undefined : this.wallets.get(vaultId)?.scenario];
    return candidates.find((scenario) => scenario !== undefined && PLAYS.has(scenario)) ?? null;
  }
}

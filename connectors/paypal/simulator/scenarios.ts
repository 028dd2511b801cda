/** What an order may be told to play. All else is played straight. */
export const DECLINED = 'declined';
export const CAPTURE_FAILS_ONCE = 'capture-fails-once';
export const DUPLICATE_NOTIFICATIONS = 'duplicate-notifications';

const PLAYED: ReadonlySet<string> = new Set([DECLINED, CAPTURE_FAILS_ONCE, DUPLICATE_NOTIFICATIONS]);

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
    return candidates.find((scenario) => scenario !== undefined && PLAYED.has(scenario)) ?? null;
  }
}

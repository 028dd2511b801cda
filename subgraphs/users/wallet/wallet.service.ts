import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { NotFoundError } from '../../kernel/error.js';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import type { TravelerId, WalletId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { Principal } from '../../kernel/principal.js';
import type { SubjectKeys } from '../personal-data/subject-key.repository.js';
import { Traveler } from '../traveler/traveler.entity.js';
import { maySeeTraveler } from '../traveler/traveler.service.js';
import { type LinkWallet, Wallet } from './wallet.entity.js';
import { WalletClosed } from './wallet.errors.js';
import { findWalletWithKey } from './wallet.repository.js';
import type { WalletStatus } from './wallet.states.js';

/** A wallet as its owner sees it: never with its vault reference. */
export interface WalletView {
  readonly id: WalletId;
  readonly travelerId: TravelerId;
  readonly provider: `${WalletProvider}`;
  readonly currencyCode: Currency;
  readonly status: WalletStatus;
  readonly label: string;
  readonly linkedAt: Date;
}

export interface WalletVault {
  readonly provider: `${WalletProvider}`;
  readonly vaultReference: string;
  readonly status: WalletStatus;
}

export class WalletService {
  constructor(
    private readonly em: EntityManager,
    private readonly keys: SubjectKeys,
    private readonly now: Clock,
  ) {}

  /**
   * Links a wallet once: with an id that is known it changes nothing.
   * @throws NotFoundError when there is no such traveler, or no longer
   */
  async link(command: LinkWallet): Promise<void> {
    await transaction(this.em, async (em) => {
      // The lock lets one of two simultaneous links find the other's wallet, and keeps an erasure away.
      const traveler = await em.findOne(Traveler, command.travelerId, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (await em.findOne(Wallet, command.id)) return;
      const key = traveler && (await this.keys.find(em, [traveler.id])).get(traveler.id);
      if (!key) throw new NotFoundError();
      em.persist(Wallet.linked(command, key, this.now()));
    });
  }

  /**
   * Suspends, reactivates or closes a wallet. Payments that are confirmed go to their end.
   * @throws NotFoundError, WalletClosed
   */
  async change(id: WalletId, status: WalletStatus): Promise<void> {
    await transaction(this.em, async (em) => {
      const wallet = await em.findOne(Wallet, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!wallet) throw new NotFoundError();
      if (wallet.status === 'CLOSED' && status !== 'CLOSED') throw new WalletClosed();
      wallet.become(status, this.now());
    });
  }

  /**
   * The provider's token, for the service that charges the wallet. Given also for a wallet that was suspended or closed
   * after the payment was confirmed: a repeated call must name the same wallet as the first one did.
   *
   * @throws NotFoundError also when the owner was erased
   */
  async getVault(id: WalletId): Promise<WalletVault> {
    const found = await findWalletWithKey(this.em.fork(), id);
    if (!found?.wrappedKey) throw new NotFoundError();
    const { wallet, wrappedKey } = found;
    const vaultReference = wallet.vaultReferenceWith(this.keys.open(wallet.travelerId, wrappedKey));
    if (!vaultReference) throw new NotFoundError();
    return { provider: wallet.provider, vaultReference, status: wallet.status };
  }

  /** The wallets of those travelers, oldest first. */
  async findOfTravelers(travelerIds: readonly TravelerId[]): Promise<WalletView[]> {
    const em = this.em.fork();
    return this.viewsOf(
      em,
      await em.find(Wallet, { travelerId: [...travelerIds] }, { orderBy: { travelerId: 1, id: 1 } }),
    );
  }

  /** Those of the wallets that `asker` may see: their owner's and, for operators, all. */
  async find(ids: readonly WalletId[], asker: Principal): Promise<WalletView[]> {
    const em = this.em.fork();
    const wallets = await em.find(Wallet, { id: [...ids] });
    return this.viewsOf(
      em,
      wallets.filter((wallet) => maySeeTraveler(asker, wallet.travelerId)),
    );
  }

  private async viewsOf(em: EntityManager, wallets: readonly Wallet[]): Promise<WalletView[]> {
    const keys = await this.keys.find(em, [...new Set(wallets.map((wallet) => wallet.travelerId))]);
    return wallets.map((wallet) => ({
      id: wallet.id,
      travelerId: wallet.travelerId,
      provider: wallet.provider,
      currencyCode: wallet.currencyCode,
      status: wallet.status,
      label: wallet.labelWith(keys.get(wallet.travelerId)),
      linkedAt: wallet.linkedAt,
    }));
  }
}

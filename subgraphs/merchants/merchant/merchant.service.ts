import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { NotFoundError } from '../../kernel/error.js';
import type { Network } from '../../kernel/graphql/enums.js';
import type { MerchantId } from '../../kernel/id.js';
import { Merchant, type MerchantFacts, NetworkAccount } from './merchant.entity.js';
import { NetworkAccountTaken } from './merchant.errors.js';
import { findByAccount, insertAccount, upsertMerchant } from './merchant.repository.js';
import { networkMerchantIdOf } from './network-merchant-id.js';

export interface RegisterMerchant extends MerchantFacts {
  readonly id: MerchantId;
  readonly accounts: readonly { readonly network: `${Network}`; readonly networkMerchantId: string }[];
}

export class MerchantService {
  constructor(
    private readonly em: EntityManager,
    private readonly now: Clock,
  ) {}

  /**
   * Registers a merchant, or gives one that is known its new facts and accounts.
   * @throws NetworkAccountTaken, also when a scan made the number's merchant known under an id of its own before
   */
  async register({ id, accounts, ...facts }: RegisterMerchant): Promise<void> {
    await transaction(this.em, async (em) => {
      await upsertMerchant(em, id, facts, 'REGISTERED', this.now());
      for (const { network, networkMerchantId } of accounts)
        if ((await insertAccount(em, network, networkMerchantId, id)) !== id) throw new NetworkAccountTaken(network);
    });
  }

  /**
   * The merchant that a network means by one of its numbers. One that is new to us is recorded, so that payments and
   * histories can refer to it; one that we know only from the network gets the network's newest facts.
   */
  async recognise(network: `${Network}`, networkMerchantId: string, facts: MerchantFacts): Promise<Merchant> {
    const known = await findByAccount(this.em.fork(), network, networkMerchantId);
    if (known && (known.origin === 'REGISTERED' || known.isStill(facts))) return known;
    return transaction(this.em, async (em) => {
      const id = known?.id ?? networkMerchantIdOf(network, networkMerchantId);
      await upsertMerchant(em, id, facts, 'NETWORK', this.now());
      // Someone may have registered it meanwhile: then the number is theirs.
      const owner = await insertAccount(em, network, networkMerchantId, id);
      return em.findOneOrFail(Merchant, owner ?? id);
    });
  }

  /** @throws NotFoundError */
  async get(id: MerchantId): Promise<Merchant> {
    const merchant = await this.em.fork().findOne(Merchant, id);
    if (!merchant) throw new NotFoundError();
    return merchant;
  }

  async find(ids: readonly MerchantId[]): Promise<Merchant[]> {
    return this.em.fork().find(Merchant, { id: [...ids] });
  }

  /** By which numbers networks know these merchants. */
  async findAccounts(ids: readonly MerchantId[]): Promise<NetworkAccount[]> {
    return this.em.fork().find(NetworkAccount, { merchantId: [...ids] });
  }
}

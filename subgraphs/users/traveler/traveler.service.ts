import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { NotFoundError } from '../../kernel/error.js';
import type { TravelerId } from '../../kernel/id.js';
import type { Principal } from '../../kernel/principal.js';
import type { SubjectKeys } from '../personal-data/subject-key.repository.js';
import { Wallet } from '../wallet/wallet.entity.js';
import { type PersonalDetails, Traveler } from './traveler.entity.js';

/** A traveler as one asker may see them. */
export interface TravelerProfile {
  readonly id: TravelerId;
  /** To everyone but the traveler and operators a traveler is an id: all else is null. */
  readonly hidden: boolean;
  readonly homeMarketCode: string | null;
  /** Null also when the traveler was erased. */
  readonly details: PersonalDetails | null;
}

export interface EnrolTraveler extends PersonalDetails {
  readonly id: TravelerId;
  readonly homeMarketCode: string;
}

export class TravelerService {
  constructor(
    private readonly em: EntityManager,
    private readonly keys: SubjectKeys,
    private readonly now: Clock,
  ) {}

  /** Enrols a traveler once: with an id that is known, also that of an erased traveler, it changes nothing. */
  async enrol(command: EnrolTraveler): Promise<void> {
    const { id, homeMarketCode, displayName, legalName, email } = command;
    await transaction(this.em, async (em) => {
      const key = await this.keys.issue(em, id, this.now());
      if (!key) return;
      em.persist(Traveler.enrolled(id, homeMarketCode, { displayName, legalName, email }, key, this.now()));
    });
  }

  /**
   * Forgets a traveler for good: the key that opens their data is destroyed, their wallets are closed. The id stays,
   * for the books. To be asked only when no payment of theirs is under way: the wallet leg needs the wallet's reference.
   *
   * @throws NotFoundError
   */
  async erase(id: TravelerId): Promise<void> {
    await transaction(this.em, async (em) => {
      const traveler = await em.findOne(Traveler, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!traveler) throw new NotFoundError();
      const wallets = await em.find(
        Wallet,
        { travelerId: id },
        { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 1 } },
      );
      for (const wallet of wallets) wallet.erase(this.now());
      traveler.erase(this.now());
      await this.keys.destroy(em, id, this.now());
    });
  }

  /** @throws NotFoundError for everyone but the traveler and operators */
  async get(id: TravelerId, asker: Principal): Promise<TravelerProfile> {
    const [profile] = maySeeTraveler(asker, id) ? await this.find([id]) : [];
    if (!profile) throw new NotFoundError();
    return profile;
  }

  /** The profiles of those that exist, in clear: for askers who may see them. */
  async find(ids: readonly TravelerId[]): Promise<TravelerProfile[]> {
    const em = this.em.fork();
    const travelers = await em.find(Traveler, { id: [...ids] });
    const keys = await this.keys.find(
      em,
      travelers.map((traveler) => traveler.id),
    );
    return travelers.map((traveler) => ({
      id: traveler.id,
      hidden: false,
      homeMarketCode: traveler.homeMarketCode,
      details: traveler.details(keys.get(traveler.id)),
    }));
  }
}

/** Only the traveler and operators see a traveler, their wallets and their home. */
export function maySeeTraveler(asker: Principal, id: TravelerId): boolean {
  return asker.isTraveler(id) || asker.isOperator();
}

/** The traveler as everybody else sees them: without a look-up, so that existing and not existing look the same. */
export function hiddenTraveler(id: TravelerId): TravelerProfile {
  return { id, hidden: true, homeMarketCode: null, details: null };
}

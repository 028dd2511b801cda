import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { NotFoundError } from '../../kernel/error.js';
import type { MerchantId, PartnerId, TravelerId } from '../../kernel/id.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import { Partner, PartnerGrant } from './partner.entity.js';

export interface RegisterPartner {
  readonly id: PartnerId;
  readonly name: string;
  /** What the partner may do, such as `payments:read`. */
  readonly scopes: readonly string[];
}

export interface PartnerSight {
  readonly partnerId: PartnerId;
  /** Whose payments. */
  readonly subjectId: MerchantId | TravelerId;
}

export class PartnerService {
  constructor(
    private readonly em: EntityManager,
    private readonly now: Clock,
  ) {}

  /** Registers a partner, or gives one that is known its new name and scopes. */
  async register(command: RegisterPartner): Promise<void> {
    await transaction(this.em, (em) =>
      em.execute(
        `insert into partner (id, name, scopes, registered_at)
         select ?, ?, array(select jsonb_array_elements_text(?::jsonb)), ?
         on conflict (id) do update set name = excluded.name, scopes = excluded.scopes`,
        [command.id, command.name, JSON.stringify(command.scopes), this.now()],
      ),
    );
  }

  /** Lets a partner see the payments of a merchant or traveler, from the next checkout on. @throws NotFoundError */
  async grant({ partnerId, subjectId }: PartnerSight): Promise<void> {
    await transaction(this.em, async (em) => {
      if (!(await em.findOne(Partner, partnerId))) throw new NotFoundError();
      await em.execute(
        `insert into partner_grant (partner_id, subject_id, granted_at) values (?, ?, ?)
         on conflict (partner_id, subject_id) where revoked_at is null do nothing`,
        [partnerId, subjectId, this.now()],
      );
    });
  }

  /** Takes a grant back; payments that were made under it stay visible. */
  async revoke({ partnerId, subjectId }: PartnerSight): Promise<void> {
    await transaction(this.em, (em) =>
      em.nativeUpdate(PartnerGrant, { partnerId, subjectId, revokedAt: null }, { revokedAt: this.now() }),
    );
  }

  async find(ids: readonly PartnerId[]): Promise<Partner[]> {
    return this.em.fork().find(Partner, { id: [...ids] });
  }

  /** The grants that hold, newest first, by their position. */
  async listGrants(partnerId: PartnerId, page: PageRequest): Promise<Page<PartnerGrant>> {
    const position = {
      ...(page.after !== null && { $lt: BigInt(page.after) }),
      ...(page.before !== null && { $gt: BigInt(page.before) }),
    };
    const read = await this.em
      .fork()
      .find(
        PartnerGrant,
        { partnerId, revokedAt: null, ...(Object.keys(position).length > 0 && { position }) },
        { orderBy: { position: page.backward ? 1 : -1 }, limit: page.limit + 1 },
      );
    return pageOf(page, read);
  }
}

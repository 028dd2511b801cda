import { defineEntity, p } from '@mikro-orm/core';
import type { MerchantId, PartnerId, TravelerId } from '../../kernel/id.js';

const PartnerSchema = defineEntity({
  name: 'Partner',
  tableName: 'partner',
  properties: {
    id: p.string().$type<PartnerId>().primary(),
    name: p.string(),
    scopes: p.array(),
    registeredAt: p.datetime(),
  },
});

/** An app that was granted sight of payments. */
export class Partner extends PartnerSchema.class {}

PartnerSchema.setClass(Partner);

const PartnerGrantSchema = defineEntity({
  name: 'PartnerGrant',
  tableName: 'partner_grant',
  properties: {
    position: p.bigint().primary().autoincrement(),
    partnerId: p.string().$type<PartnerId>(),
    subjectId: p.string().$type<MerchantId | TravelerId>(),
    grantedAt: p.datetime(),
    revokedAt: p.datetime().$type<Date | null>().strictNullable(),
  },
});

/** A merchant or traveler let a partner see their payments. Takes effect with the next checkout. */
export class PartnerGrant extends PartnerGrantSchema.class {}

PartnerGrantSchema.setClass(PartnerGrant);

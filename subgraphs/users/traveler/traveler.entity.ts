import { defineEntity, p } from '@mikro-orm/core';
import type { TravelerId } from '../../kernel/id.js';
import type { DataKey } from '../personal-data/data-key.js';

const TravelerSchema = defineEntity({
  name: 'Traveler',
  tableName: 'traveler',
  properties: {
    id: p.string().$type<TravelerId>().primary(),
    homeMarketCode: p.string(),
    displayName: p.blob().$type<Buffer | null>().strictNullable(),
    legalName: p.blob().$type<Buffer | null>().strictNullable(),
    email: p.blob().$type<Buffer | null>().strictNullable(),
    enrolledAt: p.datetime(),
    erasedAt: p.datetime().$type<Date | null>().strictNullable(),
  },
});

/** What a traveler told us of themselves. */
export interface PersonalDetails {
  /** How the apps address them. */
  readonly displayName: string;
  /** As in the passport. */
  readonly legalName: string;
  readonly email: string;
}

/** Who pays. Everything personal is sealed under the traveler's own key. */
export class Traveler extends TravelerSchema.class {
  static enrolled(id: TravelerId, homeMarketCode: string, details: PersonalDetails, key: DataKey, now: Date): Traveler {
    return Object.assign(new Traveler(), {
      id,
      homeMarketCode,
      displayName: key.seal(details.displayName, 'traveler.display-name'),
      legalName: key.seal(details.legalName, 'traveler.legal-name'),
      email: key.seal(details.email, 'traveler.email'),
      enrolledAt: now,
      erasedAt: null,
    });
  }

  /** The details in clear; null once the traveler was erased. */
  details(key: DataKey | undefined): PersonalDetails | null {
    if (!key || !this.displayName || !this.legalName || !this.email) return null;
    return {
      displayName: key.open(this.displayName, 'traveler.display-name'),
      legalName: key.open(this.legalName, 'traveler.legal-name'),
      email: key.open(this.email, 'traveler.email'),
    };
  }

  /** What stays is a tombstone: the id that payments and books know. */
  erase(now: Date): void {
    this.displayName = null;
    this.legalName = null;
    this.email = null;
    this.erasedAt ??= now;
  }
}

TravelerSchema.setClass(Traveler);

import { defineEntity, p } from '@mikro-orm/core';
import type { Network } from '../../kernel/graphql/enums.js';
import type { MerchantId } from '../../kernel/id.js';

const MerchantSchema = defineEntity({
  name: 'Merchant',
  tableName: 'merchant',
  properties: {
    id: p.string().$type<MerchantId>().primary(),
    name: p.string(),
    localName: p.string(),
    categoryCode: p.string(),
    city: p.string(),
    countryCode: p.string(),
    origin: p.string().$type<'REGISTERED' | 'NETWORK'>(),
    registeredAt: p.datetime(),
  },
});

/** What everyone may know of a merchant. */
export interface MerchantFacts {
  /** For travelers: in Latin letters. */
  readonly name: string;
  /** As on the sign: `小面馆`. */
  readonly localName: string;
  /** ISO 18245, four digits. */
  readonly categoryCode: string;
  readonly city: string;
  readonly countryCode: string;
}

/**
 * Who is paid. REGISTERED with us, or known only because the NETWORK named it when one of its codes was scanned: then
 * its facts follow what the network says.
 */
export class Merchant extends MerchantSchema.class {
  isStill(facts: MerchantFacts): boolean {
    return (
      this.name === facts.name &&
      this.localName === facts.localName &&
      this.categoryCode === facts.categoryCode &&
      this.city === facts.city &&
      this.countryCode === facts.countryCode
    );
  }
}

MerchantSchema.setClass(Merchant);

const NetworkAccountSchema = defineEntity({
  name: 'NetworkAccount',
  tableName: 'network_account',
  properties: {
    network: p.string().$type<`${Network}`>().primary(),
    networkMerchantId: p.string().primary(),
    merchantId: p.string().$type<MerchantId>(),
  },
});

/** By which number a network knows a merchant. */
export class NetworkAccount extends NetworkAccountSchema.class {}

NetworkAccountSchema.setClass(NetworkAccount);

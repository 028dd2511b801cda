import { defineEntity, p } from '@mikro-orm/core';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import type { TravelerId, WalletId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import { step } from '../../kernel/states.js';
import type { DataKey } from '../personal-data/data-key.js';
import { type WalletStatus, walletTransitions } from './wallet.states.js';
import { bareLabel, walletLabel } from './wallet-label.js';

const WalletSchema = defineEntity({
  name: 'Wallet',
  tableName: 'wallet',
  properties: {
    id: p.string().$type<WalletId>().primary(),
    travelerId: p.string().$type<TravelerId>(),
    provider: p.string().$type<`${WalletProvider}`>(),
    currencyCode: p.string().$type<Currency>(),
    status: p.string().$type<WalletStatus>(),
    label: p.blob().$type<Buffer | null>().strictNullable(),
    vaultReference: p.blob().$type<Buffer | null>().strictNullable(),
    linkedAt: p.datetime(),
    closedAt: p.datetime().$type<Date | null>().strictNullable(),
  },
});

export interface LinkWallet {
  readonly id: WalletId;
  readonly travelerId: TravelerId;
  readonly provider: `${WalletProvider}`;
  readonly currencyCode: Currency;
  /** The mail address or number of the account. Only its masked form is kept. */
  readonly accountName: string;
  /** The provider's token that lets us charge the wallet. */
  readonly vaultReference: string;
}

/** A traveler's account at a wallet provider, in one currency. Label and vault reference are sealed under the traveler's key. */
export class Wallet extends WalletSchema.class {
  static linked(command: LinkWallet, key: DataKey, now: Date): Wallet {
    const { id, travelerId, provider, currencyCode, accountName, vaultReference } = command;
    return Object.assign(new Wallet(), {
      id,
      travelerId,
      provider,
      currencyCode,
      status: 'ACTIVE' as const,
      label: key.seal(walletLabel(provider, accountName), `${id}.label`),
      vaultReference: key.seal(vaultReference, `${id}.vault-reference`),
      linkedAt: now,
      closedAt: null,
    });
  }

  labelWith(key: DataKey | undefined): string {
    return key && this.label ? key.open(this.label, `${this.id}.label`) : bareLabel(this.provider);
  }

  /** Null once the traveler was erased. */
  vaultReferenceWith(key: DataKey | undefined): string | null {
    return key && this.vaultReference ? key.open(this.vaultReference, `${this.id}.vault-reference`) : null;
  }

  /** Steps to `status`; to be there already is fine. */
  become(status: WalletStatus, now: Date): void {
    if (this.status === status) return;
    this.status = step(walletTransitions, this.status, status);
    if (status === 'CLOSED') this.closedAt = now;
  }

  erase(now: Date): void {
    this.become('CLOSED', now);
    this.label = null;
    this.vaultReference = null;
  }
}

WalletSchema.setClass(Wallet);

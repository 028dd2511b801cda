import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import type { CodeKind, Network } from '../../kernel/graphql/enums.js';
import type { CodeId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { Money } from '../../kernel/money/money.js';
import type { Merchant } from '../merchant/merchant.entity.js';
import type { MerchantService } from '../merchant/merchant.service.js';
import { CodeExpired, InvalidCode } from './code.errors.js';
import { findScanned, type OwnCode } from './code.repository.js';
import type { NetworkClient, NetworkCode } from './network.client.js';
import { requireServed, WECHAT_PAY } from './network.js';
import { readPayload } from './scanned-payload.js';

/** Whose code it is and what it asks for. */
export interface ScannedCode {
  readonly network: `${Network}`;
  readonly kind: `${CodeKind}`;
  readonly merchant: Merchant;
  readonly networkMerchantId: string;
  /** Null when the payer types it. */
  readonly amount: Money | null;
  readonly currency: Currency;
  readonly reference: string | null;
  readonly expiresAt: Date | null;
  /** Null for a code that only the network knows. */
  readonly codeId: CodeId | null;
}

export class ScanService {
  constructor(
    private readonly em: EntityManager,
    private readonly merchants: MerchantService,
    private readonly network: NetworkClient,
    private readonly now: Clock,
  ) {}

  /**
   * Says whose code this is: by our records first, else by the network's.
   * @throws InvalidCode, CodeExpired, MarketNotLive, NetworkUnavailable
   */
  async resolve(scanned: string): Promise<ScannedCode> {
    const { text, codeId } = readPayload(scanned);
    const own = await findScanned(this.em.fork(), text, codeId);
    if (own) return this.ownCode(own, text);
    // It says that we made it, and we did not.
    if (codeId !== null) throw new InvalidCode('UNKNOWN');
    const known = await this.network.identify(text);
    if (!known) throw new InvalidCode('UNKNOWN');
    return this.networkCode(known);
  }

  private ownCode({ code, merchant, networkMerchantId }: OwnCode, text: string): ScannedCode {
    // Anyone can compute a checksum: a copy with another merchant or an amount of its own is not our code.
    if (code.payload !== text) throw new InvalidCode('TAMPERED');
    code.requirePayable(this.now());
    requireServed(merchant.countryCode, code.currencyCode);
    return {
      network: code.network,
      kind: code.kind,
      merchant,
      networkMerchantId,
      amount: code.amount,
      currency: code.currencyCode,
      reference: code.reference,
      expiresAt: code.expiresAt,
      codeId: code.id,
    };
  }

  private async networkCode(code: NetworkCode): Promise<ScannedCode> {
    const { kind, networkMerchantId, amount, reference, expiresAt } = code;
    const { network, currency } = WECHAT_PAY;
    requireServed(code.merchant.countryCode, amount?.currency ?? currency);
    if (expiresAt && expiresAt <= this.now()) throw new CodeExpired('EXPIRED');
    const merchant = await this.merchants.recognise(network, networkMerchantId, code.merchant);
    return { network, kind, merchant, networkMerchantId, amount, currency, reference, expiresAt, codeId: null };
  }
}

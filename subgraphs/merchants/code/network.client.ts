import type { CodeKind } from '../../kernel/graphql/enums.js';
import type { CodeId } from '../../kernel/id.js';
import type { Money } from '../../kernel/money/money.js';
import type { MerchantFacts } from '../merchant/merchant.entity.js';
import type { OrderState } from './code.states.js';

export interface NetworkOrder {
  /** Chosen by us; registering the same number with the same content again gives the same code. */
  readonly outTradeNo: string;
  readonly codeId: CodeId;
  readonly networkMerchantId: string;
  readonly description: string;
  readonly amount: Money;
  readonly expiresAt: Date;
}

/** What a network says about a code that someone scanned. */
export interface NetworkCode {
  readonly kind: `${CodeKind}`;
  readonly networkMerchantId: string;
  readonly merchant: MerchantFacts;
  /** Null exactly for a STATIC code. */
  readonly amount: Money | null;
  readonly reference: string | null;
  readonly expiresAt: Date | null;
}

/** What this subgraph wants of a network. Every call has a deadline and is made outside of database transactions. */
export interface NetworkClient {
  /** The payload of the code. @throws NetworkUnavailable, CodeRefused */
  register(order: NetworkOrder): Promise<string>;

  /** Ends an order; true also when it was over already, false when it was paid. @throws NetworkUnavailable */
  close(outTradeNo: string, networkMerchantId: string): Promise<boolean>;

  /** What became of an order, whoever paid it. @throws NetworkUnavailable */
  inquire(outTradeNo: string, networkMerchantId: string): Promise<OrderState>;

  /** Null when the network does not know the code. @throws CodeExpired, NetworkUnavailable */
  identify(payload: string): Promise<NetworkCode | null>;
}

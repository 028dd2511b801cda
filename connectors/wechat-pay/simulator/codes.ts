import { currencyOfNumeric } from '../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { type EmvcoCode, findAccount, looksLikeEmvco, parseEmvco } from '../../emvco/emvco.codec.js';
import { EmvcoError } from '../../emvco/emvco.errors.js';
import type { Books, Order } from './books.js';
import { Refused } from './refused.js';
import type { Store } from './settings.js';

const WECHAT_PAY = 'com.tenpay.wechatpay';

/** Whose a code is: an order's, or a store's (then the payer types the amount, unless the code says one). */
export type ResolvedCode =
  | { readonly order: Order; readonly store: Store }
  | {
      readonly order: null;
      readonly store: Store;
      readonly fixedFen: bigint | null;
      readonly reference: string | null;
    };

/** Knows the network's stores, their static codes and the codes of orders. */
export class Codes {
  constructor(
    private readonly books: Books,
    private readonly stores: readonly Store[],
  ) {}

  store(merchantId: string): Store | null {
    return this.stores.find((store) => store.merchantId === merchantId) ?? null;
  }

  /** The number of another store than this one. */
  another(store: Store): string {
    return this.stores.find(({ merchantId }) => merchantId !== store.merchantId)?.merchantId ?? store.merchantId;
  }

  /** @throws Refused CODE_INVALID */
  resolve(code: string): ResolvedCode {
    const order = this.books.orderOfCode(code);
    if (order !== null) return { order, store: this.store(order.merchantId) ?? invalid() };
    if (looksLikeEmvco(code)) return this.resolveEmvco(code);
    const store = this.stores.find(({ codes }) => codes.includes(code)) ?? invalid();
    return { order: null, store, fixedFen: null, reference: null };
  }

  private resolveEmvco(text: string): ResolvedCode {
    const code = parse(text);
    const merchantId = findAccount(code, WECHAT_PAY)?.get('01') ?? invalid();
    if (code.countryCode !== 'CN' || currencyOfNumeric(code.currencyNumeric) !== 'CNY') invalid();
    const store = this.store(merchantId) ?? invalid();
    return { order: null, store, fixedFen: fixedFenOf(code), reference: code.additional.get('05') ?? null };
  }
}

function parse(text: string): EmvcoCode {
  try {
    return parseEmvco(text);
  } catch (thrown) {
    if (thrown instanceof EmvcoError) invalid();
    throw thrown;
  }
}

function fixedFenOf({ amount }: EmvcoCode): bigint | null {
  if (amount === null) return null;
  try {
    return Money.parsePositive(amount, 'CNY').minor;
  } catch {
    return invalid();
  }
}

function invalid(): never {
  throw new Refused(404, 'CODE_INVALID', '二维码无效');
}

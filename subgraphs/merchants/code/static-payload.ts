import { buildEmvco } from '../../../connectors/emvco/emvco.codec.js';
import type { CodeId } from '../../kernel/id.js';
import type { MerchantFacts } from '../merchant/merchant.entity.js';
import { WECHAT_PAY } from './network.js';

export interface StaticCode {
  readonly codeId: CodeId;
  readonly networkMerchantId: string;
  readonly merchant: MerchantFacts;
  readonly reference: string | null;
}

// Field 62.05 takes no more, and only these: a reader that counts bytes would lose its way in anything else.
const REFERENCE = /^[\x20-\x7e]{1,25}$/;

/** The EMVCo payload of a static code of ours. It names our code, so that an altered copy is told from the original. */
export function staticPayload({ codeId, networkMerchantId, merchant, reference }: StaticCode): string {
  const fits = reference !== null && REFERENCE.test(reference);
  return buildEmvco({
    initiation: 'STATIC',
    primitiveAccounts: new Map(),
    accounts: new Map([
      [
        '26',
        new Map([
          ['00', WECHAT_PAY.emvcoId],
          ['01', networkMerchantId],
          ['02', codeId],
        ]),
      ],
    ]),
    categoryCode: merchant.categoryCode,
    currencyNumeric: WECHAT_PAY.currencyNumeric,
    amount: null,
    countryCode: merchant.countryCode,
    merchantName: merchant.name,
    city: merchant.city,
    postalCode: null,
    additional: new Map(fits ? [['05', reference]] : []),
    localized: { language: 'ZH', name: merchant.localName, city: null },
    others: new Map(),
  });
}

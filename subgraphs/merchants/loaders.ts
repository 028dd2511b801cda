import type DataLoader from 'dataloader';
import type { MerchantId } from '../kernel/id.js';
import { oneByKey, pagesByKey } from '../kernel/loader.js';
import type { Page, PageRequest } from '../kernel/page.js';
import type { PaymentCode } from './code/code.entity.js';
import type { CodeService } from './code/code.service.js';
import type { Merchant } from './merchant/merchant.entity.js';
import type { MerchantService } from './merchant/merchant.service.js';

/** One per request. */
export interface MerchantsLoaders {
  readonly merchant: DataLoader<MerchantId, Merchant | null>;
  readonly codesOfMerchant: (page: PageRequest) => DataLoader<MerchantId, Page<PaymentCode>>;
}

export function createLoaders(merchants: MerchantService, codes: CodeService): MerchantsLoaders {
  return {
    merchant: oneByKey(
      (ids) => merchants.find(ids),
      (merchant) => merchant.id,
    ),
    codesOfMerchant: pagesByKey((ids, page) => codes.listPages(ids, page)),
  };
}

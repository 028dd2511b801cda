import DataLoader from 'dataloader';
import { InvariantViolation } from '../kernel/error.js';
import type { MerchantId } from '../kernel/id.js';
import { oneByKey } from '../kernel/loader.js';
import type { Page, PageRequest } from '../kernel/page.js';
import type { PaymentCode } from './code/code.entity.js';
import type { CodeService } from './code/code.service.js';
import type { Merchant } from './merchant/merchant.entity.js';
import type { MerchantService } from './merchant/merchant.service.js';

/** One per request. */
export interface MerchantsLoaders {
  readonly merchant: DataLoader<MerchantId, Merchant | null>;
  /** One loader per page that the request asks for: the same page of many merchants is one statement. */
  readonly codesOfMerchant: (page: PageRequest) => DataLoader<MerchantId, Page<PaymentCode>>;
}

export function createLoaders(merchants: MerchantService, codes: CodeService): MerchantsLoaders {
  const pages = new Map<string, DataLoader<MerchantId, Page<PaymentCode>>>();
  return {
    merchant: oneByKey(
      (ids) => merchants.find(ids),
      (merchant) => merchant.id,
    ),
    codesOfMerchant: (page) => {
      const key = JSON.stringify(page);
      const loader = pages.get(key) ?? pageLoader(codes, page);
      pages.set(key, loader);
      return loader;
    },
  };
}

function pageLoader(codes: CodeService, page: PageRequest): DataLoader<MerchantId, Page<PaymentCode>> {
  return new DataLoader<MerchantId, Page<PaymentCode>>(async (ids) => {
    const found = await codes.listPages(ids, page);
    return ids.map((id) => found.get(id) ?? new InvariantViolation('every merchant has a page'));
  });
}

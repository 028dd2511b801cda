import type { Clock } from '../kernel/clock.js';
import type { Principal } from '../kernel/principal.js';
import type { CodeService } from './code/code.service.js';
import type { ScanService } from './code/scan.service.js';
import type { MerchantsLoaders } from './loaders.js';
import type { MerchantService } from './merchant/merchant.service.js';

export interface MerchantsServices {
  readonly merchants: MerchantService;
  readonly codes: CodeService;
  readonly scans: ScanService;
}

/** What a resolver may use. */
export interface MerchantsContext extends MerchantsServices {
  readonly principal: Principal;
  readonly loaders: MerchantsLoaders;
  readonly now: Clock;
}

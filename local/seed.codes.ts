import { staticPayload } from '../subgraphs/merchants/code/static-payload.js';
import type { DevelopmentCode } from './development.page.js';
import { fixedId } from './seed.id.js';
import { type Store, stores } from './seed.stores.js';

export interface SeededCode extends DevelopmentCode {
  readonly id: ReturnType<typeof fixedId<'cod'>>;
  readonly merchantId: Store['merchantId'];
}

/** The codes on the counters: WeChat Pay's own at each shop, and at the first one also an EMVCo code of ours. */
export const seededCodes: readonly SeededCode[] = [
  ...stores.map((store, index) => seeded(store, store.name, fixedId('cod', 'cn', index + 1), store.payload)),
  ...stores.slice(0, 1).map((store) => {
    const id = fixedId('cod', 'cn', 101);
    const { networkMerchantId, name, localName, categoryCode, city } = store;
    const merchant = { name, localName, categoryCode, city, countryCode: 'CN' };
    return seeded(
      store,
      `${name} (EMVCo)`,
      id,
      staticPayload({ codeId: id, networkMerchantId, merchant, reference: null }),
    );
  }),
];

function seeded({ merchantId, scenario }: Store, name: string, id: SeededCode['id'], payload: string): SeededCode {
  return { id, name, payload, kind: 'STATIC', network: 'WECHAT_PAY', merchantId, scenario };
}

/** As `/dev/codes` lists them. */
export const developmentCodes: readonly DevelopmentCode[] = seededCodes.map(({ id: _, ...code }) => code);

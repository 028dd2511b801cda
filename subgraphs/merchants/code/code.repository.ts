import type { EntityManager } from '@mikro-orm/postgresql';
import type { CodeId, MerchantId } from '../../kernel/id.js';
import type { PageRequest } from '../../kernel/page.js';
import { PaymentCode } from './code.entity.js';

/** One page of codes of each merchant, newest first, `limit + 1` rows at most, in one statement for all of them. */
export async function readCodePages(
  em: EntityManager,
  merchantIds: readonly MerchantId[],
  page: PageRequest,
): Promise<PaymentCode[]> {
  const rows = await em.execute<object[]>(
    `select code.* from unnest(?::text[]) with ordinality as wanted (merchant_id, nth)
      cross join lateral (
        select * from payment_code
         where merchant_id = wanted.merchant_id and payload is not null
           and (?::text is null or id < ?) and (?::text is null or id > ?)
         order by id ${page.backward ? 'asc' : 'desc'} limit ?) as code
      order by wanted.nth, code.id ${page.backward ? 'asc' : 'desc'}`,
    [`{${merchantIds.join(',')}}`, page.after, page.after, page.before, page.before, page.limit + 1],
  );
  return rows.map((row) => em.map(PaymentCode, row));
}

/** The code with this payload, or the one of ours that the payload names. */
export async function findScanned(em: EntityManager, text: string, codeId: string | null): Promise<PaymentCode | null> {
  if (codeId === null) return em.findOne(PaymentCode, { payload: text });
  return em.findOne(PaymentCode, { id: codeId as CodeId });
}

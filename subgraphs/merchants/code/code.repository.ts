import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import { columnsOf, entityIn } from '../../kernel/database.rows.js';
import type { CodeId, MerchantId } from '../../kernel/id.js';
import type { PageRequest } from '../../kernel/page.js';
import { Merchant } from '../merchant/merchant.entity.js';
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

/** A code of ours and whose it is. */
export interface OwnCode {
  readonly code: PaymentCode;
  readonly merchant: Merchant;
  readonly networkMerchantId: string;
}

/** The code with this payload, or the one of ours that the payload names, in one round trip: each scan asks for it. */
export async function findScanned(em: EntityManager, text: string, codeId: string | null): Promise<OwnCode | null> {
  const [row] = await runStatement<Record<string, unknown> & { readonly network_merchant_id: string }>(
    em,
    `select ${columnsOf(em, PaymentCode, 'code')}, ${columnsOf(em, Merchant, 'merchant')}, account.network_merchant_id
       from payment_code code
       join merchant on merchant.id = code.merchant_id
       join network_account account on account.merchant_id = code.merchant_id and account.network = code.network
      where ${codeId === null ? 'code.payload' : 'code.id'} = ?`,
    [codeId ?? text],
  );
  if (!row) return null;
  const [code, merchant] = [entityIn(em, PaymentCode, 'code', row), entityIn(em, Merchant, 'merchant', row)];
  return { code, merchant, networkMerchantId: row.network_merchant_id };
}

/** Whether a code is a merchant's own, and not of one order: that never changes. Null where there is none. */
export async function isStatic(em: EntityManager, id: CodeId): Promise<boolean | null> {
  const [row] = await runStatement<{ kind: string }>(em, 'select kind from payment_code where id = ?', [id]);
  return row ? row.kind === 'STATIC' : null;
}

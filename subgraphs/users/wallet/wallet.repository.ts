import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import { columnsOf, entityIn } from '../../kernel/database.rows.js';
import type { WalletId } from '../../kernel/id.js';
import { Wallet } from './wallet.entity.js';

interface Row extends Readonly<Record<string, unknown>> {
  readonly wrapped_key: Buffer | null;
}

/** A wallet with its owner's wrapped key, in one round trip: each payment asks for it. No key once the owner was erased. */
export async function findWalletWithKey(
  em: EntityManager,
  id: WalletId,
): Promise<{ readonly wallet: Wallet; readonly wrappedKey: Buffer | null } | null> {
  const [row] = await runStatement<Row>(
    em,
    `select ${columnsOf(em, Wallet, 'wallet')}, subject_key.wrapped_key
       from wallet left join subject_key on subject_key.subject_id = wallet.traveler_id
      where wallet.id = ?`,
    [id],
  );
  return row ? { wallet: entityIn(em, Wallet, 'wallet', row), wrappedKey: row.wrapped_key } : null;
}

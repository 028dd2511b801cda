import type { EntityManager } from '@mikro-orm/postgresql';

/** How a statement and our records disagree. */
export const breakTypes = [
  'MISSING_AT_NETWORK',
  'MISSING_AT_WALLET',
  'MISSING_HERE',
  'AMOUNT_DIFFERS',
  'CURRENCY_DIFFERS',
  'STATUS_DIFFERS',
  'MERCHANT_DIFFERS',
  'FEE_DIFFERS',
  'DUPLICATE',
] as const;
export type BreakType = (typeof breakTypes)[number];

/** How many breaks of each type are open, by the index that holds only those. */
export async function countOpenBreaks(em: EntityManager): Promise<ReadonlyMap<BreakType, number>> {
  const rows = await em.execute<{ type: BreakType; count: number }[]>(
    'select type, count(*)::integer as count from reconciliation_break where closed_at is null group by type',
  );
  const counts = new Map(rows.map(({ type, count }) => [type, count]));
  return new Map(breakTypes.map((type) => [type, counts.get(type) ?? 0]));
}

import type { EntityManager } from '@mikro-orm/postgresql';

/**
 * How PostgreSQL would answer what `read` asks, of which nothing is answered: the plan of its last statement. A small
 * table may just as well be read whole; with that switched off the plan shows whether an index could serve.
 * @param off more that the planner may not do, such as `sort`
 */
export async function planOf(
  em: EntityManager,
  read: (explaining: EntityManager) => Promise<unknown>,
  ...off: readonly 'sort'[]
): Promise<string> {
  return planWithout(em, read, ['seqscan', 'bitmapscan', ...off]);
}

/** The same with nothing switched off: for tables that are filled, and what is known of them. */
export async function planAsItIs(
  em: EntityManager,
  read: (explaining: EntityManager) => Promise<unknown>,
): Promise<string> {
  return planWithout(em, read, []);
}

async function planWithout(
  em: EntityManager,
  read: (explaining: EntityManager) => Promise<unknown>,
  off: readonly string[],
): Promise<string> {
  let plan = '';
  const explaining = {
    getMetadata: em.getMetadata.bind(em),
    isInTransaction: () => true,
    execute: async (sql: string, values: unknown[]) => {
      const rows = await em.execute<object[]>(`explain ${sql}`, values);
      plan = rows.map((row) => Object.values(row)[0]).join('\n');
      return [];
    },
  } as unknown as EntityManager;
  await em.begin();
  try {
    for (const node of off) await em.execute(`set local enable_${node} = off`);
    await read(explaining);
  } finally {
    await em.rollback();
  }
  return plan;
}

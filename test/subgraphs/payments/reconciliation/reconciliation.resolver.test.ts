import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeCursor } from '../../../../subgraphs/kernel/graphql/connection.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { asker, codesOf } from '../../../support/ask.js';
import { World } from '../../../support/world.js';

let world: World;
const ids = Array.from({ length: 5 }, () => newId('brk', 'us'));

beforeAll(async () => {
  world = await World.start();
  const em = world.payments.em.fork();
  const side = {
    externalId: 'N1',
    amountMinor: '1250',
    currency: 'USD',
    status: 'SETTLED',
    at: '2026-06-01T12:00:00Z',
  };
  const evidence = JSON.stringify({ here: null, there: { ...side, merchantId: null, feeMinor: '98' } });
  for (const [index, id] of ids.entries())
    await em.execute(
      `insert into reconciliation_break (id, market_code, day, source, type, subject, evidence, first_seen_at, closed_at)
       values (?, 'US', '2026-06-01', 'WALLET', ?, ?, ?::jsonb, now(), ?)`,
      [id, index < 3 ? 'MISSING_HERE' : 'DUPLICATE', `N${index}`, evidence, index === 0 ? new Date() : null],
    );
  for (const day of ['2026-06-01', '2026-06-02', '2026-06-03'])
    await em.execute(
      `insert into reconciliation_run (market_code, day, failure, attempted_at) values ('US', ?, 'no bill', now())`,
      [day],
    );
});
afterAll(() => world.stop());

const BREAKS = `query ($first: Int, $after: String, $last: Int, $type: ReconciliationBreakType, $open: Boolean) {
  reconciliationBreaks(first: $first, after: $after, last: $last, type: $type, open: $open) {
    nodes { id type subject closedAt here { status } there { externalId amount { amount currencyCode } fee { amount } at } }
    pageInfo { hasNextPage endCursor } } }`;
const RUNS = `query ($first: Int, $after: String) {
  reconciliationRuns(first: $first, after: $after) { nodes { day marketCode failure networkLines } pageInfo { hasNextPage endCursor } } }`;

interface BreaksPage {
  readonly nodes: readonly Record<string, unknown>[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

async function breaks(variables: Record<string, unknown> = {}): Promise<BreaksPage> {
  const { data, errors } = await world.ask(reviewer, BREAKS, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return (data as { reconciliationBreaks: BreaksPage }).reconciliationBreaks;
}
const idsOf = (page: BreaksPage) => page.nodes.map(({ id }) => id);

const reviewer = asker.reviewer();

describe('reconciliationBreaks', () => {
  it('shows operators what differs, with the evidence, the last found first', async () => {
    const page = await breaks();
    expect(idsOf(page)).toEqual(ids.toReversed());
    expect(page.nodes[0]).toMatchObject({
      type: 'DUPLICATE',
      here: null,
      there: [{ externalId: 'N1', amount: { amount: '12.50', currencyCode: 'USD' }, fee: { amount: '0.98' } }],
    });
  });

  it('goes page by page without missing or repeating one', async () => {
    const first = await breaks({ first: 2 });
    const second = await breaks({ first: 2, after: first.pageInfo.endCursor });
    const third = await breaks({ first: 2, after: second.pageInfo.endCursor });
    expect([first, second, third].flatMap(idsOf)).toEqual(ids.toReversed());
    expect([first, second, third].map(({ pageInfo }) => pageInfo.hasNextPage)).toEqual([true, true, false]);
    expect(idsOf(await breaks({ last: 2 }))).toEqual([ids[1], ids[0]]);
  });

  it('can be asked for one type, and for the open or the closed ones', async () => {
    expect(idsOf(await breaks({ type: 'DUPLICATE' }))).toEqual([ids[4], ids[3]]);
    expect(idsOf(await breaks({ type: 'MISSING_HERE', open: true }))).toEqual([ids[2], ids[1]]);
    expect(idsOf(await breaks({ open: false }))).toEqual([ids[0]]);
  });

  it('and reconciliationRuns are for nobody else', async () => {
    for (const document of [BREAKS, RUNS]) {
      expect(codesOf(await world.ask(asker.stranger, document, {}))).toEqual(['UNAUTHENTICATED']);
      for (const principal of [
        world.operator,
        world.maya.principal,
        world.partner.principal,
        world.store('ok').principal,
      ])
        expect(codesOf(await world.ask(principal, document, {}))).toEqual(['FORBIDDEN']);
    }
  });

  it('refuses the cursor of another list', async () => {
    const after = encodeCursor(newId('pay', 'us'));
    expect(codesOf(await world.ask(reviewer, BREAKS, { after }))).toEqual(['INVALID_CURSOR']);
  });
});

describe('reconciliationRuns', () => {
  it('lists the days, the last first, page by page, with what went wrong', async () => {
    const ask = async (variables: Record<string, unknown>) => {
      const { data } = await world.ask(reviewer, RUNS, variables);
      return (data as { reconciliationRuns: BreaksPage }).reconciliationRuns;
    };
    const first = await ask({ first: 2 });
    expect(first.nodes).toEqual([
      { day: '2026-06-03', marketCode: 'US', failure: 'no bill', networkLines: null },
      { day: '2026-06-02', marketCode: 'US', failure: 'no bill', networkLines: null },
    ]);
    const second = await ask({ first: 2, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ day }) => day)).toEqual(['2026-06-01']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { after, DAY } from '../../../../subgraphs/kernel/clock.js';
import { DEADLINE_HEADER } from '../../../../subgraphs/kernel/deadline.js';
import { Principal } from '../../../../subgraphs/kernel/principal.js';
import { asker, codesOf } from '../../../support/ask.js';
import { World } from '../../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
  for (const scenario of ['ok', 'refused'] as const) await world.settled(await world.pay(scenario));
});
afterAll(() => world.stop());

const reviewer = asker.reviewer;
const BALANCE = `query ($day: Date!) { trialBalance(day: $day) { day
  lines { accountClass debits { amount currencyCode } credits { amount } balance { amount } }
  totals { currencyCode debits { amount } credits { amount } isBalanced } } }`;
const PROOF = `query { ledgerProof { discrepancies { invariant subject }
  seals { seals sealedPostings unsealedPostings lastSealedAt firstBroken { sequence } } } }`;
const dayOf = (moment: Date) => moment.toISOString().slice(0, 10);

describe('A trial balance', () => {
  it('shows what a payment moved, and each currency in balance (M1, M2)', async () => {
    const { data, errors } = await world.ask(reviewer(), BALANCE, { day: dayOf(new Date()) });
    expect(errors).toBeUndefined();
    const { trialBalance } = data as { trialBalance: { lines: Record<string, unknown>[]; totals: object[] } };
    expect(trialBalance.lines.map((line) => line['accountClass'])).toEqual([
      'fx.position',
      'merchant.payable',
      'fx.position',
      'fx.spread.revenue',
      'payment',
      'processor.fee',
      'wallet.clearing',
    ]);
    expect(trialBalance.lines[1]).toMatchObject({
      debits: { amount: '0.00', currencyCode: 'CNY' },
      credits: { amount: '100.00' },
      balance: { amount: '-100.00' },
    });
    const control = trialBalance.lines.find((line) => line['accountClass'] === 'payment');
    expect(control).toMatchObject({ balance: { amount: '0.00' } });
    expect(trialBalance.totals).toMatchObject([
      { currencyCode: 'CNY', debits: { amount: '100.00' }, credits: { amount: '100.00' }, isBalanced: true },
      { currencyCode: 'USD', isBalanced: true },
    ]);
  });

  it('is empty before the first posting, and refused for a day that has not begun', async () => {
    const { data } = await world.ask(reviewer(), BALANCE, { day: '2020-02-29' });
    expect(data).toEqual({ trialBalance: { day: '2020-02-29', lines: [], totals: [] } });
    const tomorrow = dayOf(after(new Date(), DAY));
    expect(codesOf(await world.ask(reviewer(), BALANCE, { day: tomorrow }))).toEqual(['INVALID_RANGE']);
    expect(codesOf(await world.ask(reviewer(), BALANCE, { day: '2026-02-30' }))).toEqual(['BAD_USER_INPUT']);
  });

  it('shows a book that somebody has put out of balance', async () => {
    const em = world.payments.em.fork();
    const spoil = (by: number) =>
      em.execute(
        `update account set credits_posted = credits_posted + ${by} where starts_with(code, 'merchant.payable')`,
      );
    await spoil(1);
    const { data } = await world.ask(reviewer(), BALANCE, { day: dayOf(new Date()) });
    const proof = await world.ask(reviewer(), PROOF);
    await spoil(-1);
    expect(data).toMatchObject({ trialBalance: { totals: [{ isBalanced: false }, { isBalanced: true }] } });
    const { ledgerProof } = proof.data as { ledgerProof: { discrepancies: { subject: string }[] } };
    expect(ledgerProof.discrepancies.map(({ subject }) => subject)).toContain('CNY');
  });
});

describe('A proof of the books', () => {
  it('finds no contradiction, and a chain that holds', async () => {
    const { data, errors } = await world.ask(reviewer(), PROOF);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ ledgerProof: { discrepancies: [], seals: { firstBroken: null } } });
  });
});

describe('The proofs', () => {
  it('go on when they take longer than whoever asks can wait, and are had by asking again', async () => {
    const em = world.payments.em.fork();
    await em.begin();
    // Nothing reads the books meanwhile.
    await em.execute('lock table posting in access exclusive mode');
    const day = dayOf(new Date());
    const inAHurry = (query = PROOF) => world.ask(reviewer(), query, { day }, { [DEADLINE_HEADER]: '700' });
    for (let round = 0; round < 2; round += 1)
      for (const answer of await Promise.all([inAHurry(), inAHurry(BALANCE)]))
        expect(new Set(codesOf(answer))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
    const waiting = await em.execute<unknown[]>(
      "select 1 from pg_stat_activity where application_name like 'payments-proofs-%' and wait_event_type = 'Lock'",
    );
    await em.rollback();
    // One for the discrepancies, one for the seals and one for the day, however often they were asked for.
    expect(waiting).toHaveLength(3);
    const { data } = await world.eventually(10_000, async () => {
      const answer = await inAHurry();
      return answer.errors ? null : answer;
    });
    expect(data).toMatchObject({ ledgerProof: { discrepancies: [], seals: { firstBroken: null } } });
  });

  it('do not keep payments from stopping', async () => {
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    await client.query('begin');
    await client.query('lock table posting in access exclusive mode');
    await world.ask(reviewer(), PROOF, {}, { [DEADLINE_HEADER]: '700' });
    const restarting = world.restartPayments();
    // Everything of it that reads the books would wait for this.
    await world.eventually(10_000, async () => {
      await client.query('select pg_stat_clear_snapshot()');
      const { rows } = await client.query(
        "select 1 from pg_stat_activity where application_name like 'payments-proofs-%'",
      );
      return rows.length === 0 ? true : null;
    });
    await client.end();
    await restarting;
    expect((await world.ask(reviewer(), PROOF)).errors).toBeUndefined();
  });

  it.each([BALANCE, PROOF])('are for operators with the scope payments:review alone', async (query) => {
    const variables = query === BALANCE ? { day: '2026-01-01' } : {};
    const refused = [
      world.maya.principal,
      world.store('ok').principal,
      world.partner.principal,
      asker.operator(),
      new Principal({ kind: 'TRAVELER', subject: world.maya.id, scopes: ['payments:review'], merchantIds: [] }),
    ];
    for (const principal of refused)
      expect(codesOf(await world.ask(principal, query, variables))).toEqual(['FORBIDDEN']);
    expect(codesOf(await world.ask(asker.stranger, query, variables))).toEqual(['UNAUTHENTICATED']);
  });
});

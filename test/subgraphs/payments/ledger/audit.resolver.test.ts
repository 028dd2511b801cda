import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, DAY } from '../../../../subgraphs/kernel/clock.js';
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

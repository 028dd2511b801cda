import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Principal } from '../../../../subgraphs/kernel/principal.js';
import { AcceptanceService } from '../../../../subgraphs/payments/acceptance/acceptance.service.js';
import type { Outside } from '../../../../subgraphs/payments/outside.js';
import { readLegs } from '../../../../subgraphs/payments/payment/payment.repository.js';
import { sendToReview } from '../../../../subgraphs/payments/saga/review.service.js';
import { asker, codesOf } from '../../../support/ask.js';
import { atOnce } from '../../../support/barrier.js';
import { World } from '../../../support/world.js';

let world: World;
let outside: Outside;
beforeAll(async () => {
  world = await World.start({
    outside: (real) => {
      outside = real;
      return real;
    },
  });
  // The keys of the network are known before its lines are cut.
  await world.settled(await world.pay('ok'));
});
afterAll(() => world.stop());
beforeEach(() => {
  world.lines.paypal.heal();
  world.lines.wechatPay.heal();
});

const reviewer = asker.reviewer;
const [anna, ben, cleo] = [reviewer(), reviewer(), reviewer()];
const FIELDS = '{ resolution { id action verdict proposedBy decidedBy payment { id status } } }';
const PROPOSE = `mutation ($input: ProposeResolutionInput!) { proposeResolution(input: $input) ${FIELDS} }`;
const APPROVE = `mutation ($input: DecideResolutionInput!) { approveResolution(input: $input) ${FIELDS} }`;
const REJECT = `mutation ($input: DecideResolutionInput!) { rejectResolution(input: $input) ${FIELDS} }`;

interface Resolution {
  readonly id: string;
  readonly verdict: string | null;
  readonly proposedBy: string;
  readonly decidedBy: string | null;
}

const propose = (
  by: Principal,
  paymentId: string,
  key: string = randomUUID(),
  note = 'The network shows it as paid.',
) => world.ask(by, PROPOSE, { input: { paymentId, action: 'COMPLETE_AFTER_CAPTURE', note, idempotencyKey: key } });
const decide = (mutation: string, by: Principal, resolutionId: string, key: string = randomUUID()) =>
  world.ask(by, mutation, { input: { resolutionId, note: 'Seen too.', idempotencyKey: key } });

async function proposed(by: Principal, paymentId: string): Promise<Resolution> {
  const { data, errors } = await propose(by, paymentId);
  expect(errors).toBeUndefined();
  return (data as { proposeResolution: { resolution: Resolution } }).proposeResolution.resolution;
}

/** The network was asked and its answers were lost; the wallet holds the money; a person must decide. */
async function inReview(scenario: 'ok' | 'refused' = 'ok'): Promise<PaymentId> {
  const checkout = await world.checkout(scenario);
  world.lines.wechatPay.spoil('/v3/', { kind: 'CUT_AFTER' }, 1_000);
  const { data } = await world.confirm(checkout.id);
  const { id } = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment;
  await world.eventually(60_000, async () => {
    const { acceptance, payment } = await readLegs(world.payments.em.fork(), id);
    return acceptance.status === 'SUBMITTED' && payment.attempt > 0 ? true : null;
  });
  await sendToReview(world.payments.em, id, 'NETWORK_OUTCOME_UNKNOWN', new Date());
  world.lines.wechatPay.heal();
  return id;
}

async function eventsOf(id: PaymentId): Promise<string[]> {
  const rows = await world.payments.em
    .fork()
    .execute<{ type: string }[]>('select type from payment_event where payment_id = ? order by sequence', [id]);
  return rows.map(({ type }) => type);
}

async function captures(id: PaymentId): Promise<number> {
  const { captures: all = [] } = await world.books('paypal');
  return all.filter(({ paymentId }) => paymentId === id).length;
}

const expectSoundBooks = async () => expect(await world.payments.findDiscrepancies()).toEqual([]);

describe('A resolution', () => {
  it('that another operator approves is done by the saga: paid by the word of the network, then charged once (M1, M5)', async () => {
    const id = await inReview();
    const resolution = await proposed(anna, id);
    expect(resolution).toMatchObject({ verdict: null, proposedBy: anna.subject, decidedBy: null });
    const { data, errors } = await decide(APPROVE, ben, resolution.id);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ approveResolution: { resolution: { verdict: 'APPROVED', decidedBy: ben.subject } } });
    expect(await world.settled(id)).toBe('COMPLETED');
    expect(await eventsOf(id)).toEqual(['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'IN_REVIEW', 'PAID', 'COMPLETED']);
    expect(await captures(id)).toBe(1);
    await expectSoundBooks();
  });

  it('lets no refusal end in review again what may be under way since before it (M5)', async () => {
    world.lines.paypal.spoil('/capture', { kind: 'CUT_BEFORE' }, 1_000);
    const id = await world.pay('ok');
    await world.eventually(60_000, async () => {
      const { acceptance, payment } = await readLegs(world.payments.em.fork(), id);
      return acceptance.status === 'ACCEPTED' && payment.unclearSince ? true : null;
    });
    await sendToReview(world.payments.em, id, 'CAPTURE_OUTCOME_UNKNOWN', new Date());
    world.lines.paypal.heal();
    const value = JSON.stringify({ mock_application_codes: 'PAYEE_ACCOUNT_RESTRICTED' });
    world.lines.paypal.spoil('/capture', { kind: 'HEADER', name: 'paypal-mock-response', value });
    const resolution = await proposed(anna, id);
    expect(codesOf(await decide(APPROVE, ben, resolution.id))).toEqual([]);
    expect(await world.settled(id)).toBe('COMPLETED');
    expect(world.lines.paypal.unspent).toBe(0);
    expect(await captures(id)).toBe(1);
  });

  it('is decided by nobody who proposed it, whatever the database is told', async () => {
    const id = await inReview();
    const resolution = await proposed(anna, id);
    for (const mutation of [APPROVE, REJECT])
      expect(codesOf(await decide(mutation, anna, resolution.id))).toEqual(['SECOND_OPERATOR_REQUIRED']);
    const forged = world.payments.em.fork().execute(
      `insert into payment_resolution_decision (resolution_id, verdict, note, proposed_by, decided_by, decided_at)
         values (?, 'REJECTED', 'x', ?, ?, now())`,
      [resolution.id, anna.subject, anna.subject],
    );
    await expect(forged).rejects.toThrow(/violates check constraint/);
    expect(codesOf(await decide(REJECT, ben, resolution.id))).toEqual([]);
    expect(await world.settled(id)).toBe('IN_REVIEW');
    expect(await captures(id)).toBe(0);
  });

  it('is decided once when two decide at the same moment, and charged once', async () => {
    const id = await inReview();
    const resolution = await proposed(anna, id);
    const answers = await atOnce(
      world.payments.em,
      { sql: 'select id from payment where id = ? for update', values: [id] },
      [
        () => decide(APPROVE, ben, resolution.id),
        () => decide(APPROVE, cleo, resolution.id),
        () => decide(REJECT, cleo, resolution.id),
      ],
    );
    expect(answers.map(codesOf)).toEqual([[], ['RESOLUTION_ALREADY_DECIDED'], ['RESOLUTION_ALREADY_DECIDED']]);
    expect(await captures(id)).toBeLessThanOrEqual(1);
    await world.eventually(60_000, async () => ((await eventsOf(id)).length > 0 ? true : null));
    await expectSoundBooks();
  });

  it('is outdated by a late step of the saga that is faster, and is never done twice', async () => {
    const id = await inReview();
    const resolution = await proposed(anna, id);
    const late = new AcceptanceService(world.payments.em, outside.networks, () => new Date());
    const legs = await readLegs(world.payments.em.fork(), id);
    const [answer] = await Promise.all([decide(APPROVE, ben, resolution.id), late.inquire(legs)]);
    expect([[], ['RESOLUTION_OUTDATED']]).toContainEqual(codesOf(answer));
    expect(await world.settled(id)).toBe('COMPLETED');
    expect((await eventsOf(id)).filter((type) => type === 'PAID')).toHaveLength(1);
    expect(await captures(id)).toBe(1);
    await expectSoundBooks();
  });

  it('is outdated by whatever happened to the payment since it was proposed', async () => {
    const id = await inReview();
    const [first, second] = [await proposed(anna, id), await proposed(cleo, id)];
    expect(codesOf(await decide(APPROVE, ben, first.id))).toEqual([]);
    expect(codesOf(await decide(APPROVE, ben, second.id))).toEqual(['RESOLUTION_OUTDATED']);
    expect(await world.settled(id)).toBe('COMPLETED');
  });

  it('is not done against what the network says, nor while it says nothing (M5)', async () => {
    const id = await inReview('refused');
    const resolution = await proposed(anna, id);
    const refused = await decide(APPROVE, ben, resolution.id);
    expect(refused.errors?.[0]?.extensions).toMatchObject({
      code: 'RESOLUTION_NOT_ALLOWED',
      details: { reason: 'EVIDENCE_DISAGREES' },
    });
    world.lines.wechatPay.spoil('/v3/', { kind: 'CUT_BEFORE' }, 100);
    expect(codesOf(await decide(APPROVE, ben, resolution.id))).toEqual(['RESOLUTION_NOT_ALLOWED']);
    expect(await world.settled(id)).toBe('IN_REVIEW');
    expect(await captures(id)).toBe(0);
  });

  it('is proposed of payments in review alone, and only where their legs allow it', async () => {
    const done = await world.pay('ok');
    await world.settled(done);
    expect((await propose(anna, done)).errors?.[0]?.extensions).toMatchObject({ details: { reason: 'NOT_IN_REVIEW' } });
    const id = await inReview();
    await world.payments.em
      .fork()
      .execute("update payment_acceptance set status = 'REFUSED' where payment_id = ?", [id]);
    expect((await propose(anna, id)).errors?.[0]?.extensions).toMatchObject({
      code: 'RESOLUTION_NOT_ALLOWED',
      details: { reason: 'LEGS_DO_NOT_ALLOW' },
    });
    expect(codesOf(await propose(anna, newId('pay', 'us')))).toEqual(['NOT_FOUND']);
    expect(codesOf(await decide(APPROVE, ben, newId('res', 'us')))).toEqual(['NOT_FOUND']);
    expect(codesOf(await propose(anna, id, randomUUID(), ' '))).toEqual(['INVALID_NOTE']);
  });

  it('is the same one for the same key, proposed or decided again, and an error with other content', async () => {
    const id = await inReview();
    const [key, decision] = [randomUUID(), randomUUID()];
    const once = await propose(anna, id, key);
    const { resolution } = (once.data as { proposeResolution: { resolution: Resolution } }).proposeResolution;
    expect((await propose(anna, id, key)).data).toEqual(once.data);
    expect(codesOf(await propose(anna, id, key, 'Something else.'))).toEqual(['IDEMPOTENCY_KEY_REUSED']);
    expect(codesOf(await decide(APPROVE, ben, resolution.id, decision))).toEqual([]);
    expect(await world.settled(id)).toBe('COMPLETED');
    const again = await decide(APPROVE, ben, resolution.id, decision);
    expect(again.data).toMatchObject({
      approveResolution: { resolution: { id: resolution.id, verdict: 'APPROVED', payment: { status: 'COMPLETED' } } },
    });
    expect(await captures(id)).toBe(1);
  });

  it('leaves a trail that nobody changes: who proposed, who decided, and by which event', async () => {
    const em = world.payments.em.fork();
    const rows = await em.execute<{ verdict: string; type: string | null }[]>(
      `select verdict, event.type from payment_resolution_decision decision
         left join payment_event event on event.id = decision.event_id`,
    );
    expect(rows.length).toBeGreaterThan(3);
    for (const { verdict, type } of rows) expect(type).toBe(verdict === 'APPROVED' ? 'PAID' : null);
    for (const table of ['payment_resolution', 'payment_resolution_decision'])
      for (const sql of [`update ${table} set note = 'x'`, `delete from ${table}`, `truncate ${table} cascade`])
        await expect(em.execute(sql)).rejects.toThrow(/permission denied|not allowed/);
  });

  it('is for operators with the scope payments:review alone', async () => {
    const id = newId('pay', 'us');
    for (const principal of [
      world.maya.principal,
      world.store('ok').principal,
      world.partner.principal,
      asker.operator(),
    ]) {
      expect(codesOf(await propose(principal, id))).toEqual(['FORBIDDEN']);
      for (const mutation of [APPROVE, REJECT])
        expect(codesOf(await decide(mutation, principal, newId('res', 'us')))).toEqual(['FORBIDDEN']);
    }
    expect(codesOf(await propose(asker.stranger, id))).toEqual(['UNAUTHENTICATED']);
  });
});

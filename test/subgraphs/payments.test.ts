import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { after, DAY, systemClock } from '../../subgraphs/kernel/clock.js';
import type { Fault } from '../support/fault.proxy.js';
import {
  Buy,
  Cancel,
  Confirm,
  Crowd,
  GiveBack,
  Heal,
  type Lab,
  Listen,
  type Model,
  networkPlays,
  Open,
  PASSES,
  Pass,
  type Plays,
  Refund,
  RefundAgain,
  Requote,
  Restart,
  Spoil,
  settle,
  Together,
  walletPlays,
} from '../support/model.js';
import { wrongsOf } from '../support/model.verdict.js';
import { World } from '../support/world.js';

/** How many runs, and from which seed: `MODEL_RUNS=5000 MODEL_SEED=1 npm test -- test/subgraphs/payments.test`. */
const RUNS = Number(process.env['MODEL_RUNS'] ?? 12);
const SEED = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);
/** Books grow with each run and are read whole after it: a new world after so many. */
const RUNS_IN_A_WORLD = 200;
const LONGEST = 300 * DAY;
/** Nothing is slow here but the machine: what is lost is cut off, and never waited for. */
const DEADLINE_MS = 10_000;

const patient = fc.boolean();
const which = fc.nat({ max: 6 });

/** Half of what is played is straight: only then it comes to the later steps. */
const plays: fc.Arbitrary<Plays> = fc.record({
  wallet: fc.oneof(fc.constant('ok' as const), fc.constantFrom(...(Object.keys(walletPlays) as Plays['wallet'][]))),
  network: fc.oneof(fc.constant('ok' as const), fc.constantFrom(...(Object.keys(networkPlays) as Plays['network'][]))),
});
const fen = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 100, max: 5_000 }));

const faults: fc.Arbitrary<Fault> = fc.constantFrom<Fault>(
  { kind: 'CUT_BEFORE' },
  { kind: 'CUT_AFTER' },
  { kind: 'GARBAGE_AFTER' },
  { kind: 'STATUS_BEFORE', status: 503 },
  { kind: 'STATUS_BEFORE', status: 401 },
  { kind: 'CUT_AND_LATE', ms: 400 },
);
const places = fc.constantFrom(
  ...(['/v2/checkout/orders', '/authorize', '/capture', '/void', '/refund'].map((path) => ['paypal', path]) as [
    'paypal',
    string,
  ][]),
  ...(['/pay', '/inquiry-payment', '/cancel-payment', '/refunds', '/v3/wallet/'].map((path) => ['wechatPay', path]) as [
    'wechatPay',
    string,
  ][]),
);
/** Refusals that PayPal can be made to answer: of a question, of what is done already, of what is under way, and a real one. */
const refusals = fc
  .constantFrom(
    [/\/v2\/checkout\/orders\/[A-Z0-9]+$/, 'INVALID_RESOURCE_ID'] as const,
    ['/authorize', 'ORDER_ALREADY_AUTHORIZED'] as const,
    ['/authorize', 'INSTRUMENT_DECLINED'] as const,
    ['/capture', 'AUTHORIZATION_ALREADY_CAPTURED'] as const,
    ['/capture', 'PREVIOUS_REQUEST_IN_PROGRESS'] as const,
    ['/refund', 'PREVIOUS_REQUEST_IN_PROGRESS'] as const,
  )
  .map(([path, code]) => {
    const value = JSON.stringify({ mock_application_codes: code });
    return { path, fault: { kind: 'HEADER', name: 'paypal-mock-response', value } as const };
  });
const times = fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, 4, 100) });

const open = fc.tuple(patient, plays, fen).map((of) => new Open(...of));
const confirm = fc.tuple(patient, which, fc.boolean()).map((of) => new Confirm(...of));
const buy = fc.tuple(patient, plays, fen).map((of) => new Buy(...of));
const refund = fc.tuple(patient, which, fc.option(fc.integer({ min: 1, max: 12_000 }))).map((of) => new Refund(...of));
const spoil = fc
  .tuple(patient, places, faults, times)
  .map(([isPatient, [side, path], fault, often]) => new Spoil(isPatient, side, path, fault, often));

const refuse = fc
  .tuple(patient, refusals, fc.constantFrom(1, 2))
  .map(([isPatient, { path, fault }, often]) => new Spoil(isPatient, 'paypal', path, fault, often));

/** A purchase whose first request for the hold is not answered, or late, and the next one refused. */
const storm = fc
  .tuple(
    patient,
    plays,
    fen,
    fc.constantFrom<Fault>({ kind: 'CUT_AFTER' }, { kind: 'CUT_AND_LATE', ms: 400 }),
    refusals,
  )
  .map(([isPatient, play, amount, fault, { path, fault: refusal }]) => {
    const spoilt = new Spoil(false, 'paypal', '/authorize', fault, 1);
    const refused = new Spoil(false, 'paypal', path, refusal, 1);
    return new Together(isPatient, [spoilt, refused, new Buy(false, play, amount)]);
  });
const giveBack = fc
  .tuple(patient, which, fc.array(fc.integer({ min: 1, max: 6_000 }), { maxLength: 4 }))
  .map((of) => new GiveBack(...of));

const weighted = (weight: number, arbitrary: fc.Arbitrary<fc.AsyncCommand<Model, Lab>>) => ({ weight, arbitrary });
const commands = fc.array(
  fc.oneof(
    weighted(8, buy),
    weighted(4, open),
    weighted(4, confirm),
    weighted(8, refund),
    weighted(10, spoil),
    weighted(4, refuse),
    weighted(4, storm),
    weighted(4, giveBack),
    weighted(
      2,
      fc.tuple(patient, which).map((of) => new Cancel(...of)),
    ),
    weighted(
      2,
      fc.tuple(patient, which).map((of) => new Requote(...of)),
    ),
    weighted(
      2,
      fc.tuple(patient, which, fc.boolean()).map((of) => new RefundAgain(...of)),
    ),
    weighted(
      4,
      fc.tuple(patient, fc.constantFrom(...PASSES)).map((of) => new Pass(...of)),
    ),
    weighted(
      2,
      fc.tuple(patient, fc.boolean()).map((of) => new Listen(...of)),
    ),
    weighted(
      2,
      patient.map((isPatient) => new Heal(isPatient)),
    ),
    weighted(
      4,
      patient.map((isPatient) => new Crowd(isPatient)),
    ),
    weighted(
      1,
      patient.map((isPatient) => new Restart(isPatient)),
    ),
  ),
  { minLength: 5, maxLength: 14, size: 'max' },
);

/** How the payments and refunds of all runs ended, for whoever asked for many. */
const endings = new Map<string, number>();

/** The world of the next run. Time never goes back in it, and its certificates are good for a year. */
let lab: Lab | null = null;
let runsInIt = 0;

async function labForNext(): Promise<Lab> {
  if (lab && runsInIt < RUNS_IN_A_WORLD && lab.clock.ahead < LONGEST) {
    runsInIt += 1;
    return lab;
  }
  await lab?.world.stop();
  const clock = { ahead: 0 };
  const now = () => after(systemClock(), clock.ahead);
  const simulators = {
    PAYPAL_PENDING_MS: '1000',
    WECHAT_PAY_SLOW_MS: '20',
    WECHAT_PAY_REFUND_MS: '10',
  };
  lab = { world: await World.start({ now, elsewhere: now, simulators, deadlineMs: DEADLINE_MS }), clock };
  runsInIt = 1;
  return lab;
}

afterAll(() => lab?.world.stop());

/** One run: what was asked for, then time and sound lines until all is over, then every book is compared. */
async function play(run: Iterable<fc.AsyncCommand<Model, Lab>>): Promise<void> {
  const lab = await labForNext();
  const model: Model = { purchases: [], refunds: [], mayBeDeclined: false };
  await fc.asyncModelRun(async () => ({ model, real: lab }), run);
  const spoiltUntil = lab.clock.ahead;
  expect(await settle(model, lab)).toBe(0);
  expect(await wrongsOf(model, lab, spoiltUntil)).toEqual([]);
  const ended = await lab.world.payments.em.fork().execute<{ ending: string }[]>(
    `select concat_ws(' ', status, reason) as ending from payment where id = any(?::text[])
      union all select concat_ws(' ', 'refund', leg_status, failure_reason) from refund where id = any(?::text[])`,
    [
      `{${model.purchases.flatMap(({ paymentId }) => paymentId ?? []).join(',')}}`,
      `{${model.refunds.map(({ id }) => id).join(',')}}`,
    ],
  );
  for (const { ending } of ended) endings.set(ending, (endings.get(ending) ?? 0) + 1);
}

describe('Payments', () => {
  it(
    'lose and invent no cent, whatever is asked for, answered, lost, repeated or restarted, in whatever order (M1–M10)',
    async () => {
      await fc.assert(fc.asyncProperty(commands, play), {
        numRuns: RUNS,
        seed: SEED,
        endOnFailure: process.env['MODEL_SHRINK'] === undefined,
      });
      if (process.env['MODEL_RUNS'])
        process.stderr.write(
          `${RUNS} runs from seed ${SEED}: ${JSON.stringify(Object.fromEntries(endings), null, 1)}\n`,
        );
    },
    120_000 + RUNS * 3_000,
  );
});

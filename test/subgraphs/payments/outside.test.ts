import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { scenarios } from '../../../local/seed.stores.js';
import { after, DAY, HOUR, MINUTE, systemClock } from '../../../subgraphs/kernel/clock.js';
import type { PaymentId } from '../../../subgraphs/kernel/id.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { asker } from '../../support/ask.js';
import { contradictions } from '../../support/crash.books.js';
import type { Fault, SeenRequest } from '../../support/fault.proxy.js';
import { type Standing, standingOf } from '../../support/standing.js';
import { World } from '../../support/world.js';

/** One answer, or a run of answers, of the outside world, and all that it must come to. */
interface Row {
  readonly law: string;
  /** What the simulators play; straight unless said. */
  readonly plays?: { readonly wallet?: string; readonly network?: string };
  /** Spoilt requests in their order: whose, which, how, how often. */
  readonly faults?: readonly (readonly ['paypal' | 'wechatPay', string | RegExp, Fault, number?])[];
  /** What else happens meanwhile. Rows with it, or with faults, are alone in the world. */
  readonly meanwhile?: (id: PaymentId) => Promise<void>;
  /** Gives back so many yuan afterwards; all that is left when null. */
  readonly refund?: string | null;
  readonly ends: keyof typeof ENDS;
  readonly reason?: string;
  readonly legs?: string;
  readonly events?: readonly string[];
  readonly refunds?: readonly string[];
  /** Where it is not what follows from how it ends. Amounts stand there as `amountsOf` names them. */
  readonly ledger?: Partial<Standing['ledger']>;
  readonly outside?: Partial<Standing['outside']>;
}

const PAID = ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID'];
const NOTHING = { authorizations: [], captures: [], refunds: [], transactions: [], networkRefunds: [] };

/** What each ending means to the ledger, to both sides' own books and to who follows the events. */
const ENDS = {
  COMPLETED: {
    legs: 'CAPTURED/ACCEPTED',
    events: [...PAID, 'COMPLETED'],
    ledger: { wallet: 'SELL', merchant: 'BUY', pending: [] as string[] },
    outside: {
      ...NOTHING,
      authorizations: ['SELL CAPTURED'],
      captures: ['SELL COMPLETED'],
      transactions: ['BUY SUCCESS'],
    },
  },
  DECLINED: {
    legs: 'DECLINED/REFUSED',
    events: ['CONFIRMED', 'DECLINED'],
    ledger: { wallet: '0.00 USD', merchant: '0.00 CNY', pending: [] as string[] },
    outside: NOTHING,
  },
  FAILED: {
    legs: 'VOIDED/REFUSED',
    events: ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'FAILED'],
    ledger: { wallet: '0.00 USD', merchant: '0.00 CNY', pending: [] as string[] },
    outside: { ...NOTHING, authorizations: ['SELL VOIDED'], transactions: ['BUY FAIL'] },
  },
  /** Of those that wait for a person this is the one whose merchant is paid and whose payer is not charged. */
  IN_REVIEW: {
    legs: 'HELD/ACCEPTED',
    events: [...PAID, 'IN_REVIEW'],
    ledger: { wallet: '0.00 USD', merchant: 'BUY', pending: ['wallet'] },
    outside: { ...NOTHING, authorizations: ['SELL CREATED'], transactions: ['BUY SUCCESS'] },
  },
} as const;

const UNASKED = {
  legs: 'REQUESTED/PREPARED',
  events: ['CONFIRMED', 'IN_REVIEW'],
  ledger: { wallet: '0.00 USD', merchant: '0.00 CNY', pending: [] },
} as const;
const UNPAID = {
  legs: 'HELD/SUBMITTED',
  events: ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'IN_REVIEW'],
  ledger: { wallet: '0.00 USD', merchant: '0.00 CNY', pending: ['wallet', 'merchant'] },
} as const;

const ALWAYS = 1_000;
/** Asking what became of an order. */
const ORDER = /\/v2\/checkout\/orders\/[A-Z0-9]+$/;
const mocked = (code: string): Fault => ({
  kind: 'HEADER',
  name: 'paypal-mock-response',
  value: JSON.stringify({ mock_application_codes: code }),
});
const REFUNDED = [...PAID, 'COMPLETED', 'REFUND_REQUESTED', 'REFUNDED'];
const REFUND_WANTED = [...PAID, 'COMPLETED', 'REFUND_REQUESTED'];

const rows: readonly Row[] = [
  // The wallet, asked to hold.
  {
    law: 'waits for a wallet that takes its time to hold',
    plays: { wallet: 'authorization-pending' },
    ends: 'COMPLETED',
  },
  {
    law: 'declines, with nothing held, when the wallet refuses after all what was pending',
    plays: { wallet: 'authorization-denied' },
    ends: 'DECLINED',
    reason: 'WALLET_DECLINED',
    outside: { authorizations: ['SELL DENIED'] },
  },
  {
    law: 'goes on when the wallet is still busy with the same request',
    faults: [['paypal', '/authorize', mocked('PREVIOUS_REQUEST_IN_PROGRESS'), 2]],
    ends: 'COMPLETED',
  },
  {
    law: 'goes on when the wallet is asked too much at once',
    faults: [['paypal', '/v2/checkout/orders', mocked('RATE_LIMIT_REACHED'), 2]],
    ends: 'COMPLETED',
  },
  {
    law: 'takes no answer to a question for a no: an order that is said not to exist may hold the money (M10)',
    faults: [
      ['paypal', '/authorize', { kind: 'CUT_AFTER' }],
      ['paypal', ORDER, mocked('INVALID_RESOURCE_ID')],
    ],
    ends: 'COMPLETED',
  },
  {
    law: 'does not believe a refused repetition while the first request may still come to hold the money (M5)',
    faults: [
      ['paypal', '/authorize', { kind: 'CUT_AND_LATE', ms: 1_000 }],
      ['paypal', '/authorize', mocked('INSTRUMENT_DECLINED')],
    ],
    ends: 'COMPLETED',
  },
  {
    law: 'leaves it to a person, who sees the hold, when another amount is held',
    plays: { wallet: 'holds-less' },
    ends: 'IN_REVIEW',
    reason: 'WALLET_AMOUNT_DIFFERS',
    ...UNASKED,
    outside: { authorizations: ['ONE_CENT_LESS CREATED'], transactions: [] },
  },
  {
    law: 'leaves it to a person when another currency is held',
    plays: { wallet: 'holds-euros' },
    ends: 'IN_REVIEW',
    reason: 'WALLET_AMOUNT_DIFFERS',
    ...UNASKED,
    outside: { authorizations: ['IN_EUROS CREATED'], transactions: [] },
  },
  // The network, asked to pay.
  { law: 'is told of it before the answer comes', plays: { network: 'late-reply' }, ends: 'COMPLETED' },
  { law: 'is told of it three times', plays: { network: 'duplicate-notifications' }, ends: 'COMPLETED' },
  {
    law: 'believes the network when it is asked, not what it was told: told no, and paid',
    plays: { network: 'contradictory-notifications' },
    ends: 'COMPLETED',
  },
  {
    law: 'believes the network when it is asked, not what it was told: told yes, and not paid (M10)',
    plays: { network: 'refused-but-notified' },
    ends: 'FAILED',
    reason: 'NETWORK_REFUSED',
  },
  {
    law: 'gives the hold free when the payer types the wrong password',
    plays: { network: 'slow-refused' },
    ends: 'FAILED',
    reason: 'NETWORK_REFUSED',
  },
  {
    law: 'leaves it to a person, with the money held, when the merchant got another amount',
    plays: { network: 'pays-less' },
    ends: 'IN_REVIEW',
    reason: 'NETWORK_AMOUNT_DIFFERS',
    ...UNPAID,
    outside: { transactions: ['ONE_FEN_LESS SUCCESS'] },
  },
  {
    law: 'leaves it to a person, with the money held, when the merchant got another currency',
    plays: { network: 'pays-dollars' },
    ends: 'IN_REVIEW',
    reason: 'NETWORK_AMOUNT_DIFFERS',
    ...UNPAID,
  },
  {
    law: 'leaves it to a person, with the money held, when another merchant got it (M5)',
    plays: { network: 'pays-another' },
    ends: 'IN_REVIEW',
    reason: 'NETWORK_MERCHANT_DIFFERS',
    ...UNPAID,
  },
  // The wallet, asked for what it holds: the merchant is paid by then.
  { law: 'waits for a wallet that takes its time to pay', plays: { wallet: 'capture-pending' }, ends: 'COMPLETED' },
  {
    law: 'leaves it to a person when the wallet does not pay after all what was pending (M7)',
    plays: { wallet: 'capture-denied' },
    ends: 'IN_REVIEW',
    reason: 'CAPTURE_REFUSED',
    outside: { captures: ['SELL DECLINED'] },
  },
  {
    law: 'leaves it to a person when the wallet does not pay for what the merchant has got (M7)',
    plays: { wallet: 'capture-declined' },
    ends: 'IN_REVIEW',
    reason: 'CAPTURE_REFUSED',
    outside: { captures: ['SELL DECLINED'] },
  },
  {
    law: 'leaves it to a person, who need not try again, when the hold is over before it is taken',
    plays: { wallet: 'authorization-lapses' },
    ends: 'IN_REVIEW',
    reason: 'AUTHORIZATION_EXPIRED',
    outside: { authorizations: ['SELL VOIDED'] },
  },
  {
    law: 'leaves it to a person when another amount was taken',
    plays: { wallet: 'takes-less' },
    ends: 'IN_REVIEW',
    reason: 'CAPTURE_AMOUNT_DIFFERS',
    outside: { authorizations: ['SELL CAPTURED'], captures: ['ONE_CENT_LESS COMPLETED'] },
  },
  {
    law: 'leaves it to a person when another currency was taken',
    plays: { wallet: 'takes-euros' },
    ends: 'IN_REVIEW',
    reason: 'CAPTURE_AMOUNT_DIFFERS',
    outside: { authorizations: ['SELL CAPTURED'], captures: ['IN_EUROS COMPLETED'] },
  },
  {
    law: 'adopts the capture whose answer was lost when it is told that the money was taken already',
    faults: [
      ['paypal', '/capture', { kind: 'CUT_AFTER' }],
      ['paypal', '/capture', mocked('AUTHORIZATION_ALREADY_CAPTURED')],
    ],
    ends: 'COMPLETED',
  },
  {
    law: 'takes no answer to a question for a no: what was captured is there, whatever is said of its order',
    faults: [
      ['paypal', '/capture', mocked('AUTHORIZATION_ALREADY_CAPTURED')],
      ['paypal', ORDER, mocked('INVALID_RESOURCE_ID')],
    ],
    ends: 'COMPLETED',
  },
  {
    law: 'takes an expired token for no answer, and asks with a new one',
    faults: [['paypal', '/capture', { kind: 'STATUS_BEFORE', status: 401 }, 2]],
    ends: 'COMPLETED',
  },
  // The wallet, asked to give free.
  {
    law: 'is content when the hold was free already',
    plays: { network: 'refused' },
    faults: [['paypal', '/void', { kind: 'CUT_AFTER' }]],
    ends: 'FAILED',
    reason: 'NETWORK_REFUSED',
  },
  // Time passes.
  {
    law: 'knows that it is paid when the network says so to who wants to cancel it (M10)',
    plays: { network: 'paid-while-cancelled' },
    meanwhile: async (id) => {
      await submitted(id);
      ahead = 2 * MINUTE;
    },
    ends: 'COMPLETED',
  },
  {
    law: 'asks again to cancel when the payer is just typing',
    plays: { network: 'cancel-busy-once' },
    meanwhile: async (id) => {
      await submitted(id);
      ahead = 2 * MINUTE;
    },
    ends: 'FAILED',
    reason: 'NETWORK_CANCELLED',
    outside: { transactions: ['BUY CANCELLED'] },
  },
  {
    law: 'leaves it to a person, with the money held, when the network does not decide for a day (M10)',
    plays: { network: 'never-typed' },
    meanwhile: async (id) => {
      await submitted(id);
      ahead = DAY + HOUR;
    },
    ends: 'IN_REVIEW',
    reason: 'NETWORK_OUTCOME_UNKNOWN',
    ...UNPAID,
    outside: { transactions: ['BUY PROCESSING'] },
  },
  {
    law: 'learns nothing new from notifications that come when all is over',
    plays: { network: 'duplicate-notifications' },
    meanwhile: async (id) => {
      world.listen(false);
      await world.settled(id);
      world.listen(true);
      await world.eventually(20_000, async () => ((await heard(id)) >= 3 ? true : null));
    },
    ends: 'COMPLETED',
  },
  // Money back: the network, asked to take it from the merchant.
  {
    law: 'asks again, by the same number, while the network has too little to give back',
    plays: { network: 'refund-not-enough-once' },
    refund: null,
    ends: 'COMPLETED',
    events: REFUNDED,
    refunds: ['GIVEN'],
  },
  {
    law: 'gives nothing to the payer when the network closes the refund, and frees what was reserved (M6)',
    plays: { network: 'refund-closed' },
    refund: '60.00',
    ends: 'COMPLETED',
    events: [...REFUND_WANTED, 'REFUND_FAILED'],
    refunds: ['REFUSED NETWORK_REFUSED_REFUND'],
    outside: { networkRefunds: ['60.00 CNY CLOSED'] },
  },
  {
    law: 'posts nothing, gives nothing and says why when the network took another amount from the merchant (M1)',
    plays: { network: 'refund-less' },
    refund: null,
    ends: 'COMPLETED',
    events: REFUND_WANTED,
    refunds: ['REQUESTED NETWORK_AMOUNT_DIFFERS'],
    outside: { networkRefunds: ['ONE_FEN_LESS SUCCESS'] },
  },
  {
    law: 'asks once, by one number, although both sides answer to nobody',
    faults: [
      ['wechatPay', '/refunds', { kind: 'CUT_AFTER' }],
      ['paypal', '/refund', { kind: 'CUT_AFTER' }],
    ],
    refund: null,
    ends: 'COMPLETED',
    events: REFUNDED,
    refunds: ['GIVEN'],
  },
  // Money back: the wallet, asked to give it to the payer.
  {
    law: 'waits for a wallet that takes its time to give back',
    plays: { wallet: 'refund-pending' },
    refund: null,
    ends: 'COMPLETED',
    events: REFUNDED,
    refunds: ['GIVEN'],
  },
  {
    law: 'owes the payer what the wallet does not give back after all',
    plays: { wallet: 'refund-fails' },
    refund: null,
    ends: 'COMPLETED',
    events: REFUND_WANTED,
    refunds: ['OWED WALLET_REFUSED_REFUND'],
    ledger: { merchant: '0.00 CNY' },
    outside: { refunds: ['SELL FAILED'], networkRefunds: ['BUY SUCCESS'] },
  },
  {
    law: 'owes the payer when the wallet gave another amount',
    plays: { wallet: 'gives-less' },
    refund: null,
    ends: 'COMPLETED',
    events: REFUND_WANTED,
    refunds: ['OWED WALLET_AMOUNT_DIFFERS'],
    ledger: { merchant: '0.00 CNY' },
    outside: {
      captures: ['SELL PARTIALLY_REFUNDED'],
      refunds: ['ONE_CENT_LESS COMPLETED'],
      networkRefunds: ['BUY SUCCESS'],
    },
  },
  {
    law: 'owes the payer, and asks no more, when somebody else has given all of it back at the wallet',
    faults: [['paypal', '/refund', mocked('CAPTURE_FULLY_REFUNDED'), ALWAYS]],
    refund: null,
    ends: 'COMPLETED',
    events: REFUND_WANTED,
    refunds: ['OWED WALLET_ALREADY_REFUNDED'],
    ledger: { merchant: '0.00 CNY' },
    outside: { networkRefunds: ['BUY SUCCESS'] },
  },
  {
    law: 'does not believe a wallet that refuses to give back again while the first request may still do it',
    faults: [
      ['paypal', '/refund', { kind: 'CUT_AND_LATE', ms: 1_000 }],
      ['paypal', '/refund', mocked('REFUND_NOT_ALLOWED')],
    ],
    refund: null,
    ends: 'COMPLETED',
    events: REFUNDED,
    refunds: ['GIVEN'],
  },
];

let world: World;
let ahead = 0;
/** Rows that only need somebody to play them, side by side: one queue for each store. */
const played = new Map<Row, Promise<PaymentId>>();
const isAlone = ({ faults, meanwhile }: Row) => faults !== undefined || meanwhile !== undefined;

beforeAll(async () => {
  world = await World.start({
    now: () => after(systemClock(), ahead),
    simulators: { PAYPAL_PENDING_MS: '300', WECHAT_PAY_SLOW_MS: '300', WECHAT_PAY_REFUND_MS: '50' },
    deadlineMs: 700,
  });
  const queues = scenarios.map(() => Promise.resolve<unknown>(null));
  for (const [index, row] of rows.filter((each) => !isAlone(each)).entries()) {
    const place = index % scenarios.length;
    const done = (queues[place] ?? Promise.resolve()).then(() => run(row, scenarios[place] ?? 'ok'));
    played.set(row, done);
    // A row that fails says so in its own test, and keeps none of those behind it from being played.
    queues[place] = done.catch(() => null);
  }
  await Promise.all(queues);
});
afterAll(() => world.stop());
beforeEach(() => {
  ahead = 0;
  world.listen(true);
  for (const line of [world.lines.paypal, world.lines.wechatPay]) line.heal();
});

/** Plays a row at one of the stores, to its end. */
async function run(row: Row, at: (typeof scenarios)[number]): Promise<PaymentId> {
  world.play(at, { wallet: 'ok', network: 'ok', ...row.plays });
  const { id: checkoutId } = await world.checkout(at);
  if (row.refund === undefined) spoil(row);
  const { data } = await world.confirm(checkoutId);
  const { id } = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment;
  await row.meanwhile?.(id);
  await world.settled(id, 30_000);
  if (row.refund === undefined) return id;
  spoil(row);
  const { errors } = await world.refund(id, row.refund, world.store(at).merchantId);
  expect(errors).toBeUndefined();
  await world.eventually(30_000, async () => {
    const { refunds } = await standingOf(world, id);
    return refunds.every((leg) => /^(GIVEN|OWED|REFUSED)|DIFFERS$/.test(leg)) ? true : null;
  });
  return id;
}

function spoil({ faults = [] }: Row): void {
  for (const [side, path, fault, times] of faults) world.lines[side].spoil(path, fault, times);
}

/** The network may have been asked: only then the clock may jump. */
async function submitted(id: PaymentId): Promise<void> {
  await world.eventually(10_000, async () => ((await standingOf(world, id)).legs === 'HELD/SUBMITTED' ? true : null));
}

async function heard(id: PaymentId): Promise<number> {
  const [row] = await world.payments.em
    .fork()
    .execute<{ count: number }[]>('select count(*)::int as count from notification where subject_id = ?', [id]);
  return row?.count ?? 0;
}

/** What a row expects of everybody, with its own amounts in it. */
function expectationOf(row: Row, { sell, buy }: Standing): Standing {
  const end = ENDS[row.ends];
  const isGiven = row.refunds?.[0] === 'GIVEN';
  const back = isGiven
    ? {
        ledger: { wallet: '0.00 USD', merchant: '0.00 CNY' },
        outside: { captures: ['SELL REFUNDED'], refunds: ['SELL COMPLETED'], networkRefunds: ['BUY SUCCESS'] },
      }
    : {};
  const expected = {
    status: row.ends,
    reason: row.reason ?? null,
    legs: row.legs ?? end.legs,
    sell,
    buy,
    events: row.events ?? end.events,
    ledger: { ...end.ledger, ...back.ledger, ...row.ledger },
    refunds: row.refunds ?? [],
    outside: { ...end.outside, ...back.outside, ...row.outside },
  };
  return JSON.parse(
    JSON.stringify(expected).replace(AMOUNTS, (word) => amountsOf(sell, buy)[word] ?? word),
  ) as Standing;
}

const AMOUNTS = /\b(SELL|BUY|ONE_CENT_LESS|IN_EUROS|ONE_FEN_LESS)\b/g;

function amountsOf(sell: string, buy: string): Readonly<Record<string, string>> {
  const [dollars, yuan] = [sell, buy].map((text) => Money.parse(...(text.split(' ') as [string, string])));
  if (!dollars || !yuan) throw new Error('amounts');
  const less = (money: Money) => money.minus(Money.of(1n, money.currency)).toString();
  return {
    SELL: sell,
    BUY: buy,
    ONE_CENT_LESS: less(dollars),
    IN_EUROS: Money.of(dollars.minor, 'EUR').toString(),
    ONE_FEN_LESS: less(yuan),
  };
}

describe('A payment, whatever the outside world answers,', () => {
  it.each(rows.map((row) => [row.law, row] as const))('%s', async (_law, row) => {
    const id = await (played.get(row) ?? run(row, 'ok'));
    const standing = await standingOf(world, id);
    expect(standing).toEqual(expectationOf(row, standing));
    expect(await contradictions(world.payments.em)).toEqual([]);
    if (row.faults?.every(([, , , times = 1]) => times < ALWAYS))
      expect(world.lines.paypal.unspent + world.lines.wechatPay.unspent).toBe(0);
  });
});

describe('A person who finds a payment in review', () => {
  it('sees the hold that differs from what was asked for, to give it free', async () => {
    const row = rows.find(({ plays }) => plays?.wallet === 'holds-less');
    const id = await (row && played.get(row));
    const { data } = await world.ask(
      asker.reviewer(),
      'query { paymentsInReview(first: 100) { nodes { payment { id } walletSays { hold authorizationId amount { amount } } } } }',
    );
    const { nodes } = (data as { paymentsInReview: { nodes: { payment: { id: string }; walletSays: object }[] } })
      .paymentsInReview;
    expect(nodes.find(({ payment }) => payment.id === id)?.walletSays).toMatchObject({
      hold: 'HELD',
      authorizationId: expect.any(String),
    });
  });
});

describe('What is asked of the outside world', () => {
  /** The keys under which it was asked for, by what was asked. */
  const keysOf = (asked: readonly SeenRequest[]) => {
    const of = (path: RegExp, key: (request: SeenRequest) => unknown) =>
      asked.filter((request) => request.method === 'POST' && path.test(request.path)).map(key);
    const header = ({ headers }: SeenRequest) => headers['paypal-request-id'];
    const field = (name: string) => (request: SeenRequest) =>
      (JSON.parse(request.body) as Record<string, unknown>)[name];
    return {
      order: of(/\/checkout\/orders$/, header),
      hold: of(/\/authorize$/, header),
      capture: of(/\/capture$/, header),
      gift: of(/\/captures\/[A-Z0-9]+\/refund$/, header),
      payment: of(/\/wallet\/pay$/, field('payment_request_id')),
      refund: of(/\/domestic\/refunds$/, field('out_refund_no')),
    };
  };

  it('has one key however often it is asked for, and two equal refunds have two (M5, M6)', async () => {
    const lines = [world.lines.paypal, world.lines.wechatPay];
    const { id: checkoutId } = await world.checkout('ok');
    const before = lines.map(({ seen }) => seen.length);
    const lose = (side: 'paypal' | 'wechatPay', path: string | RegExp) =>
      world.lines[side].spoil(path, { kind: 'STATUS_BEFORE', status: 503 });
    lose('paypal', /\/checkout\/orders$/);
    for (const path of ['/authorize', '/capture']) lose('paypal', path);
    lose('wechatPay', /\/wallet\/pay$/);
    const { data } = await world.confirm(checkoutId);
    const { id } = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment;
    expect(await world.settled(id, 30_000)).toBe('COMPLETED');
    lose('paypal', '/refund');
    lose('wechatPay', /\/domestic\/refunds$/);
    for (const _ of [1, 2]) {
      const { errors } = await world.refund(id, '30.00', world.store('ok').merchantId);
      expect(errors).toBeUndefined();
    }
    await world.eventually(30_000, async () => {
      const { refunds } = await standingOf(world, id);
      return refunds.join() === 'GIVEN,GIVEN' ? true : null;
    });
    const keys = keysOf(lines.flatMap(({ seen }, index) => seen.slice(before[index])));
    for (const [what, asked] of Object.entries(keys)) {
      const isRefund = what === 'gift' || what === 'refund';
      expect(`${what}: ${new Set(asked).size} of ${asked.length > new Set(asked).size}`).toBe(
        `${what}: ${isRefund ? 2 : 1} of true`,
      );
    }
    expect(lines.map(({ unspent }) => unspent)).toEqual([0, 0]);
    expect(await contradictions(world.payments.em)).toEqual([]);
  });
});

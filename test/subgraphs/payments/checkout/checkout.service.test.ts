import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { after, HOUR, MINUTE, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { type CodeId, newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { asker, codesOf } from '../../../support/ask.js';
import { atOnce } from '../../../support/barrier.js';
import { World } from '../../../support/world.js';

let world: World;
let ahead = 0;

beforeAll(async () => {
  // Only payments looks at this clock: its expiry dates are tried without waiting.
  world = await World.start({ now: () => after(systemClock(), ahead) });
});
afterAll(() => world.stop());
beforeEach(() => {
  ahead = 0;
});

const START = `mutation ($input: StartCheckoutInput!) { startCheckout(input: $input) { checkout { id status total { amount currencyCode formatted } } } }`;

function start(change: Record<string, unknown> = {}, principal = world.maya.principal) {
  const input = {
    code: world.store('ok').payload,
    amount: { amount: '100.00', currencyCode: 'CNY' },
    walletId: world.maya.walletId,
    idempotencyKey: randomUUID(),
    ...change,
  };
  return world.ask(principal, START, { input });
}

/** Whoever needs the checkout waits for it. */
const lockOf = (id: string) => ({ sql: 'select id from checkout where id = ? for update', values: [id] });

const yuan = (amount: string, currencyCode = 'CNY') => ({ amount: { amount, currencyCode } });
const paymentIdOf = (response: { data?: unknown }) =>
  (response.data as { confirmCheckout: { payment: { id: string } } } | null)?.confirmCheckout.payment.id;

async function withWallet<T>(status: 'SUSPENDED' | 'CLOSED', work: () => Promise<T>): Promise<T> {
  await world.users.services.wallets.change(world.daniel.walletId, status);
  return work();
}

describe('Starting a checkout', () => {
  it('shows the whole price and locks it', async () => {
    const { data } = await start();
    const { checkout } = (
      data as { startCheckout: { checkout: { status: string; total: { amount: string; formatted: string } } } }
    ).startCheckout;
    expect(checkout.status).toBe('OPEN');
    expect(checkout.total.formatted).toBe(`$${checkout.total.amount}`);
  });

  it.each([
    ['AMOUNT_REQUIRED', 'no amount for a static code', { amount: null }],
    ['INVALID_MONEY', 'too many decimals', yuan('1.001')],
    ['INVALID_MONEY', 'zero', yuan('0.00')],
    ['INVALID_MONEY', 'less than zero', yuan('-5.00')],
    ['INVALID_MONEY', 'a huge amount', yuan('99999999999999999999')],
    ['INVALID_MONEY', 'no number', yuan('ten')],
    ['INVALID_MONEY', 'a float', yuan('1e3')],
    ['INVALID_MONEY', 'another currency than the code has', yuan('10.00', 'EUR')],
    ['INVALID_MONEY', 'an unknown currency', yuan('10.00', 'ABC')],
    ['INVALID_CODE', 'a malformed code', { code: 'hello' }],
    ['INVALID_CODE', 'a foreign code', { code: 'https://qr.alipay.com/fkx00000' }],
    ['INVALID_CODE', 'a code nobody knows', { code: 'wxp://f2f0nobodyknowsthiscode' }],
    ['INVALID_ID', 'the id of something else', { walletId: newId('mer', 'cn') }],
    ['NOT_FOUND', 'a wallet that does not exist', { walletId: newId('wal', 'us') }],
    ['SPENDING_LIMIT_EXCEEDED', 'more than one payment may be', yuan('50000.00')],
    ['INVALID_IDEMPOTENCY_KEY', 'a key that is too short', { idempotencyKey: 'short' }],
    ['INVALID_IDEMPOTENCY_KEY', 'a key with a control character', { idempotencyKey: 'longenough\u0000' }],
  ])('answers %s to %s and writes nothing', async (code, _, change) => {
    const count = () => world.payments.em.fork().execute('select count(*) from checkout');
    const before = await count();
    expect(codesOf(await start(change))).toEqual([code]);
    expect(await count()).toEqual(before);
  });

  it("answers NOT_FOUND to another traveler's wallet, as to one that does not exist", async () => {
    expect(codesOf(await start({}, world.daniel.principal))).toEqual(['NOT_FOUND']);
  });

  it('is for travelers alone', async () => {
    expect(codesOf(await start({}, asker.stranger))).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await start({}, world.store('ok').principal))).toEqual(['FORBIDDEN']);
  });

  it('answers SUBGRAPH_UNAVAILABLE while another part is down, and works afterwards', async () => {
    for (const name of ['users', 'merchants', 'fx'] as const) {
      const whole = world.others[name];
      world.others[name] = async () => Promise.reject(new Error('down'));
      expect(codesOf(await start())).toEqual(['SUBGRAPH_UNAVAILABLE']);
      world.others[name] = async () => ({ data: { nonsense: true } });
      expect(codesOf(await start())).toEqual(['SUBGRAPH_UNAVAILABLE']);
      world.others[name] = whole;
    }
    expect(codesOf(await start())).toEqual([]);
  });

  it('is one checkout for one key, also when two ask at once', async () => {
    const idempotencyKey = randomUUID();
    const answers = await Promise.all([
      start({ idempotencyKey }),
      start({ idempotencyKey }),
      start({ idempotencyKey }),
    ]);
    const ids = answers.map(
      ({ data }) => (data as { startCheckout: { checkout: { id: string } } }).startCheckout.checkout.id,
    );
    expect(new Set(ids).size).toBe(1);
  });

  it('refuses a key that was used for something else', async () => {
    const idempotencyKey = randomUUID();
    await start({ idempotencyKey });
    expect(codesOf(await start({ idempotencyKey, ...yuan('99.00') }))).toEqual(['IDEMPOTENCY_KEY_REUSED']);
  });

  it('replays a start whose code nobody can resolve any more', async () => {
    const idempotencyKey = randomUUID();
    await start({ idempotencyKey });
    const whole = world.others.merchants;
    world.others.merchants = async () => Promise.reject(new Error('down'));
    expect(codesOf(await start({ idempotencyKey }))).toEqual([]);
    world.others.merchants = whole;
  });
});

describe('Confirming a checkout', () => {
  it('makes a payment that is as old as its id says, however long it waited for the checkout', async () => {
    const [waiting, quick] = [(await world.checkout('ok')).id, (await world.checkout('ok')).id];
    let ids: (string | undefined)[] = [];
    const [late] = await atOnce(
      world.payments.em,
      {
        ...lockOf(waiting),
        meanwhile: async () => {
          ids = [paymentIdOf(await world.confirm(quick))];
        },
      },
      [() => world.confirm(waiting)],
    );
    ids.unshift(late && paymentIdOf(late));
    const payments = await world.payments.em
      .fork()
      .execute<{ id: string; age: number }[]>(
        'select id, row_number() over (order by created_at)::int as age from payment where id in (?, ?) order by id',
        ids,
      );
    expect(payments).toEqual(ids.map((id, index) => ({ id, age: index + 1 })));
  });

  it('makes one payment of it, whoever asks at once how often (M9)', async () => {
    const { id } = await world.checkout('ok');
    const key = randomUUID();
    const keys = [key, key, randomUUID(), randomUUID()];
    const answers = await atOnce(
      world.payments.em,
      lockOf(id),
      keys.map((each) => () => world.confirm(id, each)),
    );
    const [first, again, ...others] = answers;
    const paymentId = first && paymentIdOf(first);
    expect(paymentId).toMatch(/^pay_/);
    expect(again && paymentIdOf(again)).toBe(paymentId);
    for (const { errors } of others)
      expect(errors).toMatchObject([{ extensions: { code: 'CHECKOUT_ALREADY_CONFIRMED', details: { paymentId } } }]);
    expect(await world.payments.em.fork().execute('select id from payment where checkout_id = ?', [id])).toHaveLength(
      1,
    );
  });

  it('is refused when it was written down as expired at the same moment, though the clock is behind (M9)', async () => {
    const { id } = await world.checkout('ok');
    const sql = "update checkout set status = 'EXPIRED' where id = ?";
    const [answer] = await atOnce(world.payments.em, { sql, values: [id] }, [() => world.confirm(id)]);
    expect(answer && codesOf(answer)).toEqual(['CHECKOUT_EXPIRED']);
    expect(await world.payments.em.fork().execute('select id from payment where checkout_id = ?', [id])).toEqual([]);
  });

  it('replays the answer to a key after the price has expired', async () => {
    const { id } = await world.checkout('ok');
    const key = randomUUID();
    const first = await world.confirm(id, key);
    ahead = HOUR;
    expect(paymentIdOf(await world.confirm(id, key))).toBe(paymentIdOf(first));
  });

  it('refuses a key that confirmed another checkout', async () => {
    const key = randomUUID();
    await world.confirm((await world.checkout('ok')).id, key);
    expect(codesOf(await world.confirm((await world.checkout('ok')).id, key))).toEqual(['IDEMPOTENCY_KEY_REUSED']);
  });

  it('refuses an expired price, takes a new one, refuses an expired checkout', async () => {
    const { id } = await world.checkout('ok');
    ahead = 6 * MINUTE;
    expect(codesOf(await world.confirm(id))).toEqual(['QUOTE_EXPIRED']);
    ahead = 31 * MINUTE;
    expect(codesOf(await world.confirm(id))).toEqual(['CHECKOUT_EXPIRED']);
    const { data } = await world.ask(world.maya.principal, 'query ($id: ID!) { checkout(id: $id) { status } }', { id });
    expect(data).toEqual({ checkout: { status: 'EXPIRED' } });
  });

  it('locks a new price on request, under a new quote', async () => {
    const { id } = await world.checkout('ok');
    const REQUOTE =
      'mutation ($input: RequoteCheckoutInput!) { requoteCheckout(input: $input) { checkout { id quote { id } } } }';
    const quoteOf = async () => {
      const { data } = await world.ask(world.maya.principal, REQUOTE, { input: { checkoutId: id } });
      return (data as { requoteCheckout: { checkout: { quote: { id: string } } } }).requoteCheckout.checkout.quote.id;
    };
    expect(await quoteOf()).not.toBe(await quoteOf());
    expect(codesOf(await world.confirm(id))).toEqual([]);
    expect(codesOf(await world.ask(world.maya.principal, REQUOTE, { input: { checkoutId: id } }))).toEqual([
      'CHECKOUT_ALREADY_CONFIRMED',
    ]);
  });

  it('tells whoever comes too late which payment the checkout became', async () => {
    const { id } = await world.checkout('ok');
    const paymentId = paymentIdOf(await world.confirm(id));
    const late = (mutation: string) =>
      world.ask(world.maya.principal, `mutation { ${mutation}(input: { checkoutId: "${id}" }) { checkout { id } } }`);
    for (const answer of [await world.confirm(id), await late('requoteCheckout'), await late('cancelCheckout')])
      expect(answer.errors?.[0]?.extensions).toMatchObject({
        code: 'CHECKOUT_ALREADY_CONFIRMED',
        details: { paymentId },
      });
  });

  it.each([
    ['a cancellation', ['cancel', 'confirm'], 'CHECKOUT_CANCELLED', 'CANCELLED', 0],
    ['a confirmation', ['confirm', 'cancel'], 'CHECKOUT_ALREADY_CONFIRMED', 'CONFIRMED', 1],
  ] as const)(
    'lets %s win that is a moment before the other, never both (M9)',
    async (_, order, code, status, made) => {
      const CANCEL =
        'mutation ($input: CancelCheckoutInput!) { cancelCheckout(input: $input) { checkout { status } } }';
      const { id } = await world.checkout('ok');
      const wishes = {
        confirm: () => world.confirm(id),
        cancel: () => world.ask(world.maya.principal, CANCEL, { input: { checkoutId: id } }),
      };
      const answers = await atOnce(
        world.payments.em,
        lockOf(id),
        order.map((wish) => wishes[wish]),
      );
      expect(answers.map(codesOf)).toEqual([[], [code]]);
      const em = world.payments.em.fork();
      expect(await em.execute('select status from checkout where id = ?', [id])).toEqual([{ status }]);
      expect(await em.execute('select id from payment where checkout_id = ?', [id])).toHaveLength(made);
    },
  );

  it("answers NOT_FOUND to another traveler's checkout", async () => {
    const { id } = await world.checkout('ok');
    expect(codesOf(await world.confirm(id, randomUUID(), world.daniel.principal))).toEqual(['NOT_FOUND']);
    expect(
      codesOf(await world.ask(world.daniel.principal, 'query ($id: ID!) { checkout(id: $id) { id } }', { id })),
    ).toEqual(['NOT_FOUND']);
  });

  it('lets twelve at once spend a year of a traveler up to its limit, and not a cent more (M4)', async () => {
    const em = world.payments.em.fork();
    const usedMinor = async () => {
      const [row] = await em.execute<{ used: string }[]>('select used_minor as used from limit_usage');
      return BigInt(row?.used ?? 0);
    };
    // Almost the most that one payment may be: of USD 50,000 a year, ten.
    const checkouts: { id: string; total: { amount: string } }[] = [];
    for (let each = 0; each < 12; each += 1) checkouts.push(await world.checkout('declined', '33000.00'));
    // What the wallet declines is given back: not before all have been counted.
    world.lines.paypal.spoil('/v2/checkout/orders', { kind: 'CUT_BEFORE' }, 1_000);
    const before = await usedMinor();
    const answers = await atOnce(
      world.payments.em,
      { sql: 'select * from limit_usage for update' },
      checkouts.map(
        ({ id }) =>
          () =>
            world.confirm(id),
      ),
    );
    const after = await usedMinor();
    world.lines.paypal.heal();
    const totals = checkouts.map(({ total }) => BigInt(total.amount.replace('.', '')));
    const codes = answers.map((answer) => codesOf(answer)[0] ?? 'CONFIRMED');
    const spent = totals.filter((_, index) => codes[index] === 'CONFIRMED');
    const refused = totals.filter((_, index) => codes[index] === 'SPENDING_LIMIT_EXCEEDED');
    expect(spent.length + refused.length).toBe(totals.length);
    expect(after).toBe(spent.reduce((sum, each) => sum + each, before));
    expect(after).toBeLessThanOrEqual(5_000_000n);
    // Whoever was refused would not have fitted.
    expect(refused.length).toBeGreaterThan(0);
    for (const each of refused) expect(after + each).toBeGreaterThan(5_000_000n);
    for (const answer of answers) {
      const paymentId = paymentIdOf(answer);
      // Half a minute and the next attempt after it: until then a lost request for a hold may still be on its way.
      if (paymentId) expect(await world.settled(paymentId as PaymentId, 100_000)).toBe('DECLINED');
    }
    expect(await usedMinor()).toBe(before);
  }, 180_000);

  it.each([
    ['the last cent of a limit', 0n, []],
    ['one cent more', -1n, ['SPENDING_LIMIT_EXCEEDED']],
  ])('may spend %s when another one has spent the rest at the same moment (M4)', async (_, spare, codes) => {
    const checkouts = [await world.checkout('ok', '70.00'), await world.checkout('ok', '70.00')];
    const em = world.payments.em.fork();
    const [row] = await em.execute<{ used: string }[]>('select used_minor as used from limit_usage');
    const totals = checkouts.map(({ total }) => BigInt(total.amount.replace('.', '')));
    const most = totals.reduce((sum, each) => sum + each, BigInt(row?.used ?? 0)) + spare;
    await em.execute('update checkout set per_year_limit_minor = ? where id in (?, ?)', [
      most,
      ...checkouts.map(({ id }) => id),
    ]);
    const answers = await atOnce(
      world.payments.em,
      { sql: 'select * from limit_usage for update' },
      checkouts.map(
        ({ id }) =>
          () =>
            world.confirm(id),
      ),
    );
    expect(answers.map(codesOf)).toEqual([[], codes]);
  });

  describe('of a code that ended meanwhile', () => {
    const ended = async (code: { id: CodeId; payload: string | null }, end: () => Promise<unknown>) => {
      const amount = code.payload?.startsWith('weixin') ? { amount: null } : {};
      const { data } = await start({ code: code.payload, ...amount });
      const { id } = (data as { startCheckout: { checkout: { id: string } } }).startCheckout.checkout;
      await end();
      const counted = () => world.payments.em.fork().execute('select count(*) from payment');
      // Which, not in what state: payments of other tests may still be captured.
      const authorized = async () => (await world.books('paypal'))['authorizations']?.map(({ id: held }) => held);
      const before = await counted();
      const held = await authorized();
      const answer = await world.confirm(id);
      expect(await counted()).toEqual(before);
      expect(await authorized()).toEqual(held);
      return (answer.errors ?? []).map(({ extensions }) => [
        extensions?.['code'],
        (extensions?.['details'] as { reason?: string } | undefined)?.reason,
      ]);
    };
    const codeOf = (amount: string | null) => {
      const { merchantId, principal } = world.store('ok');
      const money = amount === null ? null : Money.parse(amount, 'CNY');
      const command = { merchantId, amount: money, reference: null, idempotencyKey: null };
      return world.merchants.services.codes.create(command, principal);
    };

    it.each([
      ['an order', '12.00'],
      ['a static code, which the network would go on taking', null],
    ])('is refused for %s that the merchant cancelled, and nothing is held', async (_, amount) => {
      const code = await codeOf(amount);
      const refusal = await ended(code, () =>
        world.merchants.services.codes.cancel(code.id, world.store('ok').principal),
      );
      expect(refusal).toEqual([['CODE_EXPIRED', 'CLOSED']]);
    });

    it('is refused for an order that another payment has paid, and nothing is held', async () => {
      const code = await codeOf('12.00');
      const refusal = await ended(code, () => world.merchants.services.codes.markPaid(code.id, newId('pay', 'us')));
      expect(refusal).toEqual([['CODE_EXPIRED', 'PAID']]);
    });

    it('is replayed under its key all the same, when it was confirmed before', async () => {
      const code = await codeOf('12.00');
      const { data } = await start({ code: code.payload, amount: null });
      const { id } = (data as { startCheckout: { checkout: { id: string } } }).startCheckout.checkout;
      const key = randomUUID();
      const first = await world.confirm(id, key);
      expect(codesOf(first)).toEqual([]);
      await world.settled(paymentIdOf(first) as PaymentId);
      await world.merchants.services.codes.markPaid(code.id, paymentIdOf(first) as PaymentId);
      expect(paymentIdOf(await world.confirm(id, key))).toBe(paymentIdOf(first));
      expect(codesOf(await world.confirm(id))).toEqual(['CHECKOUT_ALREADY_CONFIRMED']);
    });

    it('goes on where nobody can tell: the network has the last word', async () => {
      const { id } = await world.checkout('ok');
      const whole = world.others.merchants;
      world.others.merchants = async () => Promise.reject(new Error('down'));
      const answer = await world.confirm(id);
      world.others.merchants = whole;
      expect(codesOf(answer)).toEqual([]);
      expect(await world.settled(paymentIdOf(answer) as PaymentId)).toBe('COMPLETED');
    });
  });

  it('refuses a wallet that was suspended after the checkout began', async () => {
    const { data } = await start({ walletId: world.daniel.walletId }, world.daniel.principal);
    const { id } = (data as { startCheckout: { checkout: { id: string } } }).startCheckout.checkout;
    await world.users.services.wallets.change(world.daniel.walletId, 'SUSPENDED');
    expect(codesOf(await world.confirm(id, randomUUID(), world.daniel.principal))).toEqual(['WALLET_NOT_USABLE']);
  });

  it('refuses a wallet that is not active any more', async () => {
    const answer = await withWallet('SUSPENDED', () =>
      start({ walletId: world.daniel.walletId }, world.daniel.principal),
    );
    expect(codesOf(answer)).toEqual(['WALLET_NOT_USABLE']);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import decodeQr from 'qr/decode.js';
import { z } from 'zod';
import { maya } from '../../local/seed.identities.js';
import { scenarios, stores } from '../../local/seed.stores.js';
import type { PaymentId } from '../../subgraphs/kernel/id.js';
import { type DocumentName, documents } from '../support/documents.js';
import { type Asker, RunningGraph } from '../support/graph.js';
import { bookedFor, discrepanciesOf, expectedFor, readBooks, reviewOf } from '../support/outside-books.js';
import {
  checkout,
  checkoutOf,
  codesIn,
  confirm,
  eventually,
  type MoneyAnswer,
  type PaymentAnswer,
  pay,
  refund,
  settled,
  storeOf,
  yuan,
} from '../support/shopping.js';
import { overSse, type Subscriber } from '../support/subscribers.js';

let graph: RunningGraph;
let rates: Subscriber;
beforeAll(async () => {
  graph = await RunningGraph.start();
  // Ticks come every few seconds: they are collected while the other tests run.
  rates = watch(null, 'rates');
});
afterAll(async () => {
  rates.leave();
  await graph.remove();
});

const DATE_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const RATE = { rate: expect.stringMatching(/^[5-9]\.\d{1,8}$/), asOf: DATE_TIME, source: 'SIMULATED' };
const id = (kind: string) => expect.stringMatching(new RegExp(`^${kind}_[a-z]{2}_[0-9a-z]{26}$`));

/** In the smallest unit: exact where a float would not be. */
function minor({ amount }: Pick<MoneyAnswer, 'amount'>): bigint {
  return BigInt(amount.replace('.', ''));
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

async function get(path: string) {
  const answer = await fetch(`${graph.url}${path}`);
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', body: await answer.text() };
}

function watch(asker: Asker, name: DocumentName, variables: Record<string, unknown> = {}) {
  return overSse({ url: graph.url, query: documents.read(name), variables, token: graph.bearer(asker) });
}

/** What the drawing says to a scanner. */
function textInImage(svg: string): string {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (const [, x, y, width, height] of svg.matchAll(/M(\d+),(\d+)h(\d+)v(\d+)/g))
    for (let row = Number(y); row < Number(y) + Number(height); row += 1)
      data.fill(0, (row * size + Number(x)) * 4, (row * size + Number(x) + Number(width)) * 4);
  // Dark is black and opaque.
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  return decodeQr({ width: size, height: size, data });
}

describe('Who asks', () => {
  it('is told to a traveler, with home market and masked wallets', async () => {
    expect(await graph.run('traveler', 'viewer')).toEqual({
      viewer: {
        kind: 'TRAVELER',
        scopes: [],
        traveler: {
          id: maya.id,
          displayName: 'Maya',
          homeMarket: { code: 'US' },
          wallets: [
            {
              id: maya.walletId,
              provider: 'PAYPAL',
              currencyCode: 'USD',
              label: 'PayPal m•••@…',
              status: 'ACTIVE',
            },
          ],
        },
        merchants: [],
      },
    });
  });

  it.each([
    ['merchant', 'MERCHANT', ['codes:write', 'payments:read', 'refunds:write'], stores.length],
    ['partner', 'PARTNER', ['payments:read'], 0],
    ['operator', 'OPERATOR', ['payments:read', 'payments:review', 'travelers:read'], 0],
  ] as const)('is told to a %s', async (who, kind, scopes, count) => {
    const { viewer } = await graph.run<{ viewer: Record<string, unknown> }>(who, 'viewer');
    expect(viewer).toMatchObject({ kind, scopes, traveler: null });
    const expected = stores.slice(0, count).map(({ merchantId, name }) => ({ id: merchantId, name }));
    expect(viewer['merchants']).toEqual(expected);
  });
});

describe('What is open to everybody', () => {
  it('is the list of markets: the United States live, others announced', async () => {
    const { markets } = await graph.run<{ markets: { code: string; status: string }[] }>(null, 'markets');
    expect(markets[0]).toEqual({
      code: 'US',
      name: 'United States',
      status: 'LIVE',
      currencyCode: 'USD',
      walletProviders: ['PAYPAL'],
    });
    expect(markets.length).toBeGreaterThan(1);
    for (const market of markets.slice(1)) expect(market.status).toBe('ANNOUNCED');
  });

  it('is the rate now', async () => {
    expect(await graph.run(null, 'rate')).toEqual({ exchangeRate: RATE });
  });

  it('is the reference rate month by month', async () => {
    type Candle = Record<'date' | 'open' | 'high' | 'low' | 'close', string>;
    const { exchangeRateHistory: months } = await graph.run<{ exchangeRateHistory: Candle[] }>(null, 'rate-history', {
      from: '2024-01-01',
      to: '2024-06-30',
    });
    expect(months.map(({ date }) => date.slice(0, 7))).toEqual([1, 2, 3, 4, 5, 6].map((month) => `2024-0${month}`));
    for (const { open, high, low, close } of months) {
      for (const rate of [open, close, high]) expect(Number(rate)).toBeGreaterThanOrEqual(Number(low));
      for (const rate of [open, close, low]) expect(Number(rate)).toBeLessThanOrEqual(Number(high));
      expect(Number(low)).toBeGreaterThan(6.5);
      expect(Number(high)).toBeLessThan(7.5);
    }
  });
});

describe('A checkout', () => {
  it.each(stores)(
    'resolves the code of $name',
    async ({ payload, merchantId, name, localName, categoryCode, city }) => {
      expect(await graph.run('traveler', 'resolve-code', { payload })).toEqual({
        resolveCode: {
          network: 'WECHAT_PAY',
          kind: 'STATIC',
          merchant: { id: merchantId, name, localName, categoryCode, city },
          amount: null,
          reference: null,
          expiresAt: null,
        },
      });
    },
  );

  it('shows every part of its price, and the parts make the whole', async () => {
    const opened = await checkout(graph, 'ok', '100.00');
    const { quote } = opened;
    expect(opened).toMatchObject({
      id: id('chk'),
      status: 'OPEN',
      expiresAt: DATE_TIME,
      amount: yuan('100.00'),
      merchant: { id: storeOf('ok').merchantId, name: storeOf('ok').name },
      quote: { id: id('quo'), source: 'SIMULATED', asOf: DATE_TIME, expiresAt: DATE_TIME, buy: yuan('100.00') },
    });
    expect(opened.total).toEqual({ ...quote.sell, formatted: `$${quote.sell.amount}` });
    for (const part of [quote.sell, quote.spread, quote.fee])
      expect(part).toEqual({ amount: expect.stringMatching(/^\d+\.\d\d$/), currencyCode: 'USD' });
    // The mid amount is rounded up: 100 CNY at the mid rate, to the next cent.
    const mid = minor(quote.sell) - minor(quote.spread) - minor(quote.fee);
    expect(Number(mid)).toBe(Math.ceil(10_000 / Number(quote.midRate)));
    expect(Number(quote.customerRate)).toBeLessThan(Number(quote.midRate));
    const lockedFor = Date.parse(quote.expiresAt) - Date.now();
    expect(lockedFor).toBeGreaterThan(4.5 * 60_000);
    expect(lockedFor).toBeLessThanOrEqual(5 * 60_000);
  });

  it('can be given a new price, and be given up: then nobody can confirm it', async () => {
    const opened = await checkout(graph, 'ok');
    const input = { checkoutId: opened.id };
    type Requoted = { requoteCheckout: { checkout: { id: string; quote: { id: string }; total: { amount: string } } } };
    const { requoteCheckout } = await graph.run<Requoted>('traveler', 'requote', { input });
    expect(requoteCheckout.checkout).toEqual({
      id: opened.id,
      quote: { id: id('quo'), expiresAt: DATE_TIME },
      total: { amount: expect.stringMatching(/^1\d\.\d\d$/) },
    });
    expect(requoteCheckout.checkout.quote.id).not.toBe(opened.quote.id);
    expect(await graph.run('traveler', 'cancel', { input })).toEqual({
      cancelCheckout: { checkout: { id: opened.id, status: 'CANCELLED' } },
    });
    const late = { input: { ...input, idempotencyKey: randomUUID() } };
    expect(codesIn(await graph.ask('traveler', documents.read('confirm-checkout'), late))).toEqual([
      'CHECKOUT_CANCELLED',
    ]);
  });

  it('is confirmed at the price that was requoted last', async () => {
    const opened = await checkout(graph, 'ok', '77.00');
    type Requoted = { requoteCheckout: { checkout: { total: { amount: string } } } };
    const { requoteCheckout } = await graph.run<Requoted>('traveler', 'requote', { input: { checkoutId: opened.id } });
    const payment = await settled(graph, (await confirm(graph, opened.id)).id);
    expect(payment.total.amount).toBe(requoteCheckout.checkout.total.amount);
    expect(bookedFor(payment.id, await readBooks(graph)).captures).toEqual([`${payment.total.amount} USD COMPLETED`]);
  });
});

describe('A payment', () => {
  const endings = {
    ok: 'COMPLETED',
    declined: 'DECLINED',
    refused: 'FAILED',
    slow: 'COMPLETED',
    'lost-reply': 'COMPLETED',
    'capture-fails-once': 'COMPLETED',
    'duplicate-notifications': 'COMPLETED',
  } as const;
  const happened = {
    COMPLETED: ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED'],
    DECLINED: ['CONFIRMED', 'DECLINED'],
    FAILED: ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'FAILED'],
  } as const;
  let payments: Map<string, PaymentAnswer>;

  beforeAll(async () => {
    const started = await Promise.all(
      scenarios.map(async (scenario) => {
        const opened = await checkout(graph, scenario, '123.45');
        const payment = await confirm(graph, opened.id);
        expect(payment).toEqual({
          id: id('pay'),
          status: expect.stringMatching(/^(PROCESSING|PAID|COMPLETED|DECLINED)$/),
          isFinal: expect.any(Boolean),
          amount: yuan('123.45'),
          total: { amount: opened.total.amount, currencyCode: 'USD' },
        });
        return [scenario, payment.id] as const;
      }),
    );
    payments = new Map(
      await Promise.all(started.map(async ([scenario, each]) => [scenario, await settled(graph, each)] as const)),
    );
  });

  it.each(scenarios)(
    'at the shop that plays %s ends as it must, and the books of both sides agree',
    async (scenario) => {
      const payment = payments.get(scenario);
      if (!payment) throw new Error('it was not started');
      const { name, merchantId } = storeOf(scenario);
      expect(payment).toMatchObject({
        status: endings[scenario],
        isFinal: true,
        declineReason: endings[scenario] === 'COMPLETED' ? null : expect.stringMatching(/^[A-Z_]+$/),
        createdAt: DATE_TIME,
        completedAt: endings[scenario] === 'COMPLETED' ? DATE_TIME : null,
        network: 'WECHAT_PAY',
        refundedAmount: yuan('0.00'),
        merchant: { id: merchantId, name },
        quote: { customerRate: expect.stringMatching(/^\d\.\d+$/) },
        wallet: { id: maya.walletId, label: 'PayPal m•••@…' },
        refunds: { nodes: [] },
      });
      expect(payment.events.map(({ type }) => type)).toEqual(happened[endings[scenario]]);
      expect(payment.events.map(({ sequence }) => sequence)).toEqual(payment.events.map((_, index) => index + 1));
      expect(payment.events.at(-1)?.status).toBe(payment.status);
      expect(bookedFor(payment.id, await readBooks(graph))).toEqual(expectedFor(payment));
    },
  );

  it('leaves no contradiction in the ledger, whatever became of it', async () => {
    expect(await discrepanciesOf(graph)).toEqual([]);
  });

  it('is told to its traveler, its merchant and its partner as it happens', async () => {
    const { merchantId } = storeOf('ok');
    const live = [watch('merchant', 'merchant-events', { merchantId }), watch('partner', 'partner-events')] as const;
    // Nothing says that a live stream has begun: both see the payment that is made until they do.
    const probe = await eventually(10_000, 'both streams to begin', async () => {
      const started = await settled(graph, await pay(graph, 'ok', '1.00'));
      return live.every(({ received }) => received.length > 0) ? started : null;
    });
    const payment = await settled(graph, await pay(graph, 'ok', '9.90'));
    const traveler = watch('traveler', 'payment-events', { paymentId: payment.id });
    const whole = await traveler.receive(payment.events.length);
    traveler.leave();
    expect(whole.map(({ data }) => data?.['paymentEvents'])).toEqual(
      payment.events.map(({ sequence, type, status }) => ({
        cursor: expect.any(String),
        sequence,
        type,
        status,
        terminal: type === 'COMPLETED',
        occurredAt: DATE_TIME,
        payment: {
          id: payment.id,
          status: 'COMPLETED',
          merchant: { name: payment.merchant.name },
          traveler: { displayName: 'Maya' },
          total: { formatted: `$${payment.total.amount}` },
        },
      })),
    );
    const types = payment.events.map(({ type }) => type);
    for (const [stream, field] of [
      [live[0], 'merchantPaymentEvents'],
      [live[1], 'partnerPaymentEvents'],
    ] as const) {
      const seen = await eventually(8_000, field, async () => {
        const all = stream.received.map(({ data }) => data?.[field] as { type: string; payment: { id: string } });
        const ours = all.filter((event) => event.payment.id === payment.id);
        return ours.length >= types.length ? ours : null;
      });
      expect(seen.map(({ type }) => type)).toEqual(types);
      stream.leave();
    }
    expect(probe.status).toBe('COMPLETED');
    expect(live[0].received[0]?.data).toEqual({
      merchantPaymentEvents: {
        cursor: expect.any(String),
        type: expect.any(String),
        payment: { id: id('pay'), amount: { amount: '1.00' } },
      },
    });
    expect(live[1].received[0]?.data).toMatchObject({
      partnerPaymentEvents: {
        cursor: expect.any(String),
        payment: { id: id('pay'), merchant: { name: payment.merchant.name } },
      },
    });
  });

  it('is in both histories, page after page, newest first, each once', async () => {
    const { merchantId } = storeOf('ok');
    type Page = {
      viewer: {
        traveler: {
          payments: {
            edges: { cursor: string; node: PaymentAnswer & { merchant: { city: string } } }[];
            pageInfo: { hasNextPage: boolean; endCursor: string | null };
          };
        };
      };
    };
    const nodes: PaymentAnswer[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Page = await graph.run<Page>('traveler', 'traveler-history', { first: 3, after });
      const { edges, pageInfo }: Page['viewer']['traveler']['payments'] = page.viewer.traveler.payments;
      expect(edges.length).toBe(pageInfo.hasNextPage ? 3 : edges.length);
      expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
      nodes.push(...edges.map(({ node }) => node));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(nodes.length).toBeGreaterThanOrEqual(7);
    expect(new Set(nodes.map((node) => node.id)).size).toBe(nodes.length);
    expect(nodes.map(({ createdAt }) => createdAt)).toEqual(
      nodes
        .map(({ createdAt }) => createdAt)
        .toSorted()
        .reverse(),
    );
    for (const node of nodes) expect(node.status).toBe('COMPLETED');
    for (const scenario of scenarios) {
      const payment = payments.get(scenario);
      const found = nodes.find((node) => node.id === payment?.id);
      const { amount, total, quote } = payment ?? {};
      const { name, city } = storeOf(scenario);
      if (payment?.status !== 'COMPLETED') expect(found).toBeUndefined();
      else expect(found).toMatchObject({ amount, total, quote, merchant: { name, city } });
    }

    type Theirs = {
      merchant: { name: string; payments: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean } } };
    };
    const { merchant } = await graph.run<Theirs>('merchant', 'merchant-history', { merchantId, first: 2 });
    const hers = nodes.filter(({ merchant: { name } }) => name === storeOf('ok').name);
    expect(merchant.name).toBe(storeOf('ok').name);
    expect(merchant.payments.nodes).toEqual(
      hers.slice(0, 2).map(({ id: paymentId, status, amount }) => ({ id: paymentId, status, amount })),
    );
    expect(merchant.payments.pageInfo).toEqual({ hasNextPage: true, endCursor: expect.any(String) });
  });
});

describe('A refund', () => {
  it('gives back parts at the original rate, and the rest to the cent', async () => {
    const payment = await settled(graph, await pay(graph, 'ok', '100.00'));
    const first = await refund(graph, payment.id, '33.33');
    expect(first).toEqual({
      id: id('ref'),
      status: expect.stringMatching(/^(PROCESSING|COMPLETED)$/),
      amount: yuan('33.33'),
      total: { amount: expect.stringMatching(/^\d+\.\d\d$/), currencyCode: 'USD' },
      payment: { id: payment.id, refundedAmount: { amount: '33.33' } },
    });
    const second = await refund(graph, payment.id, '0.01');
    const rest = await refund(graph, payment.id, null);
    expect(rest).toMatchObject({ amount: yuan('66.66'), payment: { refundedAmount: { amount: '100.00' } } });
    const totals = [first, second, rest].map(({ total }) => minor(total));
    expect(sum(totals)).toBe(minor(payment.total));

    const after = await settled(graph, payment.id);
    expect(after).toMatchObject({ status: 'COMPLETED', refundedAmount: yuan('100.00') });
    expect(after.refunds.nodes).toEqual(
      [rest, second, first].map((each) => ({
        id: each.id,
        status: 'COMPLETED',
        amount: { amount: each.amount.amount },
      })),
    );
    const given = [first, second, rest].filter(({ total }) => minor(total) > 0n);
    expect(bookedFor(payment.id, await readBooks(graph))).toEqual({
      authorizations: [`${payment.total.amount} USD CAPTURED`],
      captures: [`${payment.total.amount} USD REFUNDED`],
      refunds: given.map(({ total }) => `${total.amount} USD COMPLETED`).sort(),
      transactions: ['100.00 CNY SUCCESS'],
      networkRefunds: ['0.01 CNY SUCCESS', '33.33 CNY SUCCESS', '66.66 CNY SUCCESS'],
    });
    const tooMuch = { paymentId: payment.id, amount: yuan('0.01'), reason: 'Again', idempotencyKey: randomUUID() };
    expect(codesIn(await graph.ask('merchant', documents.read('refund'), { input: tooMuch }))).toEqual([
      'REFUND_EXCEEDS_PAYMENT',
    ]);
    expect(await discrepanciesOf(graph)).toEqual([]);
  });
});

describe('A code that a merchant makes', () => {
  type Created = {
    createPaymentCode: {
      code: {
        id: string;
        payload: string;
        kind: string;
        amount: MoneyAnswer | null;
        expiresAt: string | null;
        image: string;
      };
    };
  };
  const create = async (amount: MoneyAnswer | null, reference: string) => {
    const input = { merchantId: storeOf('ok').merchantId, amount, reference };
    return (await graph.run<Created>('merchant', 'create-code', { input })).createPaymentCode.code;
  };

  it('carries its amount when it is dynamic, can be scanned, and is paid once', async () => {
    const code = await create(yuan('45.60'), 'Table 7');
    expect(code).toMatchObject({ id: id('cod'), kind: 'DYNAMIC', amount: yuan('45.60'), expiresAt: DATE_TIME });
    expect(code.payload).toMatch(/^weixin:\/\/wxpay\/bizpayurl/);
    expect(textInImage(code.image)).toBe(code.payload);
    expect(await graph.run('traveler', 'resolve-code', { payload: code.payload })).toMatchObject({
      resolveCode: {
        kind: 'DYNAMIC',
        merchant: { id: storeOf('ok').merchantId },
        amount: yuan('45.60'),
        reference: 'Table 7',
        expiresAt: code.expiresAt,
      },
    });
    // Three phones at one table: all checkouts are open before any is paid, and two are confirmed at once.
    const open = () => checkoutOf(graph, code.payload, null);
    const [opened, rival, third] = [await open(), await open(), await open()];
    expect(opened).toMatchObject({ amount: yuan('45.60') });
    const confirmed = await Promise.all([confirm(graph, opened.id), confirm(graph, rival.id)]);
    const both = await Promise.all(confirmed.map(({ id }) => settled(graph, id)));
    const [payment, tooLate] = both.toSorted((a, b) => a.status.localeCompare(b.status));
    if (!payment || !tooLate) throw new Error('two were confirmed');
    expect(payment.status).toBe('COMPLETED');
    expect(tooLate).toMatchObject({ status: 'FAILED', declineReason: 'CODE_ALREADY_PAID' });
    const books = await readBooks(graph);
    expect(bookedFor(payment.id, books)).toEqual(expectedFor(payment));
    expect(bookedFor(tooLate.id, books)).toEqual({ ...expectedFor(tooLate), transactions: [] });

    await eventually(5_000, 'the code to be known as paid', async () => {
      const again = await graph.ask('traveler', documents.read('resolve-code'), { payload: code.payload });
      return codesIn(again)[0] === 'CODE_EXPIRED' ? again : null;
    });
    // The third one is told before any money is held.
    const late = await graph.ask('traveler', documents.read('confirm-checkout'), {
      input: { checkoutId: third.id, idempotencyKey: randomUUID() },
    });
    expect(late.errors?.[0]?.extensions).toMatchObject({ code: 'CODE_EXPIRED', details: { reason: 'PAID' } });
    expect(await readBooks(graph)).toEqual(books);
    const input = { code: code.payload, walletId: maya.walletId, idempotencyKey: randomUUID() };
    const refused = await graph.ask('traveler', documents.read('start-checkout'), { input });
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'CODE_EXPIRED', details: { reason: 'PAID' } });
  });

  it('is static without an amount: the payer says one, as often as they like', async () => {
    const code = await create(null, 'Counter');
    expect(code).toMatchObject({ kind: 'STATIC', amount: null, expiresAt: null });
    expect(textInImage(code.image)).toBe(code.payload);
    expect(code.payload).toMatch(/^000201.*6304[0-9A-F]{4}$/);
    for (const amount of ['3.00', '4.50']) {
      const opened = await checkoutOf(graph, code.payload, yuan(amount));
      expect((await settled(graph, (await confirm(graph, opened.id)).id)).status).toBe('COMPLETED');
    }
  });
});

interface ReviewCaseAnswer {
  readonly payment: { readonly id: string };
  readonly networkSays: { readonly outcome: string } | null;
}

/** A payment that waits for a person, as operators see it, once the network says that it paid. */
async function paymentInReview(): Promise<ReviewCaseAnswer> {
  for (;;) {
    const paymentId = (await pay(graph, 'slow')) as PaymentId;
    await eventually(20_000, 'the network to be asked', async () => {
      const { events } = (await graph.run<{ payment: PaymentAnswer }>('operator', 'payment', { id: paymentId }))
        .payment;
      return events.some(({ type }) => type === 'SUBMITTED') || null;
    });
    // Whoever was just about to learn the network's yes was faster.
    if (!(await reviewOf(graph, paymentId))) continue;
    return eventually(20_000, 'the network to say yes', async () => {
      type Listed = { paymentsInReview: { nodes: ReviewCaseAnswer[] } };
      const { paymentsInReview } = await graph.run<Listed>('operator', 'payments-in-review', { first: 5 });
      const found = paymentsInReview.nodes.find(({ payment }) => payment.id === paymentId);
      return found?.networkSays?.outcome === 'YES' ? found : null;
    });
  }
}

describe('Operators', () => {
  it('decide by four eyes what a payment in review becomes: what one proposes, another one rejects or approves', async () => {
    const { payment: stopped, ...found } = await paymentInReview();
    expect(found).toMatchObject({
      reason: 'NETWORK_OUTCOME_UNKNOWN',
      since: DATE_TIME,
      authorization: { status: 'HELD', amount: { currencyCode: 'USD' } },
      acceptance: { status: 'SUBMITTED', amount: { amount: '88.00', currencyCode: 'CNY' } },
      walletSays: { hold: 'HELD' },
    });
    type Decided = Record<string, { resolution: { id: string; verdict: string | null; payment: { status: string } } }>;
    const note = 'Seen at the network.';
    const propose = async () => {
      const input = { paymentId: stopped.id, action: 'COMPLETE_AFTER_CAPTURE', note, idempotencyKey: randomUUID() };
      return (await graph.run<Decided>('operator', 'propose-resolution', { input }))['proposeResolution']?.resolution;
    };
    const decide = async (name: 'approve-resolution' | 'reject-resolution', resolutionId: string | undefined) => {
      const input = { resolutionId, note, idempotencyKey: randomUUID() };
      expect(codesIn(await graph.ask('operator', documents.read(name), { input }))).toEqual([
        'SECOND_OPERATOR_REQUIRED',
      ]);
      return Object.values(await graph.run<Decided>('secondOperator', name, { input }))[0]?.resolution;
    };
    const proposed = await propose();
    expect(proposed).toMatchObject({ id: id('res'), verdict: null, payment: { status: 'IN_REVIEW' } });
    expect(await decide('reject-resolution', proposed?.id)).toMatchObject({ verdict: 'REJECTED' });
    expect(await decide('approve-resolution', (await propose())?.id)).toMatchObject({ verdict: 'APPROVED' });
    const payment = await settled(graph, stopped.id);
    expect(payment.status).toBe('COMPLETED');
    expect(bookedFor(payment.id, await readBooks(graph))).toEqual(expectedFor(payment));
  });

  it('see the books proved and in balance, and what reconciliation has found', async () => {
    const { ledgerProof } = await graph.run<{ ledgerProof: object }>('operator', 'ledger-proof');
    expect(ledgerProof).toMatchObject({ discrepancies: [], seals: { firstBroken: null } });
    const day = new Date().toISOString().slice(0, 10);
    type Balance = { trialBalance: { totals: { currencyCode: string; isBalanced: boolean }[] } };
    const { trialBalance } = await graph.run<Balance>('operator', 'trial-balance', { day });
    expect(trialBalance.totals.map(({ currencyCode, isBalanced }) => [currencyCode, isBalanced])).toEqual([
      ['CNY', true],
      ['USD', true],
    ]);
    const page = { nodes: expect.any(Array), pageInfo: { hasNextPage: false } };
    expect(await graph.run('operator', 'reconciliation-runs', { first: 10 })).toMatchObject({
      reconciliationRuns: page,
    });
    expect(await graph.run('operator', 'reconciliation-breaks', { first: 10, open: true })).toMatchObject({
      reconciliationBreaks: page,
    });
  });
});

describe('Beside the graph', () => {
  it('has codes for each scripted scenario, tokens, books and a page', async () => {
    const code = z.strictObject({
      name: z.string(),
      payload: z.string(),
      kind: z.literal('STATIC'),
      network: z.literal('WECHAT_PAY'),
      merchantId: z.string(),
      scenario: z.enum(scenarios),
    });
    const codes = z.array(code).parse(JSON.parse((await get('/dev/codes')).body));
    expect(new Set(codes.map(({ scenario }) => scenario))).toEqual(new Set(scenarios));
    const tokens = JSON.parse((await get('/dev/tokens')).body) as Record<string, string>;
    expect(Object.keys(tokens)).toEqual(
      expect.arrayContaining(['traveler', 'merchant', 'partner', 'operator', 'secondOperator']),
    );
    for (const page of Object.values((await readBooks(graph)).paypal)) expect(page.length).toBeGreaterThan(0);
    const page = await get('/dev');
    expect(page).toMatchObject({ status: 200, type: expect.stringContaining('text/html') });
    for (const { payload } of codes) expect(page.body).toContain(payload);
    expect(page.body.match(/<svg /g)).toHaveLength(codes.length);
    expect(page.body).toContain(tokens['traveler']);
  });

  it('says whether it lives and is ready, and what it measured', async () => {
    expect(await get('/health/live')).toMatchObject({ status: 200, body: 'ok' });
    const ready = await get('/health/ready');
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.body)).toMatchObject({
      ready: true,
      subgraphs: { users: 'up', merchants: 'up', payments: 'up', fx: 'up' },
    });
    const { status, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(body).toMatch(/^gateway_\w+\{.*operation="StartCheckout".*\} \d+/m);
  });

  it('greets with Apollo Sandbox, and with nothing where there is nothing', async () => {
    expect(await get('/')).toMatchObject({ status: 200, type: expect.stringContaining('text/html') });
    expect((await get('/')).body).toMatch(/sandbox/i);
    expect((await get('/dev/nothing')).status).toBe(404);
  });
});

describe('The stream of rates', () => {
  it('begins with the newest and goes on with each change', async () => {
    const ticks = (await rates.receive(2)).map(({ data }) => data?.['exchangeRateUpdated']);
    for (const tick of ticks)
      expect(tick).toEqual({
        base: 'USD',
        quote: 'CNY',
        ...RATE,
      });
    expect(new Set(ticks.map((tick) => JSON.stringify(tick))).size).toBe(ticks.length);
  });
});

describe('The contract', () => {
  it('was tried as a whole: every operation of schema/operations was run above', () => {
    expect(documents.unread()).toEqual([]);
  });
});

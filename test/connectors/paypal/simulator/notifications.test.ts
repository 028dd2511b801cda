import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type PaypalNotification,
  PaypalNotificationVerifier,
} from '../../../../connectors/paypal/paypal.notification.js';
import { bodyOf, Counterpart, closeEverything, configurationFor, refundOf, startRaw, until } from '../counterpart.js';

afterEach(closeEverything);

/** Our webhook: verifies what arrives and answers as the test says. */
async function startWebhook(answer: (seen: number) => number | 'silence' = () => 200) {
  const messages: { notification: PaypalNotification; transmission: string }[] = [];
  let verifier: PaypalNotificationVerifier | null = null;
  let seen = 0;
  const { url } = await startRaw(async (request, response) => {
    const body = await bodyOf(request);
    seen += 1;
    const status = answer(seen);
    if (status === 'silence') return;
    if (status === 200 && verifier)
      messages.push({
        notification: await verifier.verify(request.headers, body),
        transmission: String(request.headers['paypal-transmission-id']),
      });
    response.writeHead(status).end();
  });
  return {
    url: `${url}/notifications/paypal`,
    messages,
    seen: () => seen,
    trust: (origin: string) => {
      verifier = new PaypalNotificationVerifier(configurationFor(origin));
    },
  };
}

/** The deadline of one delivery is far above what a busy machine needs, but where a test waits for it to pass. */
async function started(answer?: (seen: number) => number | 'silence', notificationDeadlineMs = 5_000) {
  const webhook = await startWebhook(answer);
  const paypal = await Counterpart.start({
    webhook: { id: 'WH1', url: webhook.url },
    firstRetryMs: 20,
    notificationDeadlineMs,
  });
  webhook.trust(paypal.url);
  return { webhook, paypal };
}

describe('Notifications', () => {
  it('tell of a hold, its capture, its refund and its release, signed so that our verifier believes them', async () => {
    const { webhook, paypal } = await started();
    const captureId = await paypal.capture('a');
    await paypal.client.refundCapture(refundOf('a', captureId, '1.00'));
    await paypal.client.voidAuthorization(await paypal.authorization('b'));
    await until(() => webhook.messages.length === 5);
    const told = webhook.messages.map(({ notification }) => [notification.eventType, notification.resource.customId]);
    expect(told.toSorted()).toEqual([
      ['PAYMENT.AUTHORIZATION.CREATED', 'pay_us_a'],
      ['PAYMENT.AUTHORIZATION.CREATED', 'pay_us_b'],
      ['PAYMENT.AUTHORIZATION.VOIDED', 'pay_us_b'],
      ['PAYMENT.CAPTURE.COMPLETED', 'pay_us_a'],
      ['PAYMENT.CAPTURE.REFUNDED', 'pay_us_a'],
    ]);
    const refunded = webhook.messages.find(({ notification }) => notification.eventType === 'PAYMENT.CAPTURE.REFUNDED');
    expect(refunded?.notification.resource).toMatchObject({ captureId, status: 'COMPLETED' });
    await until(async () => (await paypal.books()).pendingNotifications === 0);
  });

  it('tell of a payer’s approval and of an authorization that lapsed', async () => {
    const webhook = await startWebhook();
    let time = Date.now();
    const paypal = await Counterpart.start({ webhook: { id: 'WH1', url: webhook.url }, now: () => new Date(time) });
    const body = { intent: 'AUTHORIZE', purchase_units: [{ amount: { currency_code: 'USD', value: '1.00' } }] };
    const order = await paypal.ask('POST', '/v2/checkout/orders', body, { 'paypal-request-id': 'k' });
    const orderId = String(order.body['id']);
    await fetch(`${paypal.url}/checkoutnow?token=${orderId}`);
    await paypal.client.authorizeOrder({ requestId: 'k', orderId });
    await until(() => webhook.seen() === 2);
    time += 30 * 86_400_000;
    expect((await paypal.client.getOrder(orderId)).authorization?.status).toBe('VOIDED');
    await until(() => webhook.seen() === 3);
  });

  it('are sent again until they are heard: same event, new transmission', async () => {
    const { webhook, paypal } = await started((seen) => (seen < 3 ? 503 : 200));
    await paypal.authorization('a');
    await until(() => webhook.messages.length === 1);
    expect(webhook.seen()).toBe(3);
    await until(async () => (await paypal.books()).pendingNotifications === 0);
  });

  it('are sent again to a webhook that does not answer', async () => {
    const { webhook, paypal } = await started((seen) => (seen === 1 ? 'silence' : 200), 200);
    await paypal.authorization('a');
    await until(() => webhook.messages.length === 1);
  });

  it('still pending are sent after a restart', async () => {
    let down = true;
    const { webhook, paypal } = await started(() => (down ? 503 : 200));
    const captureId = await paypal.capture('a');
    await until(() => webhook.seen() >= 2);
    await paypal.stop();
    down = false;
    await paypal.startAgain();
    await until(() => webhook.messages.length === 2);
    expect(webhook.messages.map(({ notification }) => notification.resource.id)).toContain(captureId);
    await until(async () => (await paypal.books()).pendingNotifications === 0);
  });

  it('heard are not sent again after a restart, and the certificate is the same', async () => {
    const { webhook, paypal } = await started();
    await paypal.authorization('a');
    await until(async () => (await paypal.books()).pendingNotifications === 0);
    await paypal.stop();
    await paypal.startAgain();
    await paypal.authorization('b');
    await until(() => webhook.messages.length === 2);
    expect(webhook.seen()).toBe(2);
  });

  it('come three times in the scenario “duplicate-notifications”', async () => {
    const { webhook, paypal } = await started();
    await paypal.authorization('a', '14.11', 'vault-duplicates');
    await until(() => webhook.messages.length === 3);
    expect(new Set(webhook.messages.map(({ notification }) => notification.id)).size).toBe(1);
    expect(new Set(webhook.messages.map(({ transmission }) => transmission)).size).toBe(3);
    await until(async () => (await paypal.books()).pendingNotifications === 0);
  });

  it('are given up after 25 attempts', async () => {
    const webhook = await startWebhook(() => 500);
    const paypal = await Counterpart.start({ webhook: { id: 'WH1', url: webhook.url }, firstRetryMs: 0 });
    await paypal.authorization('a');
    await until(async () => (await paypal.books()).pendingNotifications === 0);
    expect(webhook.seen()).toBe(25);
  });
});

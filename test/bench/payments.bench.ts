import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { PaypalClient } from '../../connectors/paypal/paypal.client.js';
import { paypalConfiguration, paypalVariables } from '../../connectors/paypal/paypal.configuration.js';
import { wechatPayConfiguration, wechatPayVariables } from '../../connectors/wechat-pay/wechat-pay.configuration.js';
import { WechatPayWalletClient } from '../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { DemoClient } from '../../local/demo.client.js';
import * as operations from '../../local/demo.operations.js';
import { MINUTE } from '../../subgraphs/kernel/clock.js';
import { newId } from '../../subgraphs/kernel/id.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { perSecond, printRow, printTitle, ratio, throughput } from './figures.js';
import type { BenchTraveler, Lab } from './lab.js';

const DURATION_MS = 8_000;
const BASELINE_MS = 4_000;
const LANES = [1, 32];
const AMOUNT = { amount: '7.00', currencyCode: 'CNY' };

/**
 * Completed payments a second, from the price to COMPLETED as the traveler's app sees it. The baseline is what no graph
 * can be faster than on this machine: the same calls to the same outside systems, with nothing around them.
 */
export async function benchPayments(lab: Lab, url: string): Promise<void> {
  printTitle('Completed payments per second (startCheckout, confirmCheckout, live events to COMPLETED)');
  const outside = outsideCalls(lab);
  for (const lanes of LANES) {
    const bare = await throughput(lanes, BASELINE_MS, (lane) => outside.pay(lab.travelers[lane]));
    const ours = await throughput(lanes, DURATION_MS, (lane) => pay(lab, url, lab.travelers[lane]));
    const [oursRate, bareRate] = [ours.count / ours.elapsedMs, bare.count / bare.elapsedMs];
    printRow(
      `${lanes} traveler${lanes === 1 ? '' : 's'} at once`,
      perSecond(ours.count, ours.elapsedMs),
      ratio(oursRate, bareRate),
    );
    printRow('  baseline: only the calls to wallet and network', perSecond(bare.count, bare.elapsedMs), ratio(1, 1));
  }
  await outside.close();
}

/** At least so many payments for each traveler, so that there is a history to page through. */
export async function fillHistories(lab: Lab, url: string, each: number): Promise<void> {
  await Promise.all(
    lab.travelers.map(async (traveler) => {
      for (let paid = 0; paid < each; paid += 1) await pay(lab, url, traveler);
    }),
  );
}

/** One payment, from the price to its end. @throws when it does not end well */
export async function pay(lab: Lab, url: string, traveler: BenchTraveler | undefined): Promise<void> {
  if (!traveler) throw new Error('there are not so many travelers');
  const app = new DemoClient(url, traveler.token);
  const { startCheckout } = await app.ask(operations.startCheckout, {
    input: { code: lab.store.payload, amount: AMOUNT, walletId: traveler.walletId, idempotencyKey: randomUUID() },
  });
  const { confirmCheckout } = await app.ask(operations.confirmCheckout, {
    input: { checkoutId: startCheckout.checkout.id, idempotencyKey: randomUUID() },
  });
  for await (const { paymentEvents } of app.watch(operations.paymentEvents, {
    paymentId: confirmCheckout.payment.id,
  })) {
    if (!paymentEvents.terminal) continue;
    if (paymentEvents.status !== 'COMPLETED') throw new Error(`a payment ended ${paymentEvents.status}`);
    return;
  }
  throw new Error('the events of a payment ended before it did');
}

function outsideCalls({ environment, store }: Lab) {
  const paypal = new PaypalClient(paypalConfiguration(z.object(paypalVariables).parse(environment)));
  const wechatPay = new WechatPayWalletClient(wechatPayConfiguration(z.object(wechatPayVariables).parse(environment)));
  const [dollars, yuan] = [Money.parse('1.05', 'USD'), Money.parse(AMOUNT.amount, AMOUNT.currencyCode)];
  return {
    pay: async (traveler: BenchTraveler | undefined) => {
      const paymentId = newId('pay', 'us');
      const order = await paypal.createOrder({
        requestId: `${paymentId}-order`,
        paymentId,
        invoiceId: paymentId,
        referenceId: store.merchantId,
        amount: dollars,
        vaultId: traveler?.vaultReference ?? '',
        description: store.name,
      });
      const held = order.authorization
        ? order
        : await paypal.authorizeOrder({ requestId: `${paymentId}-authorize`, orderId: order.id });
      await wechatPay.pay({
        paymentRequestId: paymentId,
        codeValue: store.payload,
        amount: yuan,
        referenceOrderId: paymentId,
        customerId: 'bench',
        expiresAt: new Date(Date.now() + MINUTE),
        notifyUrl: 'http://127.0.0.1:9/nobody',
      });
      await paypal.captureAuthorization({
        requestId: `${paymentId}-capture`,
        authorizationId: held.authorization?.id ?? '',
        amount: dollars,
        invoiceId: paymentId,
      });
    },
    close: async () => {
      await Promise.all([paypal.close(), wechatPay.close()]);
    },
  };
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startSimulator } from '../../../../connectors/paypal/simulator/simulator.js';
import { Counterpart, clientOf, closeEverything, freshFolder } from '../counterpart.js';

afterEach(closeEverything);

function optionsFor(booksFolder: string, port = 0) {
  return {
    booksFolder,
    port,
    host: '127.0.0.1',
    clientId: 'client',
    clientSecret: 'secret',
    webhook: null,
    wallets: [],
  };
}

describe('The simulator', () => {
  it('does not start on damaged books, and leaves them to whoever repairs them', async () => {
    const paypal = await Counterpart.start();
    await paypal.order('a');
    await paypal.order('b');
    await paypal.stop();
    const journal = join(paypal.folder, 'journal.jsonl');
    const damaged = readFileSync(journal, 'utf8').replace('pay_us_a', 'pay_us_z');
    writeFileSync(journal, damaged);
    await expect(startSimulator(optionsFor(paypal.folder))).rejects.toThrow('damaged');
    expect(readFileSync(journal, 'utf8')).toBe(damaged);
    expect(existsSync(join(paypal.folder, 'lock'))).toBe(false);
    writeFileSync(journal, damaged.replace('pay_us_z', 'pay_us_a'));
    await paypal.startAgain();
    expect((await paypal.books()).orders).toHaveLength(2);
  });

  it('does not start on a port that is taken, and lets go of the books', async () => {
    const paypal = await Counterpart.start();
    const folder = freshFolder();
    await expect(startSimulator(optionsFor(folder, Number(new URL(paypal.url).port)))).rejects.toThrow('EADDRINUSE');
    await (await startSimulator(optionsFor(folder))).close();
  });

  it('names itself in links as others reach it', async () => {
    const paypal = await Counterpart.start({ publicUrl: 'http://paypal-simulator:4701' });
    const { id } = await paypal.order('a');
    const { body } = await paypal.ask('GET', `/v2/checkout/orders/${id}`);
    expect(JSON.stringify(body['links'])).toContain(`"http://paypal-simulator:4701/v2/checkout/orders/${id}"`);
  });

  it('finishes what is under way before it closes, and keeps it', async () => {
    const paypal = await Counterpart.start();
    const other = clientOf(paypal.url);
    await paypal.order('a');
    const underWay = paypal.order('b');
    await other.getOrder((await paypal.order('a')).id);
    await paypal.stop();
    const { id } = await underWay;
    await paypal.startAgain();
    expect((await paypal.client.getOrder(id)).status).toBe('APPROVED');
  });
});

import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Books } from '../../../../connectors/paypal/simulator/books.js';
import { Counterpart, closeEverything, freshFolder, refundOf } from '../counterpart.js';

afterEach(closeEverything);

describe('The books', () => {
  it('are the same after a restart, request ids and used invoices included', async () => {
    const paypal = await Counterpart.start();
    const captureId = await paypal.capture('a');
    const refund = refundOf('a', captureId, '1.00');
    const refunded = await paypal.client.refundCapture(refund);
    const before = await paypal.books();
    await paypal.stop();
    await paypal.startAgain();
    expect(await paypal.books()).toEqual(before);
    expect(await paypal.client.refundCapture(refund)).toEqual(refunded);
    expect((await paypal.order('a')).status).toBe('COMPLETED');
    await expect(paypal.client.refundCapture(refundOf('b', captureId, '1.00', 'refund-a'))).rejects.toMatchObject({
      code: 'DUPLICATE_INVOICE_ID',
    });
    expect(await paypal.books()).toEqual(before);
  });

  it('are the same when the journal was written anew: what was only an earlier version of something is gone', async () => {
    const paypal = await Counterpart.start();
    const captureId = await paypal.capture('a');
    const refund = refundOf('a', captureId, '1.00');
    const refunded = await paypal.client.refundCapture(refund);
    const before = await paypal.books();
    await paypal.stop();
    const path = join(paypal.folder, 'journal.jsonl');
    const lines = readFileSync(path, 'utf8');
    // The same changes again and again change nothing, but fill the file.
    appendFileSync(path, lines.repeat(Math.ceil((2 * 1024 * 1024) / lines.length)));
    await paypal.startAgain();
    expect(statSync(path).size).toBeLessThanOrEqual(Buffer.byteLength(lines));
    expect(await paypal.books()).toEqual(before);
    expect(await paypal.client.refundCapture(refund)).toEqual(refunded);
    await expect(paypal.client.refundCapture(refundOf('b', captureId, '1.00', 'refund-a'))).rejects.toMatchObject({
      code: 'DUPLICATE_INVOICE_ID',
    });
    await paypal.stop();
    await paypal.startAgain();
    expect(await paypal.books()).toEqual(before);
  });

  it('tell the owner when the disk refuses, and the caller gets no success', async () => {
    const failures: unknown[] = [];
    const books = await Books.open(freshFolder(), (thrown) => failures.push(thrown));
    await books.close();
    const row = { id: 'a', fingerprint: 'f', resource: { kind: 'order', id: 'O' }, keptUntil: 0 } as const;
    await expect(books.commit([{ table: 'answers', row }])).rejects.toThrow();
    expect(failures).toHaveLength(1);
  });
});

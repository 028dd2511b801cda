import { expect, it } from '@jest/globals';
import { Batches } from '../../../subgraphs/kernel/batches.js';

/** Batches that end when they are told to, in their order. */
function held(most: number) {
  const begun: { items: readonly number[]; end: (failure?: Error) => void }[] = [];
  const batches = new Batches<number, string>((items) => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    const end = (failure?: Error) => (failure ? reject(failure) : resolve(items.map((item) => `done ${item}`)));
    begun.push({ items, end });
    return promise;
  }, most);
  return { begun, batches };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('begins at once for one alone, and takes together what comes meanwhile', async () => {
  const { begun, batches } = held(100);
  const first = batches.add(1);
  await settled();
  const more = [2, 3, 2].map((item) => batches.add(item));
  await settled();
  expect(begun.map(({ items }) => items)).toEqual([[1]]);
  begun[0]?.end();
  expect(await first).toBe('done 1');
  await settled();
  expect(begun.map(({ items }) => items)).toEqual([[1], [2, 3, 2]]);
  begun[1]?.end();
  expect(await Promise.all(more)).toEqual(['done 2', 'done 3', 'done 2']);
});

it('fails for all that went together, and for none that come after', async () => {
  const { begun, batches } = held(100);
  const failing = [1, 2].map((item) => batches.add(item));
  await settled();
  const after = batches.add(3);
  begun[0]?.end(new Error('down'));
  for (const one of failing) await expect(one).rejects.toThrow('down');
  await settled();
  begun[1]?.end();
  expect(await after).toBe('done 3');
});

it('takes no more than it may at once', async () => {
  const { begun, batches } = held(2);
  const all = [1, 2, 3, 4, 5].map((item) => batches.add(item));
  await settled();
  expect(begun.map(({ items }) => items)).toEqual([[1, 2], [3, 4], [5]]);
  for (const { end } of begun) end();
  expect(await Promise.all(all)).toHaveLength(5);
});

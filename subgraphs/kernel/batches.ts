import DataLoader from 'dataloader';

/**
 * Does the same for many at once: what is added while a batch is at work goes with the next one. So one alone waits for
 * nobody, and many share the cost of each.
 */
export class Batches<Item, Outcome> {
  private readonly loader: DataLoader<Item, Outcome>;
  private working: Promise<unknown> = Promise.resolve();

  /** @param work answers for each item, in their order; where it fails, all of them have failed */
  constructor(work: (items: readonly Item[]) => Promise<readonly Outcome[]>, most: number) {
    this.loader = new DataLoader<Item, Outcome>(
      (items) => {
        const batch = work(items);
        this.working = batch.catch(() => undefined);
        return batch;
      },
      { cache: false, maxBatchSize: most, batchScheduleFn: (begin) => void this.working.then(begin) },
    );
  }

  /** @throws what the batch has failed with */
  add(item: Item): Promise<Outcome> {
    return this.loader.load(item);
  }
}

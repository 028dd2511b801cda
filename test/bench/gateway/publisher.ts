export interface PublishOrder {
  /** Keys of products: the events go to them in turns. */
  readonly keys: readonly number[];
  readonly perSecond: number;
  readonly count: number;
  readonly firstSequence: number;
}

/** What an event says, before the gateway adds what was asked beside it. */
export interface PricePayload extends Record<string, unknown> {
  readonly sequence: number;
  readonly product: { readonly __typename: 'Product'; readonly upc: string };
}

/** A moment that all processes of this machine read alike. Milliseconds. */
export function moment(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function subjectOf(upc: string): string {
  return `price.${upc}`;
}

/** Publishes events at a steady rate, in the process that has the bus. */
export class Publisher {
  constructor(private readonly publishOne: (subject: string, payload: PricePayload) => Promise<void>) {}

  /**
   * @returns the moment at which each was due. A process that is too busy publishes late, and what waited for it counts:
   * otherwise the busier it is, the better it would look.
   */
  async publish({ keys, perSecond, count, firstSequence }: PublishOrder): Promise<number[]> {
    const began = moment();
    const due = Array.from({ length: count }, (_, index) => began + (index * 1_000) / perSecond);
    for (const [index, at] of due.entries()) {
      const wait = at - moment();
      // Late or not, sockets come first: a bus that never let go would keep everything else waiting.
      await new Promise((resolve) => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)));
      const upc = String(keys[index % keys.length]);
      await this.publishOne(subjectOf(upc), {
        sequence: firstSequence + index,
        product: { __typename: 'Product', upc },
      });
    }
    return due;
  }
}

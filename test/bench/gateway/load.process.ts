import { Load, type LoadOptions } from './load.js';
import { type SourceOrder, sourceOf } from './load.source.js';
import { onAsk, tell } from './process.channel.js';

/** An order to the load generator's process. */
export type LoadOrder = Omit<LoadOptions, 'source'> & { readonly source: SourceOrder };

let current: Load | null = null;

onAsk({
  run: (order: LoadOrder) => {
    current = new Load({ ...order, source: sourceOf(order.source) });
    return current.run();
  },
  stop: () => current?.stop(),
});
tell({ ready: true });

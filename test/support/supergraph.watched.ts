import { setTimeout as delay } from 'node:timers/promises';
import type { SupergraphWatcher } from '../../gateway/supergraph.source.js';

/** All that a source of supergraphs told of. */
export class Watched implements SupergraphWatcher {
  readonly texts: string[] = [];
  readonly failures: unknown[] = [];

  changed(text: string): void {
    this.texts.push(text);
  }

  failed(thrown: unknown): void {
    this.failures.push(thrown);
  }

  /** @throws what it was told so far when that never holds */
  async until(holds: (watched: Watched) => boolean, patienceMs = 10_000): Promise<void> {
    for (let waited = 0; !holds(this); waited += 10) {
      if (waited > patienceMs)
        throw new Error(`told only ${JSON.stringify(this.texts)}, ${this.failures.length} failures`);
      await delay(10);
    }
  }
}

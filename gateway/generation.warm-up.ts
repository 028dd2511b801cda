import { parse } from 'graphql';
import { SECOND } from '../subgraphs/kernel/clock.js';
import type { Generation } from './generation.js';

const MOST_OPERATIONS = 1_000;
// A new supergraph is wanted now, not when the rarest operation is planned.
const MOST_MS = 30 * SECOND;

export interface WarmUp {
  /** Operations that are ready to run. */
  readonly prepared: number;
  /** Operations that were in use and are not valid any more, or cannot be planned. */
  readonly lost: number;
  readonly ms: number;
}

/** Prepares what clients ask of one generation on the one that follows it, so that no request pays for planning. */
export async function warmUp(next: Generation, present: Generation, stopping: AbortSignal): Promise<WarmUp> {
  const started = performance.now();
  const [from, to] = [present.preparation, next.preparation];
  /** @returns how many of them there are now, and how many cannot be */
  const each = async <T>(all: readonly T[], prepare: (one: T) => Promise<unknown>) => {
    let [done, lost] = [0, 0];
    for (const one of all) {
      if (stopping.aborted || performance.now() - started > MOST_MS) break;
      try {
        await prepare(one);
        done += 1;
      } catch {
        // Whoever still sends it is told what is wrong with it.
        lost += 1;
      }
    }
    return { done, lost };
  };
  const { done, lost } = await each(from.mostUsed(MOST_OPERATIONS), ({ text, operationName }) =>
    to.prepare(text, parse(text, { noLocation: true }), operationName),
  );
  // Also what is left of them for those who may not have all. Most of these are there by now.
  await each(from.lastPlanned(MOST_OPERATIONS), (text) => to.planAhead(text));
  return { prepared: done, lost, ms: Math.round(performance.now() - started) };
}

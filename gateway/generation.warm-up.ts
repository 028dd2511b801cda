import { parse } from 'graphql';
import { SECOND } from '../subgraphs/kernel/clock.js';
import type { Generation } from './generation.js';

const MOST_OPERATIONS = 1_000;
// A new supergraph is wanted now, not when the rarest operation is planned.
const MOST_MS = 30 * SECOND;

export interface WarmUp {
  readonly prepared: number;
  /** Operations that were in use and are not valid any more, or cannot be planned. */
  readonly lost: number;
  readonly ms: number;
}

/** Prepares what clients ask of one generation on the one that follows it, so that no request pays for planning. */
export async function warmUp(next: Generation, present: Generation, stopping: AbortSignal): Promise<WarmUp> {
  const started = performance.now();
  let prepared = 0;
  let lost = 0;
  for (const { text, operationName } of present.preparation.mostUsed(MOST_OPERATIONS)) {
    if (stopping.aborted || performance.now() - started > MOST_MS) break;
    try {
      await next.preparation.prepare(text, parse(text, { noLocation: true }), operationName);
      prepared += 1;
    } catch {
      // Whoever still sends it is told what is wrong with it.
      lost += 1;
    }
  }
  return { prepared, lost, ms: Math.round(performance.now() - started) };
}

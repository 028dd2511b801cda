import { MINUTE, sleep } from '../subgraphs/kernel/clock.js';
import type { Presence } from './context.js';
import type { Result } from './subscribe.answer.js';

const PATIENCE_MS = MINUTE;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * The client's view of one event, asked for again while an outage would swallow it: a result without the event has no
 * cursor either, so a client that got it and then the next event could never ask for what it missed.
 *
 * @param waiting aborted when nobody waits for the event any more
 * @returns null when the outage lasts, or nobody waits: the client resumes before this event
 */
export async function throughOutage(
  resolve: () => Promise<Result>,
  waiting: Presence | undefined,
  patienceMs: number = PATIENCE_MS,
): Promise<Result | null> {
  const deadline = performance.now() + patienceMs;
  for (let pause = SHORTEST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const result = await resolve();
    if (!isSwallowed(result)) return result;
    // Jitter: the streams that wait for one subgraph do not return together.
    await sleep(pause * (0.5 + Math.random()));
    if (waiting?.aborted || performance.now() > deadline) return null;
  }
}

/** Any other error is the event's own: asked again it would come again, and keep back all that follow. */
function isSwallowed({ data, errors = [] }: Result): boolean {
  const isOutage = errors.some(({ extensions }) => extensions?.['code'] === 'SUBGRAPH_UNAVAILABLE');
  return isOutage && Object.values(data ?? {}).every((value) => value === null);
}

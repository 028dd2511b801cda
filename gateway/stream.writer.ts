import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FormattedExecutionResult } from 'graphql';
import type { Outcome } from './operation.js';

/** How a protocol writes results into one HTTP answer. */
export interface StreamFormat {
  readonly contentType: string;
  readonly opening: string;
  readonly heartbeat: string;
  readonly heartbeatMs: number;
  result(result: FormattedExecutionResult): string;
  readonly closing: string;
}

/**
 * Writes results as they come, and no faster than the client reads: the next event is asked for when this one is on
 * its way. The stream ends at once when the client leaves.
 */
export async function writeStream(
  response: ServerResponse,
  format: StreamFormat,
  begin: () => Promise<Outcome>,
): Promise<void> {
  response.writeHead(200, {
    'content-type': format.contentType,
    'cache-control': 'no-store',
    // Proxies of the nginx family would otherwise hold events back.
    'x-accel-buffering': 'no',
  });
  response.write(format.opening);
  const heartbeat = setInterval(() => {
    // A client that does not read needs no proof that we live.
    if (!response.writableNeedDrain) response.write(format.heartbeat);
  }, format.heartbeatMs);
  const stop = () => clearInterval(heartbeat);
  response.once('close', stop);
  try {
    const outcome = await begin();
    if (isStream(outcome)) await writeAll(response, format, outcome);
    else await write(response, format.result(outcome));
    response.end(format.closing);
  } finally {
    stop();
  }
}

async function writeAll(
  response: ServerResponse,
  format: StreamFormat,
  stream: AsyncGenerator<FormattedExecutionResult>,
) {
  const leave = () => void stream.return(undefined);
  response.once('close', leave);
  try {
    for await (const result of stream) await write(response, format.result(result));
  } finally {
    response.off('close', leave);
  }
}

async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed || response.write(text)) return;
  const settled = new AbortController();
  // Whichever comes first; the other must not stay behind as a listener.
  const { signal } = settled;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).finally(() =>
    settled.abort(),
  );
}

export function isStream(outcome: Outcome): outcome is Extract<Outcome, AsyncGenerator<FormattedExecutionResult>> {
  return Symbol.asyncIterator in outcome;
}

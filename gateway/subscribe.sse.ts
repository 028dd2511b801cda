import type { StreamFormat } from './stream.writer.js';

/**
 * Server-sent events as graphql-sse's "distinct connections" mode has them: one operation, one answer. Always HTTP 200:
 * an EventSource does not tell its page why anything else failed.
 */
export const serverSentEvents: StreamFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  opening: ':\n\n',
  heartbeat: ':\n\n',
  heartbeatMs: 12_000,
  result: (json) => `event: next\ndata: ${json}\n\n`,
  // Without a data line an EventSource would not fire the event.
  closing: 'event: complete\ndata:\n\n',
};

import type { StreamFormat } from './stream.writer.js';

const part = (json: string) => `\r\ncontent-type: application/json\r\n\r\n${json}\r\n--graphql`;

/**
 * Apollo's multipart subscriptions. Apollo Client delivers a part only when it has seen the boundary after it, so each
 * part brings the next boundary along; a body that ends without the closing one is an error to it.
 */
export const multipart: StreamFormat = {
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
  opening: `\r\n--graphql${part('{}')}`,
  heartbeat: part('{}'),
  heartbeatMs: 5_000,
  result: (json) => part(`{"payload":${json}}`),
  closing: '--\r\n',
};

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';

let graph: SmallGraph;
let token: string;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
  token = await graph.token('TRAVELER', 'trv_us_one');
  await graph.happen('pay_1', 1);
});
afterAll(() => graph.close());

/** What arrives, byte by byte, and when. */
async function open(
  query: string,
): Promise<{ text: () => string; contentType: string; until(found: string): Promise<void>; end(): void }> {
  let text = '';
  let wake: () => void = () => undefined;
  const outgoing = request(`${graph.url}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'multipart/mixed;subscriptionSpec=1.0, application/json',
      'content-type': 'application/json',
      authorization: token,
    },
  });
  outgoing.end(JSON.stringify({ query }));
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) =>
    outgoing.once('response', resolve),
  );
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  let ended = false;
  response.on('end', () => {
    ended = true;
    wake();
  });
  return {
    text: () => text,
    contentType: response.headers['content-type'] ?? '',
    end: () => outgoing.destroy(),
    until: async (found) => {
      while (!text.includes(found) && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

describe("Apollo's multipart protocol", () => {
  it('brings the next boundary along with each part, so that no event waits for the one after it', async () => {
    const stream = await open('subscription { paymentEvents(paymentId: "pay_1") { sequence } }');
    expect(stream.contentType).toBe('multipart/mixed;boundary="graphql";subscriptionSpec=1.0');
    const part = '{"payload":{"data":{"paymentEvents":{"sequence":1}}}}';
    await stream.until(part);
    expect(stream.text()).toBe(
      `\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql\r\ncontent-type: application/json\r\n\r\n${part}\r\n--graphql`,
    );
    stream.end();
  });

  it('closes with the last boundary, or the client would call the body cut off', async () => {
    const stream = await open('subscription { partnerPaymentEvents { sequence } }');
    await stream.until('--graphql--');
    expect(stream.text()).toContain('"code":"FORBIDDEN"');
    expect(stream.text().endsWith('\r\n--graphql--\r\n')).toBe(true);
  });
});

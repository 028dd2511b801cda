import { describe, expect, it } from '@jest/globals';
import { acceptanceOf } from '../../gateway/negotiation.js';

describe('What a client accepts', () => {
  it.each([
    [undefined, true, null, false],
    ['*/*', true, null, false],
    ['application/json', true, null, false],
    ['text/event-stream', false, 'sse', true],
    ['application/json, text/event-stream', true, 'sse', false],
    ['text/event-stream, application/json;q=0.5', true, 'sse', true],
    ['application/json;q=0.5, text/event-stream;q=0.9', true, 'sse', true],
    ['multipart/mixed;subscriptionSpec=1.0, application/json', true, 'multipart', true],
    ['multipart/mixed;subscriptionSpec="1.0"', false, 'multipart', true],
    [
      'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9',
      true,
      'multipart',
      true,
    ],
    ['multipart/mixed;deferSpec=20220824, application/json', true, null, false],
    ['Multipart/Mixed; SubscriptionSpec = 1.0', false, 'multipart', true],
    ['text/event-stream;q=0', false, null, false],
    ['text/html', false, null, false],
  ])('is read from %s', (accept, json, transport, prefersStream) => {
    const acceptance = acceptanceOf(accept);
    expect([acceptance.json, acceptance.stream?.transport ?? null, acceptance.prefersStream]).toEqual([
      json,
      transport,
      prefersStream,
    ]);
  });
});

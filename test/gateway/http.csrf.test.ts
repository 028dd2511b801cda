import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { requirePreflight } from '../../gateway/http.csrf.js';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';

let graph: SmallGraph;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
});
afterAll(() => graph.close());

const ACCEPTED = [
  'application/json',
  '*/*',
  'text/event-stream',
  'multipart/mixed;subscriptionSpec=1.0',
  'text/event-stream, application/json;q=0.5',
];
const QUERY = encodeURIComponent('{ whoami }');
const NOTE = encodeURIComponent('mutation { note(text: "forged") }');

describe.each(ACCEPTED)('A request that a foreign page could forge, accepting %s', (accept) => {
  const refused = async (answer: Response) => {
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  };

  it.each([QUERY, NOTE])('is refused by GET, as an EventSource or an image would send it: %s', async (query) => {
    const before = graph.notes;
    await refused(await fetch(`${graph.url}/graphql?query=${query}`, { headers: { accept } }));
    expect(graph.notes).toBe(before);
  });

  it.each([
    'text/plain',
    'text/plain; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'TEXT/PLAIN',
  ])('is refused by POST as a form would send it: %s', async (type) => {
    const headers = { accept, 'content-type': type };
    const body = JSON.stringify({ query: '{ whoami }' });
    await refused(await fetch(`${graph.url}/graphql`, { method: 'POST', headers, body }));
  });

  it('is answered with a header that makes a browser ask first', async () => {
    for (const proof of [
      { 'apollo-require-preflight': '1' },
      { 'x-apollo-operation-name': 'Q' },
      { 'content-type': 'application/json' },
    ]) {
      const answer = await fetch(`${graph.url}/graphql?query=${QUERY}`, { headers: { accept, ...proof } });
      expect(await answer.text()).toContain('{"data":{"whoami":"ANONYMOUS"}}');
    }
  });
});

it('takes no empty header for a proof', () => {
  expect(() => requirePreflight({ 'apollo-require-preflight': '' })).toThrow();
  expect(() => requirePreflight({ 'content-type': ' ' })).toThrow();
});

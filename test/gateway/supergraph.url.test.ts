import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SupergraphUrl } from '../../gateway/supergraph.url.js';
import { Watched } from '../support/supergraph.watched.js';

describe('A supergraph that a server gives out', () => {
  let server: Server;
  let place: string;
  let answer: { status: number; text: string; etag?: string };
  let asked: { headers: IncomingHttpHeaders; status: number }[];
  const stops: (() => void)[] = [];
  beforeEach(async () => {
    answer = { status: 200, text: 'one', etag: '"1"' };
    asked = [];
    server = createServer(({ headers }, response) => {
      const isKnown = answer.status === 200 && answer.etag !== undefined && headers['if-none-match'] === answer.etag;
      const status = isKnown ? 304 : answer.status;
      asked.push({ headers, status });
      response.writeHead(status, answer.etag ? { etag: answer.etag } : {}).end(isKnown ? undefined : answer.text);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    place = `127.0.0.1:${(server.address() as AddressInfo).port}/supergraph?of=all`;
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    server.closeAllConnections();
    server.close();
  });

  const watch = async () => {
    const source = new SupergraphUrl(`http://${place}`, 20);
    expect(await source.read()).toBe('one');
    const watched = new Watched();
    stops.push(source.watch(watched));
    return watched;
  };

  it('is asked for with its ETag, and told of only when it is another one', async () => {
    const watched = await watch();
    await watched.until(() => asked.filter(({ status }) => status === 304).length > 2);
    expect(watched.texts).toEqual([]);
    answer = { status: 200, text: 'two', etag: '"2"' };
    await watched.until(({ texts }) => texts.length > 0);
    await watched.until(() => asked.at(-1)?.status === 304);
    expect(watched.texts).toEqual(['two']);
  });

  it('is compared by its text where the server has no ETags', async () => {
    answer = { status: 200, text: 'one' };
    const watched = await watch();
    await watched.until(() => asked.length > 4);
    answer = { status: 200, text: 'two' };
    await watched.until(({ texts }) => texts.length > 0);
    expect(watched.texts).toEqual(['two']);
    expect(asked.every(({ headers }) => headers['if-none-match'] === undefined)).toBe(true);
  });

  it('may be away for a while: that is said once, and what it says of errors is no supergraph', async () => {
    const watched = await watch();
    answer = { status: 503, text: 'two' };
    await watched.until(() => asked.filter(({ status }) => status === 503).length > 2);
    expect(watched.failures.map(String)).toEqual([expect.stringMatching(/HTTP 503/)]);
    answer = { status: 200, text: 'three', etag: '"3"' };
    await watched.until(({ texts }) => texts.length > 0);
    expect(watched.texts).toEqual(['three']);
  });

  it('is not there at the start: the reason is said, without the credentials of the address', async () => {
    answer = { status: 403, text: 'no' };
    const reading = new SupergraphUrl(`http://reader:pass%20word@${place}`).read();
    await expect(reading).rejects.toThrow(/HTTP 403/);
    await expect(reading).rejects.not.toThrow(/pass/);
    expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('reader:pass word').toString('base64')}`);
  });
});

import { request } from 'undici';
import { SECOND } from '../subgraphs/kernel/clock.js';
import type { SupergraphSource, SupergraphWatcher } from './supergraph.source.js';

const POLL_MS = 10 * SECOND;
const DEADLINE_MS = 10 * SECOND;
const LARGEST_TEXT = 32 * 1024 * 1024;

/** A supergraph that a server gives out, such as a schema registry. Asked with its ETag, so that no change costs nothing. */
export class SupergraphUrl implements SupergraphSource {
  private readonly place: string;
  private readonly authorization: string | undefined;
  private etag: string | undefined;
  private text: string | undefined;

  constructor(
    url: string,
    private readonly pollMs: number = POLL_MS,
  ) {
    const { username, password, origin, pathname, search } = new URL(url);
    this.place = `${origin}${pathname}${search}`;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    if (username) this.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }

  async read(): Promise<string> {
    const { statusCode, headers, body } = await request(this.place, {
      headers: {
        accept: 'application/graphql, text/plain;q=0.9, */*;q=0.8',
        ...(this.authorization && { authorization: this.authorization }),
        ...(this.etag && { 'if-none-match': this.etag }),
      },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (statusCode !== 200) await body.dump();
    if (statusCode === 304 && this.text !== undefined) return this.text;
    if (statusCode !== 200) throw new Error(`the supergraph's server answered HTTP ${statusCode}`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_TEXT) throw new Error(`the supergraph is larger than ${LARGEST_TEXT} bytes`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    // Together, and only now: an answer that broke off must not leave its ETag behind.
    this.etag = typeof headers['etag'] === 'string' ? headers['etag'] : undefined;
    this.text = text;
    return text;
  }

  watch(watcher: SupergraphWatcher): () => void {
    let stopped = false;
    let isFailing = false;
    let timer: NodeJS.Timeout;
    // Jitter: gateways that were started together do not ask together.
    const next = () => {
      timer = setTimeout(() => void look(), this.pollMs * (0.8 + 0.4 * Math.random())).unref();
    };
    const look = async (): Promise<void> => {
      const before = this.text;
      try {
        const text = await this.read();
        if (text !== before && !stopped) watcher.changed(text);
        isFailing = false;
      } catch (thrown) {
        if (!isFailing && !stopped) watcher.failed(thrown);
        isFailing = true;
      }
      if (!stopped) next();
    };
    next();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }
}

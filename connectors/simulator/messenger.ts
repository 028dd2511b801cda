import { Agent, type ClientRequest, request as overHttp } from 'node:http';

/** What is told to whoever wants to hear of it. */
export interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Send = (message: Message) => ClientRequest;

/**
 * Posts messages over connections that stay open, and looks at the status of the answer alone. Each payment has several,
 * and `fetch` takes three times the processor time for one.
 */
export class Messenger {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly underWay = new Set<ClientRequest>();
  private isStopped = false;

  /** @param deadlineMs for the whole answer */
  constructor(private readonly deadlineMs: number) {}

  /** @returns the status; null where nobody is there, or the whole answer does not come in time */
  async post(message: Message): Promise<number | null> {
    if (!URL.canParse(message.url)) return null;
    const send = message.url.startsWith('https:') ? await overTls() : this.send;
    let status: number | null | undefined;
    while (status === undefined && !this.isStopped) status = await this.answerTo(send(message));
    return status ?? null;
  }

  /** Breaks off what is on its way. */
  stop(): void {
    this.isStopped = true;
    for (const request of this.underWay) request.destroy();
    this.agent.destroy();
  }

  private readonly send: Send = ({ url, headers, body }) =>
    overHttp(url, { agent: this.agent, method: 'POST', headers: withLength(headers, body) }).end(body);

  /** Undefined where the other side had just closed the connection, which stood idle: then it goes again. */
  private async answerTo(request: ClientRequest): Promise<number | null | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | null | undefined>();
    this.underWay.add(request);
    // With a word of ours: without one it would look as if the other side had closed the connection.
    const deadline = setTimeout(() => request.destroy(new Error('no answer in time')), this.deadlineMs);
    request.once('response', (response) => {
      response.once('close', () => resolve(response.complete ? response.statusCode : null));
      // That it broke off is told by `close`.
      response.once('error', () => undefined);
      response.resume();
    });
    request.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNRESET' && request.reusedSocket ? undefined : null),
    );
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
      this.underWay.delete(request);
    }
  }
}

/** Loaded where somebody wants to hear that way: it takes its time. */
async function overTls(): Promise<Send> {
  const { request } = await import('node:https');
  return ({ url, headers, body }) => request(url, { method: 'POST', headers: withLength(headers, body) }).end(body);
}

function withLength(headers: Message['headers'], body: string): Record<string, string> {
  return { ...headers, 'content-length': String(Buffer.byteLength(body)) };
}

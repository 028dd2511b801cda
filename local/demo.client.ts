import { createClient } from 'graphql-sse';
import { z } from 'zod';

/** An operation and what its answer must look like. */
export interface Operation<Answer> {
  readonly query: string;
  readonly answer: z.ZodType<Answer>;
}

const envelope = z.object({
  // Not there where a subscription cannot begin.
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.looseObject({ code: z.string() }).optional() }))
    .optional(),
});

/** One app with one token, as any client of the graph: plain HTTP, and SSE for what is live. */
export class DemoClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** @throws Error with the graph's own code and message */
  async ask<Answer>(operation: Operation<Answer>, variables: Readonly<Record<string, unknown>>): Promise<Answer> {
    const answer = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.headers },
      body: JSON.stringify({ query: operation.query, variables }),
      signal: AbortSignal.timeout(10_000),
    });
    return read(operation, await answer.json());
  }

  /** Ends when the graph ends it or the caller stops reading. */
  async *watch<Answer>(
    operation: Operation<Answer>,
    variables: Readonly<Record<string, unknown>>,
  ): AsyncGenerator<Answer, void, undefined> {
    const client = createClient({ url: `${this.url}/graphql`, headers: () => this.headers, retryAttempts: 0 });
    try {
      for await (const event of client.iterate({ query: operation.query, variables: { ...variables } }))
        yield read(operation, event);
    } finally {
      client.dispose();
    }
  }

  private get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }
}

function read<Answer>(operation: Operation<Answer>, body: unknown): Answer {
  const { data, errors } = envelope.parse(body);
  const [error] = errors ?? [];
  if (error) throw new Error(`${error.extensions?.code ?? 'error'}: ${error.message}`);
  return operation.answer.parse(data);
}

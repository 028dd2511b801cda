import { Pool } from 'undici';
import { z } from 'zod';
import { DEADLINE_HEADER, msLeft } from '../deadline.js';
import { ConflictError, type DomainError, messageOf, UnavailableError } from '../error.js';
import { Money } from '../money/money.js';
import { Principal } from '../principal.js';
import { PRINCIPAL_HEADER, type PrincipalSigner } from '../principal.token.js';
import { currentRequest, REQUEST_ID_HEADER } from '../telemetry.js';
import type { SubgraphRequest, SubgraphResponse, SubgraphTransport } from './subgraph.js';

const responseSchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        locations: z.array(z.object({ line: z.number(), column: z.number() })).optional(),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        extensions: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
});

/** Money as our subgraphs write it to each other. */
export const wireMoney = z
  .object({ amount: z.string(), currencyCode: z.string() })
  .transform(({ amount, currencyCode }) => Money.parse(amount, currencyCode));

/** Reaches a subgraph over HTTP, on connections that are kept. Throws whatever the network does. */
export function overHttp(url: string): SubgraphTransport & { close(): Promise<void> } {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 64, keepAliveTimeout: 30_000 });
  const transport = async (request: SubgraphRequest): Promise<SubgraphResponse> => {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: pathname,
      headers: { ...request.headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        query: request.query,
        variables: request.variables,
        operationName: request.operationName ?? undefined,
      }),
      ...(request.signal && { signal: request.signal }),
    });
    const text = await body.text();
    const parsed = responseSchema.safeParse(safeJson(text));
    if (!parsed.success) throw new Error(`not a GraphQL answer (HTTP ${statusCode})`);
    return parsed.data;
  };
  return Object.assign(transport, { close: () => pool.close() });
}

/**
 * Asks another subgraph on behalf of this one, with a deadline: its own, or what is left of the caller's. What it asks
 * must be safe to repeat.
 */
export class SubgraphClient {
  constructor(
    private readonly target: string,
    private readonly transport: SubgraphTransport,
    private readonly signer: PrincipalSigner,
    private readonly deadlineMs = 3_000,
  ) {}

  /**
   * @throws the DomainError that the subgraph answered, by its code
   * @throws UnavailableError SUBGRAPH_UNAVAILABLE when it does not answer in time or answers nonsense
   */
  async ask<Answer>(
    query: string,
    variables: Readonly<Record<string, unknown>>,
    schema: z.ZodType<Answer>,
  ): Promise<Answer> {
    const deadlineMs = Math.floor(Math.min(this.deadlineMs, msLeft()));
    if (deadlineMs <= 0) throw this.unavailable('nobody waits for it any more');
    const headers = {
      [DEADLINE_HEADER]: String(deadlineMs),
      [PRINCIPAL_HEADER]: await this.signer.sign(Principal.service(this.signer.issuer)),
      [REQUEST_ID_HEADER]: currentRequest.getStore()?.requestId,
    };
    const { data, errors } = await this.send({
      query,
      variables,
      headers,
      signal: AbortSignal.timeout(deadlineMs),
    });
    const [error] = errors ?? [];
    if (error) throw this.revive(error);
    const answer = schema.safeParse(data);
    if (!answer.success) throw this.unavailable('its answer has another shape');
    return answer.data;
  }

  private async send(request: SubgraphRequest & { readonly signal: AbortSignal }): Promise<SubgraphResponse> {
    // A subgraph in this process does not look at the signal: the deadline holds whether it does or not.
    const { promise: late, reject } = Promise.withResolvers<never>();
    const expire = () => reject(request.signal.reason);
    request.signal.addEventListener('abort', expire);
    try {
      return await Promise.race([this.transport(request), late]);
    } catch (thrown) {
      throw this.unavailable(messageOf(thrown));
    } finally {
      request.signal.removeEventListener('abort', expire);
    }
  }

  private revive(error: { message: string; extensions?: Record<string, unknown> }): DomainError {
    const { code, details, transient } = error.extensions ?? {};
    if (typeof code !== 'string' || code === 'INTERNAL_SERVER_ERROR') return this.unavailable('it failed');
    return new ConflictError(code, error.message, (details ?? {}) as never, transient === true);
  }

  private unavailable(cause: string): UnavailableError {
    const error = new UnavailableError('SUBGRAPH_UNAVAILABLE', 'A part of the service does not answer. Try again.', {
      service: this.target,
    });
    error.cause = cause;
    return error;
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { Pool } from 'undici';
import { z } from 'zod';
import { messageOf } from '../../subgraphs/kernel/error.js';
import type { PaypalConfiguration } from './paypal.configuration.js';
import { actionOf, PaypalRefusal, PaypalUnknown } from './paypal.errors.js';
import { type IssuedToken, PaypalToken } from './paypal.token.js';

/** Far more than any answer that we ask for. */
const LARGEST_ANSWER = 1024 * 1024;

export interface PaypalCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** PayPal-Request-Id: PayPal does the work of one key once. */
  readonly requestId?: string;
  readonly body?: object;
  /** Asks for the whole resource instead of its id. */
  readonly representation?: boolean;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly debugId?: string;
}

const refusalBody = z.object({
  name: z.string().min(1).max(100),
  debug_id: z.string().max(100).optional(),
  details: z.array(z.object({ issue: z.string().min(1).max(100) })).optional(),
});

const tokenBody = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().positive(),
});

/** Carries calls to PayPal: token, deadline, and what an answer means. */
export class PaypalConnection {
  private readonly pool: Pool;
  private readonly prefix: string;
  private readonly token: PaypalToken;

  constructor(private readonly configuration: PaypalConfiguration) {
    const { origin, pathname } = new URL(configuration.baseUrl);
    this.pool = new Pool(origin, { connections: 64, keepAliveTimeout: 20_000 });
    this.prefix = pathname.replace(/\/$/, '');
    this.token = new PaypalToken(() => this.issueToken());
  }

  /**
   * The body of a successful answer, read by `schema`. An answer that the schema does not accept proves nothing.
   * @throws PaypalRefusal, PaypalUnknown
   */
  async ask<Result>(call: PaypalCall, schema: z.ZodType<Result>): Promise<Result> {
    const answer = await this.send(call);
    return read(answer, schema);
  }

  /** For calls whose success has no body. @throws PaypalRefusal, PaypalUnknown */
  async tell(call: PaypalCall): Promise<void> {
    await this.send(call);
  }

  /** Lets calls under way finish. Harmless when closed already. */
  async close(): Promise<void> {
    if (!this.pool.closed) await this.pool.close();
  }

  private async send(call: PaypalCall): Promise<Answer> {
    const signal = AbortSignal.timeout(this.configuration.deadlineMs);
    const token = await this.tokenBefore(signal);
    let answer = await this.attempt(call, token, signal);
    if (answer.status === 401) {
      this.token.forget(token);
      answer = await this.attempt(call, await this.tokenBefore(signal), signal);
    }
    return expectSuccess(answer);
  }

  /** The token may be on its way for somebody who has waited longer: this caller's own deadline counts. */
  private tokenBefore(signal: AbortSignal): string | Promise<string> {
    return this.token.fresh() ?? Promise.race([this.token.get(), rejectionBy(signal)]);
  }

  private attempt(call: PaypalCall, token: string, signal: AbortSignal): Promise<Answer> {
    const { mockApplicationCode } = this.configuration;
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(call.method === 'POST' && { 'content-type': 'application/json' }),
      ...(call.requestId !== undefined && { 'paypal-request-id': call.requestId }),
      ...(call.representation && { prefer: 'return=representation' }),
      ...(mockApplicationCode && {
        'paypal-mock-response': JSON.stringify({ mock_application_codes: mockApplicationCode }),
      }),
    };
    return this.exchange(call.method, call.path, headers, call.body && JSON.stringify(call.body), signal);
  }

  private async issueToken(): Promise<IssuedToken> {
    const { clientId, clientSecret, deadlineMs } = this.configuration;
    const headers = {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    };
    const signal = AbortSignal.timeout(deadlineMs);
    const answer = await this.exchange('POST', '/v1/oauth2/token', headers, 'grant_type=client_credentials', signal);
    if (answer.status === 400 || answer.status === 401)
      throw new PaypalRefusal('AUTHENTICATION_FAILURE', actionOf(401, 'AUTHENTICATION_FAILURE'), answer.debugId);
    if (answer.status !== 200) throw new PaypalUnknown(`no access token (HTTP ${answer.status})`, answer.debugId);
    const { access_token, expires_in } = read(answer, tokenBody);
    return { value: access_token, lifetimeMs: expires_in * 1_000 };
  }

  private async exchange(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      const response = await this.pool.request({ method, path: this.prefix + path, headers, body, signal });
      const debugId = response.headers['paypal-debug-id'];
      const text = await textOf(response.body);
      return { status: response.statusCode, text, ...(typeof debugId === 'string' && { debugId }) };
    } catch (thrown) {
      throw new PaypalUnknown(thrown);
    }
  }
}

function expectSuccess(answer: Answer): Answer {
  const { status, debugId } = answer;
  if (status >= 200 && status < 300) return answer;
  if (status < 400 || status >= 500) throw new PaypalUnknown(`HTTP ${status}`, debugId);
  const parsed = refusalBody.safeParse(json(answer.text));
  if (!parsed.success) {
    if (status === 429) throw new PaypalRefusal('RATE_LIMIT_REACHED', 'RETRY', debugId);
    if (status === 401) throw new PaypalRefusal('AUTHENTICATION_FAILURE', actionOf(401, ''), debugId);
    // Not PayPal's form: some machine in between may have written it, before or after PayPal did the work.
    throw new PaypalUnknown(`HTTP ${status} without PayPal's error body`, debugId);
  }
  const issue = parsed.data.details?.[0]?.issue ?? parsed.data.name;
  throw new PaypalRefusal(issue, actionOf(status, issue), parsed.data.debug_id ?? debugId);
}

function read<Result>(answer: Answer, schema: z.ZodType<Result>): Result {
  try {
    return schema.parse(json(answer.text));
  } catch (thrown) {
    // The answer may hold a payer's name: which places are wrong says enough.
    const why =
      thrown instanceof z.ZodError ? thrown.issues.map((issue) => issue.path.join('.')).join(', ') : messageOf(thrown);
    throw new PaypalUnknown(`HTTP ${answer.status} with an answer of another shape: ${why}`, answer.debugId);
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new PaypalUnknown(signal.reason)), { once: true });
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

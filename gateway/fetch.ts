import type { GraphQLDataSource } from '@apollo/gateway';
import { sleep } from '../subgraphs/kernel/clock.js';
import { messageOf, UnavailableError } from '../subgraphs/kernel/error.js';
import { Principal } from '../subgraphs/kernel/principal.js';
import { PRINCIPAL_HEADER, type PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import { type Logger, REQUEST_ID_HEADER } from '../subgraphs/kernel/telemetry.js';
import type { GatewayContext } from './context.js';
import { CircuitBreaker } from './fetch.breaker.js';
import { CallerGone, unlessAborted, within } from './fetch.deadline.js';
import type { SubgraphAnswer, SubgraphRequest, SubgraphTransport } from './fetch.transport.js';
import type { GatewayMetrics } from './metrics.js';

export interface FetchPolicy {
  /** All attempts of one query together. */
  readonly queryDeadlineMs: number;
  readonly mutationDeadlineMs: number;
  /** How often a query that failed on the way is sent again. A mutation never is. */
  readonly retries: number;
  /** More than this many at once to one subgraph are refused: they would only wait for their deadline. */
  readonly mostInFlight: number;
}

export const defaultFetchPolicy: FetchPolicy = {
  queryDeadlineMs: 5_000,
  mutationDeadlineMs: 20_000,
  retries: 2,
  mostInFlight: 1_000,
};

const RETRY_PAUSE_MS = 50;
const STRANGER = Principal.anonymous();
const MUTATION = /^\s*mutation\b/;

type ProcessOptions = Parameters<GraphQLDataSource['process']>[0];

/** One subgraph, as plans fetch from it: with the asker's signed identity, deadlines, retries and a circuit breaker. */
export class SubgraphSource implements GraphQLDataSource {
  private readonly breaker = new CircuitBreaker();
  private inFlight = 0;

  constructor(
    readonly name: string,
    private readonly transport: SubgraphTransport,
    private readonly signer: PrincipalSigner,
    private readonly policy: FetchPolicy,
    private readonly metrics: GatewayMetrics,
    private readonly logger: Logger,
  ) {}

  /** Never throws: what goes wrong on the way is an error of the answer, with a code that clients know. */
  async process(options: ProcessOptions): Promise<SubgraphAnswer> {
    const incoming = 'incomingRequestContext' in options ? options : null;
    const context = incoming?.context as GatewayContext | undefined;
    const { query = '', variables, operationName } = options.request;
    try {
      const answer = await this.ask({ query, variables, operationName, document: incoming?.document }, context);
      checkEntities(variables, answer);
      return answer;
    } catch (thrown) {
      if (!(thrown instanceof CallerGone))
        this.logger.warn({ subgraph: this.name, cause: messageOf(thrown) }, 'a subgraph did not answer');
      return { errors: [unavailable(this.name, MUTATION.test(query), incoming?.pathInIncomingRequest)] };
    }
  }

  /** Whether anything that speaks GraphQL answers there. @throws whatever is wrong */
  async ping(deadlineMs: number): Promise<void> {
    const headers = await this.headers(STRANGER, undefined);
    const request = { query: '{ __typename }', headers };
    await within(deadlineMs, undefined, (signal) =>
      unlessAborted(signal, () => this.transport({ ...request, signal })),
    );
  }

  private async ask(request: Omit<SubgraphRequest, 'headers'>, context?: GatewayContext): Promise<SubgraphAnswer> {
    const isMutation = MUTATION.test(request.query);
    const headers = await this.headers(context?.identity.principal ?? STRANGER, context?.requestId);
    // A mutation that was sent runs to its end, also when its caller hangs up.
    const signal = isMutation ? undefined : context?.signal;
    const deadlineMs = isMutation ? this.policy.mutationDeadlineMs : this.policy.queryDeadlineMs;
    return within(deadlineMs, signal, async (ending) => {
      const retries = isMutation ? 0 : this.policy.retries;
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await this.attempt({ ...request, headers }, ending);
        } catch (thrown) {
          if (attempt >= retries || ending.aborted || thrown instanceof UnavailableError) throw thrown;
          // Jitter: those who failed together do not return together.
          await sleep(RETRY_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()), ending);
        }
      }
    });
  }

  private async attempt(request: Omit<SubgraphRequest, 'signal'>, signal: AbortSignal): Promise<SubgraphAnswer> {
    if (this.inFlight >= this.policy.mostInFlight)
      throw new UnavailableError('SUBGRAPH_UNAVAILABLE', 'too many in flight');
    if (!this.breaker.admits()) throw new UnavailableError('SUBGRAPH_UNAVAILABLE', 'the circuit is open');
    this.inFlight += 1;
    const started = performance.now();
    let outcome: 'ok' | 'failed' | 'abandoned' = 'failed';
    try {
      const answer = await unlessAborted(signal, () => this.transport({ ...request, signal }));
      outcome = 'ok';
      this.breaker.succeeded();
      return answer;
    } catch (thrown) {
      if (thrown instanceof CallerGone) {
        outcome = 'abandoned';
        this.breaker.abandoned();
      } else this.breaker.failed();
      throw thrown;
    } finally {
      this.inFlight -= 1;
      this.metrics.fetched(this.name, outcome, performance.now() - started);
    }
  }

  /** Only what we say: nothing a client sent as a header goes further than this gateway. */
  private async headers(principal: Principal, requestId: string | undefined): Promise<Record<string, string>> {
    const token = await this.signer.sign(principal);
    return { [PRINCIPAL_HEADER]: token, ...(requestId && { [REQUEST_ID_HEADER]: requestId }) };
  }
}

/** An answer of another length would put one row's facts into another row. */
function checkEntities(variables: Record<string, unknown> | undefined, answer: SubgraphAnswer): void {
  const asked = variables?.['representations'];
  if (!Array.isArray(asked) || !answer.data) return;
  const entities = answer.data['_entities'];
  if (entities === null && answer.errors?.length) return;
  if (!Array.isArray(entities) || entities.length !== asked.length)
    throw new Error('not the entities that were asked for');
}

function unavailable(subgraph: string, isMutation: boolean, path: readonly (string | number)[] | undefined) {
  const error = new UnavailableError('SUBGRAPH_UNAVAILABLE', 'A part of the service does not answer. Try again.', {
    service: subgraph,
    // The answer is lost, not necessarily the effect: a client repeats it with the same idempotency key.
    ...(isMutation && { outcome: 'UNKNOWN' }),
  });
  const { message, code, transient, details } = error;
  // A path through a list (`@`) names no single place.
  const place = path && path.length > 0 && !path.includes('@') ? { path: [] } : {};
  return { message, ...place, extensions: { code, transient, details } };
}

import type { GraphQLFormattedError } from 'graphql';
import { sleep } from '../subgraphs/kernel/clock.js';
import { DEADLINE_HEADER } from '../subgraphs/kernel/deadline.js';
import { type ErrorDetails, messageOf, UnavailableError } from '../subgraphs/kernel/error.js';
import { Principal } from '../subgraphs/kernel/principal.js';
import { PRINCIPAL_HEADER, type PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import { type Logger, REQUEST_ID_HEADER } from '../subgraphs/kernel/telemetry.js';
import type { GatewayContext } from './context.js';
import { CircuitBreaker } from './fetch.breaker.js';
import { FetchOperation } from './fetch.operation.js';
import { type SubgraphAnswer, SubgraphRequest, type SubgraphTransport, type Values } from './fetch.transport.js';
import { CallerGone, Flight, FlightWatch } from './fetch.watch.js';
import type { SubgraphFigures, SubgraphReading } from './metrics.subgraph.js';
import type { Span } from './trace.js';

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
const PING = new FetchOperation('query', '{ __typename }', undefined, []);

/** What one fetch asks for. */
export interface Question {
  readonly operation: FetchOperation;
  readonly variables: Values;
  /** The variable `representations` beside them, each one as JSON. */
  readonly representations?: readonly string[];
}

/** Who waits for a fetch. */
export type Asking = Pick<GatewayContext, 'identity' | 'requestId' | 'signal' | 'span'>;

/** In whose name something is asked, and for whom. */
export interface Sender {
  /** Where it is one request's. */
  readonly requestId: string | undefined;
  readonly token: string | null;
  /** What it is a part of, and of what else. */
  readonly span?: Span;
  readonly others?: readonly (Span | undefined)[];
}

/** Kept back here: the subgraph has not heard of it, and will not. */
class NotSent extends UnavailableError {
  constructor(why: string) {
    super('SUBGRAPH_UNAVAILABLE', why);
  }
}

/** What all attempts have in common. */
type Stamp = Omit<Sender, 'others'>;

/** One subgraph, as plans fetch from it: with the asker's signed identity, deadlines, retries and a circuit breaker. */
export class SubgraphSource {
  private readonly breaker = new CircuitBreaker();
  private readonly watch = new FlightWatch();
  private inFlight = 0;

  constructor(
    readonly name: string,
    private readonly transport: SubgraphTransport,
    private readonly signer: PrincipalSigner | null,
    private readonly policy: FetchPolicy,
    readonly figures: SubgraphFigures,
    private readonly logger: Logger,
  ) {}

  /** @throws CallerGone, or whatever went wrong on the way after all attempts */
  async ask(question: Question, asking: Asking): Promise<SubgraphAnswer> {
    const token = await this.token(asking.identity.principal);
    const flight = this.launch(question, { requestId: asking.requestId, token, span: asking.span });
    flight.joinedBy(asking.signal);
    return flight.outcome;
  }

  /** Begins to ask. Whoever waits joins the flight. */
  launch(question: Question, { requestId, token, span: parent, others }: Sender): Flight<SubgraphAnswer> {
    const isMutation = question.operation.kind === 'mutation';
    const mostMs = isMutation ? this.policy.mutationDeadlineMs : this.policy.queryDeadlineMs;
    const flight = new Flight<SubgraphAnswer>(performance.now() + mostMs, isMutation);
    this.watch.add(flight);
    const span = parent?.child(`fetch ${this.name}`, { 'subgraph.name': this.name }, others);
    void this.fly(flight, question, { requestId, token, span });
    return flight;
  }

  /** Null where nobody vouches for anyone. */
  async token(principal: Principal): Promise<string | null> {
    return this.signer ? this.signer.sign(principal) : null;
  }

  read(): SubgraphReading {
    const { name, inFlight, breaker } = this;
    return { name, inFlight, circuit: breaker.isOpen ? 'open' : 'closed' };
  }

  /** What a client reads in the place of an answer. */
  refusal(thrown: unknown, { operation }: Pick<Question, 'operation'>): GraphQLFormattedError {
    if (!(thrown instanceof CallerGone))
      this.logger.warn({ subgraph: this.name, cause: messageOf(thrown) }, 'a subgraph did not answer');
    if (operation.kind !== 'mutation') return unavailable(this.name, {});
    // An answer is lost, not necessarily the effect: a client repeats it with the same idempotency key.
    return unavailable(this.name, { outcome: thrown instanceof NotSent ? 'NOT_SENT' : 'UNKNOWN' });
  }

  /** Whether it speaks GraphQL and, where it can say so, has all that it depends on. @throws whatever is wrong */
  async ping(deadlineMs: number): Promise<void> {
    const flight = new Flight<SubgraphAnswer>(performance.now() + deadlineMs, true);
    this.watch.add(flight);
    const token = await this.token(STRANGER);
    const request = new SubgraphRequest(PING, {}, token ? { [PRINCIPAL_HEADER]: token } : {});
    const ready = this.transport.ready?.(AbortSignal.timeout(deadlineMs));
    Promise.all([this.transport(request, flight), ready]).then(
      ([answer]) => flight.land(answer),
      (thrown) => flight.fail(thrown),
    );
    await flight.outcome.finally(() => this.watch.remove(flight));
  }

  close(): void {
    this.watch.close();
  }

  private async fly(flight: Flight<SubgraphAnswer>, question: Question, stamp: Stamp) {
    const { span } = stamp;
    const retries = question.operation.kind === 'mutation' ? 0 : this.policy.retries;
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          flight.land(await this.attempt(flight, question, stamp));
          return;
        } catch (thrown) {
          span?.note('attempt failed', { why: flightWord(thrown) });
          if (attempt >= retries || flight.reason || thrown instanceof NotSent) throw thrown;
          // Jitter: those who failed together do not return together.
          await sleep(RETRY_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
          if (flight.reason) throw flight.reason;
        }
      }
    } catch (thrown) {
      span?.fail(flightWord(thrown));
      flight.fail(thrown);
    } finally {
      span?.end();
      this.watch.remove(flight);
    }
  }

  /** Only what we say: nothing a client sent as a header goes further than this gateway. */
  private requestFor({ deadlineAt }: Flight<SubgraphAnswer>, question: Question, { requestId, token, span }: Stamp) {
    const { operation, variables, representations } = question;
    const headers: Record<string, string> = {
      [DEADLINE_HEADER]: String(Math.max(1, Math.round(deadlineAt - performance.now()))),
    };
    if (token) headers[PRINCIPAL_HEADER] = token;
    if (requestId) headers[REQUEST_ID_HEADER] = requestId;
    if (span) Object.assign(headers, span.headers);
    return new SubgraphRequest(operation, variables, headers, representations);
  }

  private async attempt(flight: Flight<SubgraphAnswer>, question: Question, stamp: Stamp): Promise<SubgraphAnswer> {
    if (this.inFlight >= this.policy.mostInFlight) throw new NotSent('too many in flight');
    if (!this.breaker.admits()) throw new NotSent('the circuit is open');
    this.inFlight += 1;
    const started = performance.now();
    let outcome: 'ok' | 'failed' | 'abandoned' = 'failed';
    try {
      const answer = await this.carry(flight, this.requestFor(flight, question, stamp));
      checkEntities(question, answer);
      outcome = 'ok';
      this.breaker.succeeded();
      return answer;
    } catch (thrown) {
      if (flight.reason instanceof CallerGone) {
        outcome = 'abandoned';
        this.breaker.abandoned();
      } else this.breaker.failed();
      throw thrown;
    } finally {
      this.inFlight -= 1;
      this.figures.fetched(outcome, performance.now() - started);
    }
  }

  /** The answer, or the end of the flight, also where what carries it cannot be stopped. */
  private carry(flight: Flight<SubgraphAnswer>, request: SubgraphRequest): Promise<SubgraphAnswer> {
    return new Promise((resolve, reject) => {
      flight.onEnd = reject;
      this.transport(request, flight).then(resolve, reject);
    });
  }
}

/** An answer of another length would put one row's facts into another row. @throws Error */
function checkEntities({ representations }: Question, { data, errors }: SubgraphAnswer): void {
  if (!representations || !data) return;
  const entities = data['_entities'];
  if (entities === null && errors?.length) return;
  if (!Array.isArray(entities) || entities.length !== representations.length)
    throw new Error('not the entities that were asked for');
}

/** Why there was no answer, in a word: messages may hold anything. */
function flightWord(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : 'unknown';
}

function unavailable(subgraph: string, facts: ErrorDetails): GraphQLFormattedError {
  const { message, code, transient, details } = new UnavailableError(
    'SUBGRAPH_UNAVAILABLE',
    'A part of the service does not answer. Try again.',
    { service: subgraph, ...facts },
  );
  return { message, extensions: { code, transient, details } };
}

import { randomUUID } from 'node:crypto';
import { type FormattedExecutionResult, GraphQLError } from 'graphql';
import { DomainError } from '../subgraphs/kernel/error.js';
import { currentRequest, type Logger } from '../subgraphs/kernel/telemetry.js';
import type { Admission, AdmittedOperation, OperationRequest } from './admission.js';
import type { Authenticator } from './authentication.js';
import { askerOf, type GatewayContext, type Identity, type Presence } from './context.js';
import { formatThrown } from './errors.js';
import type { Generations } from './generation.switch.js';
import type { GatewayMetrics, StreamTransport } from './metrics.js';
import type { Turns } from './prepare.turns.js';
import { addressKey } from './rate-limit.js';
import type { Subscriber, Subscriptions } from './subscribe.js';
import type { SubscriptionStream } from './subscribe.stream.js';
import { codesIn, type Span, traceErrors } from './trace.js';

/** What a transport knows of one operation before anyone looked at it. */
export interface Arrival {
  readonly authorization: string | undefined;
  readonly address: string;
  readonly requestId: string;
  readonly signal?: Presence;
  /** Begun by the transport, which also ends it. */
  readonly span?: Span;
}

/** An operation that may run, and who asks. */
export interface AdmittedArrival {
  readonly context: GatewayContext;
  readonly address: string;
  /** Missing where no operation was named, or nonsense. Apollo Server answers both. */
  readonly admitted: AdmittedOperation | undefined;
}

export type Outcome = SubscriptionStream | FormattedExecutionResult;

/** The way that every operation takes, whatever it came by: who asks, how much, and on to its execution. */
export class Operations {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly admission: Admission,
    private readonly generations: Generations,
    private readonly subscriptions: Subscriptions,
    private readonly turns: Turns,
    private readonly metrics: GatewayMetrics,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError or GraphQLError with a public code */
  async admit(request: OperationRequest, arrival: Arrival): Promise<AdmittedArrival> {
    try {
      this.admission.countAddress(arrival.address);
      const identity = await this.authenticator.authenticate(arrival.authorization);
      return await this.admitFor(identity, request, arrival);
    } catch (thrown) {
      if (thrown instanceof DomainError) this.metrics.refused(thrown.code);
      if (arrival.span) traceErrors(arrival.span, [codeOf(thrown)]);
      throw thrown;
    }
  }

  private async admitFor(identity: Identity, request: OperationRequest, arrival: Arrival): Promise<AdmittedArrival> {
    const { requestId, signal, address, span } = arrival;
    this.admission.count(identity, address);
    const asker = askerOf(identity, addressKey(address));
    if (this.admission.isNew(request)) await this.turns.take(asker);
    const admitted = this.admission.admit(request);
    if (admitted) this.admission.charge(admitted, identity, address);
    if (span && admitted) nameAfter(span, admitted);
    return { context: { identity, requestId, asker, signal, span }, address, admitted };
  }

  /** Runs an admitted operation for a transport that can stream. */
  async run(request: OperationRequest, arrived: AdmittedArrival, transport: StreamTransport): Promise<Outcome> {
    const { admitted, context, address } = arrived;
    try {
      return await currentRequest.run({ requestId: context.requestId }, () =>
        admitted?.operation.operation === 'subscription'
          ? this.begin(admitted, { context, address, transport })
          : this.whole(request, arrived),
      );
    } finally {
      // A stream may last for days: each of its events has a trace of its own.
      context.span?.end();
    }
  }

  private async begin(admitted: AdmittedOperation, subscriber: Subscriber): Promise<Outcome> {
    const outcome = await this.subscriptions.subscribe(admitted, subscriber);
    const { span } = subscriber.context;
    if (span && 'errors' in outcome) traceErrors(span, codesIn(outcome.errors));
    return outcome;
  }

  /** A query or mutation: at once where nothing is wrong with it, else with all that Apollo Server says of it. */
  private whole(request: OperationRequest, { admitted, context }: AdmittedArrival): Promise<FormattedExecutionResult> {
    return this.generations.during(async ({ host }) => {
      const answer = admitted && (await host.answer(admitted, context));
      return answer ?? (await host.run(admitted ?? request, context));
    });
  }

  /** `admit` and `run` in one; whatever refuses it is a result with errors. */
  async answer(request: OperationRequest, arrival: Arrival, transport: StreamTransport): Promise<Outcome> {
    try {
      return await this.run(request, await this.admit(request, arrival), transport);
    } catch (thrown) {
      return { errors: [formatThrown(thrown, this.logger)] };
    }
  }
}

function codeOf(thrown: unknown): unknown {
  if (thrown instanceof DomainError) return thrown.code;
  return thrown instanceof GraphQLError ? thrown.extensions['code'] : undefined;
}

/** Names come from clients' developers, never from a person. */
function nameAfter(span: Span, { operation }: AdmittedOperation): void {
  span.rename(operation.operation);
  span.set({ 'graphql.operation.type': operation.operation, 'graphql.operation.name': operation.name?.value ?? '' });
}

const REQUEST_ID = /^[A-Za-z0-9_.:-]{1,100}$/;

/** The caller's own request id where it is harmless, else a new one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

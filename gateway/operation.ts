import { randomUUID } from 'node:crypto';
import type { FormattedExecutionResult } from 'graphql';
import { DomainError } from '../subgraphs/kernel/error.js';
import { currentRequest, type Logger } from '../subgraphs/kernel/telemetry.js';
import type { Admission, AdmittedOperation, OperationRequest } from './admission.js';
import type { Authenticator } from './authentication.js';
import type { GatewayContext, Identity, Presence } from './context.js';
import { formatThrown } from './errors.js';
import type { Generations } from './generation.switch.js';
import type { GatewayMetrics, StreamTransport } from './metrics.js';
import type { Subscriptions } from './subscribe.js';
import type { SubscriptionStream } from './subscribe.stream.js';

/** What a transport knows of one operation before anyone looked at it. */
export interface Arrival {
  readonly authorization: string | undefined;
  readonly address: string;
  readonly requestId: string;
  readonly signal?: Presence;
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
    private readonly metrics: GatewayMetrics,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError or GraphQLError with a public code */
  async admit(request: OperationRequest, arrival: Arrival): Promise<AdmittedArrival> {
    try {
      this.admission.countAddress(arrival.address);
      const identity = await this.authenticator.authenticate(arrival.authorization);
      return this.admitFor(identity, request, arrival);
    } catch (thrown) {
      if (thrown instanceof DomainError) this.metrics.refused(thrown.code);
      throw thrown;
    }
  }

  private admitFor(identity: Identity, request: OperationRequest, arrival: Arrival): AdmittedArrival {
    const { requestId, signal, address } = arrival;
    this.admission.count(identity, address);
    const admitted = this.admission.admit(request);
    if (admitted) this.admission.charge(admitted, identity, address);
    return { context: { identity, requestId, signal }, address, admitted };
  }

  /** Runs an admitted operation for a transport that can stream. */
  async run(request: OperationRequest, arrived: AdmittedArrival, transport: StreamTransport): Promise<Outcome> {
    const { admitted, context, address } = arrived;
    return currentRequest.run({ requestId: context.requestId }, () =>
      admitted?.operation.operation === 'subscription'
        ? this.subscriptions.subscribe(admitted, { context, address, transport })
        : this.whole(request, arrived),
    );
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

const REQUEST_ID = /^[A-Za-z0-9_.:-]{1,100}$/;

/** The caller's own request id where it is harmless, else a new one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

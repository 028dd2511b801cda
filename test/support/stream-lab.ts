import { parse } from 'graphql';
import { Registry } from 'prom-client';
import { SubgraphDirectory } from '../../gateway/fetch.directory.js';
import { defaultFetchPolicy } from '../../gateway/fetch.js';
import { MutationCount } from '../../gateway/fetch.queries.js';
import type { SubgraphTransport } from '../../gateway/fetch.transport.js';
import { Generation } from '../../gateway/generation.js';
import { GatewayMetrics } from '../../gateway/metrics.js';
import { defaultPlanning } from '../../gateway/plan.js';
import { Turns } from '../../gateway/prepare.turns.js';
import type { Answer } from '../../gateway/subscribe.answer.js';
import { Subscriptions } from '../../gateway/subscribe.js';
import { type Sink, SubscriptionStream } from '../../gateway/subscribe.stream.js';
import { composeSupergraph } from '../../schema/compose.js';
import { PostgresEventBus } from '../../subgraphs/kernel/event/event-bus.postgres.js';
import { inProcess } from '../../subgraphs/kernel/graphql/subgraph.js';
import { Principal, type PrincipalKind } from '../../subgraphs/kernel/principal.js';
import { newSigningKey, PrincipalSigner, PrincipalVerifier } from '../../subgraphs/kernel/principal.token.js';
import { freshBus } from './database.migrated.js';
import { silent } from './logger.js';
import { subgraphOf } from './small-graph.js';
import { EVENTS, merchantsSchema, paymentsSchema, type SmallWorld } from './small-graph.schema.js';
import type { Delivered } from './subscribers.js';

const PATIENCE_MS = 20_000;

/** All that serves by a supergraph, and how often its subgraphs were asked. */
export type LabEngine = Generation & { readonly asked: () => number };

export interface Watching {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly principal?: Principal;
  readonly expiresAt?: Date;
  /** A client that does not read from the beginning. */
  readonly isFull?: boolean;
}

/**
 * Subscriptions over the small graph's subgraphs in this process and a real event bus, without a gateway around them: what
 * a client would receive arrives in an inbox.
 */
export class StreamLab {
  readonly world: SmallWorld = { statuses: new Map(), notes: 0, seen: [] };
  readonly registry = new Registry();
  readonly metrics = new GatewayMetrics(this.registry);
  /** What every request to a subgraph waits for. */
  gate: Promise<void> = Promise.resolve();
  private readonly keys = newSigningKey();
  private readonly generations: Generation[] = [];
  private begun: Subscriptions | null = null;
  /** How often the subgraphs were asked by the first engine. */
  asked: () => number = () => 0;

  private constructor(readonly bus: PostgresEventBus) {}

  static async open(options: { mostPerAsker?: number } = {}): Promise<StreamLab> {
    const lab = new StreamLab(await freshBus());
    const { bus, metrics } = lab;
    const { mostPerAsker = 100_000 } = options;
    const engine = await lab.engine();
    lab.asked = engine.asked;
    lab.begun = new Subscriptions({ engine, bus, metrics, mostPerAsker, logger: silent, now: Date.now });
    return lab;
  }

  get subscriptions(): Subscriptions {
    if (!this.begun) throw new Error('the lab is not open');
    return this.begun;
  }

  /** Everything that serves by a supergraph, with these changes to its text. */
  async engine(...changes: readonly (readonly [string | RegExp, string])[]): Promise<LabEngine> {
    const verifier = new PrincipalVerifier({ gateway: this.keys.publicKey });
    const unready = { unready: new Set<never>() };
    const payments = subgraphOf('payments', paymentsSchema(this.world), verifier, unready);
    const merchants = subgraphOf('merchants', merchantsSchema(this.world), verifier, unready);
    const events = changes.reduce((text, [from, to]) => replaced(text, from, to), EVENTS);
    const supergraph = composeSupergraph([
      { name: 'payments', url: 'http://payments.invalid/graphql', typeDefs: payments.typeDefs },
      { name: 'merchants', url: 'http://merchants.invalid/graphql', typeDefs: merchants.typeDefs },
      { name: 'events', url: 'http://events.invalid', typeDefs: parse(events) },
    ]);
    let asked = 0;
    const counted =
      (transport: SubgraphTransport): SubgraphTransport =>
      async (request, carried) => {
        asked += 1;
        await this.gate;
        return transport(request, carried);
      };
    // Each has a directory of its own, and figures about it.
    const metrics = new GatewayMetrics(new Registry());
    const mutations = new MutationCount();
    const common = { mutations, metrics, logger: silent };
    const directory = new SubgraphDirectory({
      ...common,
      inProcess: { payments: counted(inProcess(payments)), merchants: counted(inProcess(merchants)) },
      urls: {},
      connections: 1,
      policy: defaultFetchPolicy,
      signer: new PrincipalSigner('gateway', this.keys.privateKey),
    });
    const planning = { planning: defaultPlanning, turns: new Turns() };
    const generation = await Generation.build(supergraph, { ...common, ...planning, directory, development: true });
    this.generations.push(generation);
    return Object.assign(generation, { asked: () => asked });
  }

  async watch({ query, variables, principal, expiresAt, isFull }: Watching): Promise<Inbox> {
    const document = parse(query);
    const [operation] = document.definitions;
    if (operation?.kind !== 'OperationDefinition') throw new Error('not one operation');
    const identity = { principal: principal ?? Principal.anonymous(), expiresAt: expiresAt ?? null };
    const context = { identity, requestId: `lab-${query.length}` };
    const outcome = await this.subscriptions.subscribe(
      { query, document, operation, cost: 0, ...(variables && { variables }) },
      { context, address: 'lab', transport: 'sse' },
    );
    const inbox = new Inbox(isFull ?? false);
    if (outcome instanceof SubscriptionStream) inbox.open(outcome);
    else inbox.refused(outcome);
    return inbox;
  }

  /** Publishes a payment's events, of these sequences, in one batch. */
  async happen(paymentId: string, ...sequences: readonly number[]): Promise<void> {
    if (!this.world.statuses.has(paymentId)) this.world.statuses.set(paymentId, 'PAID');
    await this.bus.publish(
      sequences.map((sequence) => {
        const id = `evt_${paymentId}_${sequence}`;
        return { id, subjects: [`payment.${paymentId}`, 'partner.ptr_us_one'], payload: { id } };
      }),
    );
  }

  /** The sum of a figure, of all labels or of those that fit. */
  async figure(name: string, labels: Record<string, string> = {}): Promise<number> {
    const found = await this.registry.getSingleMetric(name)?.get();
    if (!found) throw new Error(`there is no figure ${name}`);
    return found.values
      .filter((value) => Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted))
      .reduce((sum, { value }) => sum + value, 0);
  }

  async close(): Promise<void> {
    this.subscriptions.close();
    await Promise.all(this.generations.map((generation) => generation.close()));
    await this.bus.close();
  }
}

/** One client: what it received, and whether it reads. */
export class Inbox implements Sink {
  readonly received: Delivered[] = [];
  isOver = false;
  private stream: SubscriptionStream | null = null;
  private wake: () => void = () => undefined;

  constructor(private isFull: boolean) {}

  open(stream: SubscriptionStream): void {
    this.stream = stream;
    stream.flowTo(this);
  }

  refused(outcome: object): void {
    this.received.push(outcome as Delivered);
    this.isOver = true;
  }

  take(answer: Answer): boolean {
    this.received.push(JSON.parse(answer.json) as Delivered);
    this.wake();
    return !this.isFull;
  }

  end(last: Answer | null): void {
    if (last) this.received.push(JSON.parse(last.json) as Delivered);
    this.isOver = true;
    this.wake();
  }

  /** The client reads no more, from the next answer on. */
  pause(): void {
    this.isFull = true;
  }

  resume(): void {
    this.isFull = false;
    this.stream?.resume();
  }

  leave(): void {
    this.stream?.leave();
  }

  /** Resolves with everything received, once there are this many. */
  async receive(count: number): Promise<Delivered[]> {
    await this.until(
      () => this.received.length >= count,
      () => `only ${this.received.length} of ${count} arrived`,
    );
    return this.received;
  }

  async ended(): Promise<Delivered | undefined> {
    await this.until(
      () => this.isOver,
      () => 'it has not ended',
    );
    return this.received.at(-1);
  }

  private async until(holds: () => boolean, late: () => string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(late());
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }
}

export function principal(kind: PrincipalKind, subject: string): Principal {
  return new Principal({ kind, subject, scopes: [], merchantIds: [] });
}

export const upTo = (most: number, from = 1): number[] =>
  Array.from({ length: most - from + 1 }, (_, index) => from + index);

export const codeOf = (delivered: Delivered | undefined) => delivered?.errors?.[0]?.extensions?.['code'];

/** The cursor of a delivered event. @throws Error where there is none */
export function cursorOf(delivered: Delivered | undefined): string {
  const [event] = Object.values(delivered?.data ?? {}) as ({ cursor?: string } | null)[];
  if (!event?.cursor) throw new Error(`no event with a cursor: ${JSON.stringify(delivered)}`);
  return event.cursor;
}

/** The numbers of the events among what was received. */
export const sequencesIn = (received: readonly Delivered[]): unknown[] =>
  received.flatMap(({ data }) => {
    const [event] = Object.values(data ?? {}) as ({ sequence?: number } | null)[];
    return event?.sequence === undefined ? [] : [event.sequence];
  });

function replaced(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing to change: ${from}`);
  return changed;
}

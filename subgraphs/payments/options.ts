import type { PgBoss } from 'pg-boss';
import type { Registry } from 'prom-client';
import type { Clock } from '../kernel/clock.js';
import type { SubgraphName } from '../kernel/configuration.js';
import type { EventBus } from '../kernel/event/event-bus.js';
import type { SubgraphTransport } from '../kernel/graphql/subgraph.js';
import type { PrincipalSigner, PrincipalVerifier } from '../kernel/principal.token.js';
import type { Logger } from '../kernel/telemetry.js';
import type { DatabasesOptions } from './databases.js';
import type { Outside } from './outside.js';

export interface PaymentsOptions extends DatabasesOptions {
  readonly verifier: PrincipalVerifier;
  /** Signs what payments itself asks of the others. */
  readonly signer: PrincipalSigner;
  readonly others: Readonly<Record<Exclude<SubgraphName, 'payments'>, SubgraphTransport>>;
  readonly outside: Outside;
  readonly bus: EventBus;
  /** Where somebody starts it already while this is wired; it ends with the subgraph all the same. */
  readonly jobs?: PgBoss;
  readonly logger: Logger;
  readonly now?: Clock;
  /** Where what is undecided, in review and unsealed is told, if anywhere. */
  readonly metrics?: Registry;
}

import { createFx, type FxOptions, type FxSubgraph } from '../../subgraphs/fx/subgraph.js';
import type { Clock } from '../../subgraphs/kernel/clock.js';
import type { EventBus } from '../../subgraphs/kernel/event/event-bus.js';
import { PostgresEventBus } from '../../subgraphs/kernel/event/event-bus.postgres.js';
import { inProcess, type SubgraphResponse } from '../../subgraphs/kernel/graphql/subgraph.js';
import { Principal } from '../../subgraphs/kernel/principal.js';
import {
  newSigningKey,
  PRINCIPAL_HEADER,
  PrincipalSigner,
  PrincipalVerifier,
} from '../../subgraphs/kernel/principal.token.js';
import { busDatabase, migratedDatabase } from './database.migrated.js';
import { silent } from './logger.js';

export interface FxWorld {
  readonly fx: FxSubgraph;
  readonly bus: EventBus;
  readonly databaseUrl: string;
  /** Asks as that principal. */
  ask(principal: Principal, query: string, variables?: Record<string, unknown>): Promise<SubgraphResponse>;
  close(): Promise<void>;
}

/** The fx subgraph on a database of its own that has the shipped rates, spoken to in this process. */
export async function fxWorld(
  options: Pick<FxOptions, 'source'> & Partial<Pick<FxOptions, 'tickMs' | 'staleAfterMs' | 'now' | 'onStatement'>>,
): Promise<FxWorld> {
  const gateway = newSigningKey();
  const payments = newSigningKey();
  const verifier = new PrincipalVerifier({ gateway: gateway.publicKey, payments: payments.publicKey });
  const busUrl = await busDatabase();
  const bus = await PostgresEventBus.open(busUrl, silent);
  const create = (databaseUrl: string) => createFx({ ...options, databaseUrl, verifier, logger: silent, bus });
  const databaseUrl = await migratedDatabase('fx');
  const fx = await create(databaseUrl);
  const transport = inProcess(fx);
  const signers = {
    gateway: new PrincipalSigner('gateway', gateway.privateKey),
    payments: new PrincipalSigner('payments', payments.privateKey),
  };
  return {
    fx,
    bus,
    databaseUrl,
    ask: async (principal, query, variables) => {
      const signer = principal.kind === 'SERVICE' ? signers.payments : signers.gateway;
      return transport({ query, variables, headers: { [PRINCIPAL_HEADER]: await signer.sign(principal) } });
    },
    close: async () => {
      await fx.close();
      await bus.close();
    },
  };
}

export const stranger = Principal.anonymous();
export const payments = Principal.service('payments');

/** A clock that stands until it is moved. */
export function clockAt(moment: string): { now: Clock; move(ms: number): void } {
  let time = Date.parse(moment);
  return {
    now: () => new Date(time),
    move: (ms) => {
      time += ms;
    },
  };
}

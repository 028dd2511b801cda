import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { jwtAuthenticator } from '../../../gateway/authentication.js';
import type { SubgraphTransport } from '../../../gateway/fetch.transport.js';
import { createGateway, type Gateway } from '../../../gateway/gateway.js';
import type { EventBus } from '../../../subgraphs/kernel/event/event-bus.js';
import { newSigningKey, PrincipalSigner } from '../../../subgraphs/kernel/principal.token.js';
import { createLogger, createMetrics } from '../../../subgraphs/kernel/telemetry.js';
import { type CannedAnswer, understand } from './canned.answer.js';
import { type CannedName, subgraphSchemas } from './canned.schema.js';

// The one place of this benchmark that knows how our gateway is made.

export interface OurOptions {
  readonly supergraph: string;
  /** Missing: the canned subgraphs run in this process. */
  readonly urls?: Readonly<Record<CannedName, string>>;
  readonly bus: EventBus;
  readonly issuer: string;
  readonly jwks: JSONWebKeySet;
}

/** Our gateway as it is served in production, without the limits that a load from one address would meet. */
export function openGateway({ supergraph, urls, bus, issuer, jwks }: OurOptions): Promise<Gateway> {
  return createGateway({
    supergraph,
    ...(urls ? { urls } : { subgraphs: inThisProcess() }),
    bus,
    signer: new PrincipalSigner('gateway', newSigningKey().privateKey),
    authenticator: jwtAuthenticator({ keys: createLocalJWKSet(jwks), issuer, audience: 'sojourn' }),
    logger: createLogger('gateway', 'error'),
    metrics: createMetrics(),
    development: false,
    admission: { rate: null, addressRate: null },
    planning: { ownThread: true },
    // No contender may keep what was answered.
    entityCacheBytes: 0,
    mostStreams: 100_000,
  });
}

function inThisProcess(): Record<CannedName, SubgraphTransport> {
  const schemas = subgraphSchemas();
  const transportTo = (name: CannedName): SubgraphTransport => {
    const understood = new Map<string, CannedAnswer>();
    return async ({ query, variables }) => {
      let answer = understood.get(query);
      if (!answer) {
        answer = understand(query, schemas[name]);
        understood.set(query, answer);
      }
      return { data: answer.build(variables ?? {}) };
    };
  };
  return { users: transportTo('users'), reviews: transportTo('reviews'), products: transportTo('products') };
}

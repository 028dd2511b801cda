import type { Headers, Subgraph, SubgraphResponse } from '../../subgraphs/kernel/graphql/subgraph.js';
import { inProcess } from '../../subgraphs/kernel/graphql/subgraph.js';
import type { MerchantId, PartnerId, TravelerId } from '../../subgraphs/kernel/id.js';
import { newId } from '../../subgraphs/kernel/id.js';
import { Principal } from '../../subgraphs/kernel/principal.js';
import {
  newSigningKey,
  PRINCIPAL_HEADER,
  PrincipalSigner,
  PrincipalVerifier,
} from '../../subgraphs/kernel/principal.token.js';

const gatewayKey = newSigningKey();
const paymentsKey = newSigningKey();
const gateway = new PrincipalSigner('gateway', gatewayKey.privateKey);
/** Signs what payments asks of the others. */
export const paymentsSigner = new PrincipalSigner('payments', paymentsKey.privateKey);

/** Trusts the signatures that `asking` makes. */
export const verifier = new PrincipalVerifier({ gateway: gatewayKey.publicKey, payments: paymentsKey.publicKey });

/** Whoever may ask a subgraph. */
export const asker = {
  stranger: Principal.anonymous(),
  payments: Principal.service('payments'),
  traveler: (subject: TravelerId) => new Principal({ kind: 'TRAVELER', subject, scopes: [], merchantIds: [] }),
  partner: (subject: PartnerId) =>
    new Principal({ kind: 'PARTNER', subject, scopes: ['payments:read'], merchantIds: [] }),
  operator: () =>
    new Principal({ kind: 'OPERATOR', subject: newId('opr', 'us'), scopes: ['operate'], merchantIds: [] }),
  reviewer: () =>
    new Principal({ kind: 'OPERATOR', subject: newId('opr', 'us'), scopes: ['payments:review'], merchantIds: [] }),
  member: (...merchantIds: MerchantId[]) =>
    new Principal({
      kind: 'MERCHANT',
      subject: newId('mem', 'cn'),
      scopes: ['codes:write', 'payments:read', 'refunds:write'],
      merchantIds,
    }),
};

export type Ask = (
  principal: Principal,
  query: string,
  variables?: Readonly<Record<string, unknown>>,
  /** Beside who asks. */
  headers?: Headers,
) => Promise<SubgraphResponse>;

/** Asks a subgraph in this process as the gateway does, with a signed principal. */
export function asking(subgraph: Subgraph): Ask {
  const transport = inProcess(subgraph);
  return async (principal, query, variables = {}, headers = {}) => {
    const signer = principal.kind === 'SERVICE' ? paymentsSigner : gateway;
    return transport({ query, variables, headers: { ...headers, [PRINCIPAL_HEADER]: await signer.sign(principal) } });
  };
}

/** The codes of the errors of an answer, in their order. */
export function codesOf(response: SubgraphResponse): unknown[] {
  return (response.errors ?? []).map((error) => error.extensions?.['code']);
}

/** Asks for entities as the gateway's planner does. */
export function entities(selection: string): string {
  return `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${selection} } }`;
}

import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, parse } from 'graphql';
import { NotFoundError } from '../../subgraphs/kernel/error.js';
import type { SubgraphSchema } from '../../subgraphs/kernel/graphql/subgraph.schema.js';
import type { Principal } from '../../subgraphs/kernel/principal.js';

// A small graph for the gateway's own tests: payments of merchants, and a virtual subgraph of events.

export interface SmallContext {
  readonly principal: Principal;
  /** What the gateway sent along. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface SmallWorld {
  /** Payment id → status; tests change it between events. */
  readonly statuses: Map<string, string>;
  /** How often the mutation ran. */
  notes: number;
  /** Headers of every request that a subgraph resolved. */
  readonly seen: SmallContext['headers'][];
}

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable",
  "@authenticated", "@requiresScopes", "@cost", "@listSize"])\n`;

const PAYMENTS = `${LINK}
  type Query {
    payment(id: ID!): Payment
    payments(first: Int!): [Payment!]! @listSize(slicingArguments: ["first"])
    secrets: Secret @authenticated
    whoami: String!
    broken: String
    leaky: String
    nothing: Payment!
  }
  type Payment @key(fields: "id") {
    id: ID! status: String! merchant: Merchant!
    note: String @authenticated
    risk: Int! @requiresScopes(scopes: [["risk:read"], ["audit"]])
  }
  type Secret { word: String }
  type Merchant @key(fields: "id", resolvable: false) { id: ID! }
  type PaymentEventDelivery @key(fields: "id") { id: ID! sequence: Int! status: String! payment: Payment! }
`;

const MERCHANTS = `${LINK}
  type Query { merchant(id: ID!): Merchant }
  type Mutation { note(text: String!): Int! wipe: Boolean @requiresScopes(scopes: [["admin"]]) }
  type Merchant @key(fields: "id") { id: ID! name: String! staff: String }
`;

export const EVENTS = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective", "@key", "@shareable",
      "@requiresScopes"])
    @link(url: "https://sojourn.example/eventSource/v1.0", import: ["@eventSource"])
    @composeDirective(name: "@eventSource")
  directive @eventSource(subject: String!, start: eventSource__Start! = LIVE, guard: String,
    principal: eventSource__Principal) on FIELD_DEFINITION
  enum eventSource__Start { BEGINNING LATEST LIVE }
  enum eventSource__Principal { TRAVELER MERCHANT PARTNER OPERATOR }
  type Subscription {
    paymentEvents(paymentId: ID!, after: String): PaymentEventDelivery! @eventSource(subject: "payment.{paymentId}",
      start: BEGINNING, guard: "query ($paymentId: ID!) { payment(id: $paymentId) { id } }")
    partnerPaymentEvents(after: String): PaymentEventDelivery!
      @eventSource(subject: "partner.{principal.subject}", principal: PARTNER)
    riskEvents(paymentId: ID!): PaymentEventDelivery @requiresScopes(scopes: [["risk:read"]])
      @eventSource(subject: "payment.{paymentId}", start: BEGINNING)
    rateChanged(base: String!, quote: String! = "CNY"): Rate! @eventSource(subject: "rate.{base}.{quote}", start: LATEST)
  }
  type PaymentEventDelivery @key(fields: "id", resolvable: false) { id: ID! cursor: String! }
  type Rate { base: String! quote: String! rate: String! }
`;

function build(typeDefs: string, resolvers: object): SubgraphSchema {
  const document = parse(typeDefs);
  return { typeDefs: document, schema: buildSubgraphSchema([{ typeDefs: document, resolvers: resolvers as never }]) };
}

export function paymentsSchema(world: SmallWorld): SubgraphSchema {
  // Only the traveler `trv_us_one`, and every partner, may see payments.
  const mayLook = ({ principal }: SmallContext) => principal.subject === 'trv_us_one' || principal.kind === 'PARTNER';
  const payment = (id: string, context: SmallContext) => {
    const status = world.statuses.get(id);
    if (!status || !mayLook(context)) throw new NotFoundError();
    const merchant = { __typename: 'Merchant', id: `mer_${id.slice(-1)}` };
    return { id, status, merchant, note: `note of ${id}`, risk: 7 };
  };
  return build(PAYMENTS, {
    Query: {
      payment: (_: unknown, { id }: { id: string }, context: SmallContext) => payment(id, context),
      payments: (_: unknown, { first }: { first: number }, context: SmallContext) =>
        [...world.statuses.keys()].slice(0, first).map((id) => payment(id, context)),
      whoami: (_: unknown, _arguments: unknown, { principal, headers }: SmallContext) => {
        world.seen.push(headers);
        return `${principal.kind} ${principal.subject}`.trim();
      },
      secrets: () => ({ word: 'sesame' }),
      broken: () => {
        throw new Error('relation "secret_table" does not exist at postgres://inner-host');
      },
      leaky: () => {
        const extensions = {
          code: 'SOME_CODE',
          stacktrace: ['at inner'],
          response: { url: 'http://inner' },
          details: { a: 1 },
        };
        throw new GraphQLError('a public message', { extensions });
      },
      // Breaks its promise without an error of its own: the gateway must notice.
      nothing: () => ({ id: 'pay_none', status: 'PAID', merchant: { __typename: 'Merchant', id: 'mer_missing' } }),
    },
    Payment: { __resolveReference: ({ id }: { id: string }, context: SmallContext) => payment(id, context) },
    PaymentEventDelivery: {
      // Events are `evt_<payment>_<sequence>`.
      __resolveReference: ({ id }: { id: string }, context: SmallContext) => {
        const [, paymentId = '', sequence] = /^evt_(.+)_(\d+)$/.exec(id) ?? [];
        const found = payment(paymentId, context);
        return { id, sequence: Number(sequence), status: found.status, payment: found };
      },
    },
  });
}

export function merchantsSchema(world: SmallWorld): SubgraphSchema {
  const merchant = (id: string) => (id === 'mer_missing' ? null : { id, name: `Shop ${id.slice(4)}`, staff: null });
  return build(MERCHANTS, {
    Query: { merchant: (_: unknown, { id }: { id: string }) => merchant(id) },
    Mutation: {
      note: () => {
        world.notes += 1;
        return world.notes;
      },
      wipe: () => true,
    },
    Merchant: { __resolveReference: ({ id }: { id: string }) => merchant(id) },
  });
}

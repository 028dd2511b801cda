import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface Delivered {
  data?: Record<string, unknown> | null;
  errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

/** One subscription by a real client: what it received, and how to leave. */
export interface Subscriber {
  readonly received: Delivered[];
  /** Resolves when the stream is over, however. */
  readonly ended: Promise<void>;
  /** Resolves with everything received, once there are this many. */
  receive(count: number): Promise<Delivered[]>;
  leave(): void;
}

export interface Subscription {
  readonly url: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly token?: string;
}

export type Client = (subscription: Subscription) => Subscriber;

const PATIENCE_MS = 20_000;

class Inbox {
  readonly received: Delivered[] = [];
  readonly over = Promise.withResolvers<void>();
  private waiting: { count: number; resolve: () => void }[] = [];
  private left = false;

  add(delivered: Delivered): void {
    // Clients report their own leaving as an error.
    if (this.left) return;
    this.received.push(delivered);
    this.wake();
  }

  end(): void {
    this.over.resolve();
    this.wake(true);
  }

  subscriber(leave: () => void): Subscriber {
    return {
      received: this.received,
      ended: this.over.promise,
      leave: () => {
        this.left = true;
        leave();
      },
      receive: async (count) => {
        if (this.received.length >= count) return this.received;
        // Made here, so that it says who waited.
        const asked = new Error('not enough arrived');
        await new Promise<void>((resolve, reject) => {
          const late = () => {
            asked.message = `only ${JSON.stringify(this.received)} arrived`;
            reject(asked);
          };
          const timer = setTimeout(late, PATIENCE_MS);
          this.waiting.push({ count, resolve: () => resolve(clearTimeout(timer)) });
        });
        return this.received;
      },
    };
  }

  private wake(everyone = false): void {
    const isReady = ({ count }: { count: number }) => everyone || this.received.length >= count;
    for (const { resolve } of this.waiting.filter(isReady)) resolve();
    this.waiting = this.waiting.filter((waiter) => !isReady(waiter));
  }
}

const errorsOf = (thrown: unknown): Delivered['errors'] => {
  if (Array.isArray(thrown)) return thrown;
  const { errors } = thrown as { errors?: Delivered['errors'] };
  return errors ?? [{ message: String(thrown) }];
};

/** graphql-ws, the token in connection_init. */
export const overGraphqlWs: Client = ({ url, query, variables, token }) => {
  const client = createWsClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: token ? { authorization: token } : {},
    retryAttempts: 0,
  });
  const inbox = new Inbox();
  client.subscribe<Record<string, unknown>>({ query, variables }, sinkOf(inbox));
  return inbox.subscriber(() => client.terminate());
};

/** graphql-sse in its distinct connections mode. */
export const overSse: Client = ({ url, query, variables, token }) => {
  const client = createSseClient({
    url: `${url}/graphql`,
    headers: token ? { authorization: token } : {},
    retryAttempts: 0,
  });
  const inbox = new Inbox();
  const leave = client.subscribe<Record<string, unknown>>({ query, variables }, sinkOf(inbox));
  return inbox.subscriber(leave);
};

/** Apollo Client's plain HttpLink, which speaks multipart. */
export const overMultipart: Client = ({ url, query, variables, token }) => {
  const link = new HttpLink({ uri: `${url}/graphql`, headers: token ? { authorization: token } : {} });
  return withApollo(new ApolloClient({ link, cache: new InMemoryCache() }), query, variables);
};

/** Apollo Client's GraphQLWsLink. */
export const overApolloWs: Client = ({ url, query, variables, token }) => {
  const client = createWsClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: token ? { Authorization: token } : {},
    retryAttempts: 0,
  });
  const apollo = new ApolloClient({ link: new GraphQLWsLink(client), cache: new InMemoryCache() });
  return withApollo(apollo, query, variables, () => client.terminate());
};

function withApollo(
  client: ApolloClient,
  query: string,
  variables: Record<string, unknown> | undefined,
  leave?: () => void,
): Subscriber {
  const inbox = new Inbox();
  const observable = client.subscribe({ query: gql(query), variables, fetchPolicy: 'no-cache', errorPolicy: 'all' });
  const subscription = observable.subscribe({
    next: ({ data, error }) =>
      inbox.add({ data: data as Delivered['data'], ...(error && { errors: errorsOf(error) }) }),
    error: (thrown: unknown) => {
      inbox.add({ errors: errorsOf(thrown) });
      inbox.end();
    },
    complete: () => inbox.end(),
  });
  return inbox.subscriber(leave ?? (() => subscription.unsubscribe()));
}

function sinkOf(inbox: Inbox) {
  return {
    next: (delivered: unknown) => inbox.add(delivered as Delivered),
    error: (thrown: unknown) => {
      inbox.add({ errors: errorsOf(thrown) });
      inbox.end();
    },
    complete: () => inbox.end(),
  };
}

export const clients: readonly (readonly [string, Client])[] = [
  ['graphql-ws', overGraphqlWs],
  ['graphql-sse', overSse],
  ["Apollo Client's multipart", overMultipart],
  ["Apollo Client's GraphQLWsLink", overApolloWs],
];

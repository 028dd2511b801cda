import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { createGateway, type Gateway, type GatewayOptions } from '../../gateway/gateway.js';
import { Principal } from '../../subgraphs/kernel/principal.js';
import { newSigningKey, PrincipalSigner } from '../../subgraphs/kernel/principal.token.js';
import { LibraryPart, librarySupergraph, type Part, type SupergraphOptions } from './library.js';
import { silent } from './logger.js';

export interface Library {
  readonly books: LibraryPart;
  readonly authors: LibraryPart;
  readonly gateway: Gateway;
  readonly registry: Registry;
  /** Of the gateway. */
  readonly url: string;
  /** A supergraph of these parts. */
  supergraph(options?: SupergraphOptions, urls?: Partial<Record<Part, string>>): string;
  /** The samples of one metric, by their labels as Prometheus prints them. */
  metric(name: string): Promise<Record<string, number>>;
}

/** A library behind a gateway to which everyone is a stranger. */
export async function openLibrary(
  stack: AsyncDisposableStack,
  options: Partial<Omit<GatewayOptions, 'bus'>> & Pick<GatewayOptions, 'bus'>,
): Promise<Library> {
  const [books, authors] = await Promise.all([LibraryPart.start('books'), LibraryPart.start('authors')]);
  stack.defer(() => books.close());
  stack.defer(() => authors.close());
  const supergraph: Library['supergraph'] = (differing, urls = {}) =>
    librarySupergraph({ books: books.url, authors: authors.url, ...urls }, differing);
  const registry = new Registry();
  const gateway = await createGateway({
    supergraph: supergraph(),
    signer: new PrincipalSigner('gateway', newSigningKey().privateKey),
    authenticator: { authenticate: async () => ({ principal: Principal.anonymous(), expiresAt: null }) },
    logger: silent,
    metrics: registry,
    development: true,
    ...options,
  });
  const server = createServer((request, response) => void gateway.answer(request, response));
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    await gateway.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { books, authors, gateway, registry, url, supergraph, metric: (name) => samplesOf(registry, name) };
}

/** The samples of one metric, by their labels as Prometheus prints them. */
export async function samplesOf(registry: Registry, name: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(name));
  const samples = lines.map((line) => /^(\S+?)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []);
  return Object.fromEntries(
    samples.filter(([, of]) => of === name).map(([, , labels = '', value]) => [labels, Number(value)]),
  );
}

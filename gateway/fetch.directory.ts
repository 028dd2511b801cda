import type { PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { overHttp } from './fetch.http.js';
import { type FetchPolicy, SubgraphSource } from './fetch.js';
import type { MutationCount } from './fetch.queries.js';
import { Subgraph } from './fetch.subgraphs.js';
import type { SubgraphTransport } from './fetch.transport.js';
import { readinessAt } from './health.transport.js';
import type { GatewayMetrics } from './metrics.js';

export interface SubgraphDirectoryOptions {
  /** Subgraphs in this process, by name. */
  readonly inProcess: Readonly<Record<string, SubgraphTransport>>;
  /** Where the others are, instead of where a supergraph says, by name. */
  readonly urls: Readonly<Record<string, string | undefined>>;
  /** Connections to each over HTTP. */
  readonly connections: number;
  readonly policy: FetchPolicy;
  readonly signer: PrincipalSigner | null;
  readonly mutations: MutationCount;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

/** A subgraph in use. It stays as long as anyone has not ended theirs. */
export interface SubgraphLease {
  readonly subgraph: Subgraph;
  end(): Promise<void>;
}

interface Entry {
  readonly subgraph: Subgraph;
  readonly close: () => Promise<void>;
  leases: number;
}

/**
 * The subgraphs of all generations. One with the same name at the same place is the same subgraph, whatever supergraph
 * speaks of it: its connections, its breaker and what is under way to it outlive a reload.
 */
export class SubgraphDirectory {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: SubgraphDirectoryOptions) {
    options.metrics.subgraphs.read(() => [...this.entries.values()].map(({ subgraph }) => subgraph.source.read()));
  }

  lease(name: string, url: string): SubgraphLease {
    const transport = this.options.inProcess[name];
    const place = this.options.urls[name] ?? url;
    const key = transport ? name : `${name} ${place}`;
    const entry = this.entries.get(key) ?? this.open(name, place, transport);
    this.entries.set(key, entry);
    entry.leases += 1;
    return { subgraph: entry.subgraph, end: () => this.end(key, entry) };
  }

  private open(name: string, url: string, transport: SubgraphTransport | undefined): Entry {
    const { connections, signer, policy, mutations, metrics, logger } = this.options;
    if (!transport && !URL.canParse(url))
      throw new Error(`nobody says where the subgraph ${name} is: ${JSON.stringify(url)} is no URL`);
    const pool = transport ? null : overHttp(url, connections);
    const ask = transport ?? (pool && Object.assign(pool.ask, { ready: readinessAt(url) }));
    if (!ask) throw new Error(`nothing reaches the subgraph ${name}`);
    const source = new SubgraphSource(name, ask, signer, policy, metrics.subgraphs.of(name), logger);
    return {
      subgraph: new Subgraph(source, mutations),
      close: async () => {
        source.close();
        await pool?.close();
      },
      leases: 0,
    };
  }

  private async end(key: string, entry: Entry): Promise<void> {
    entry.leases -= 1;
    if (entry.leases > 0) return;
    this.entries.delete(key);
    await entry.close();
  }
}

import { installHive } from './hive.install.js';
import { Started, type StartOptions } from './process.started.js';
import type { Stage } from './stage.js';

/** Who is measured. `proxy` is the limit, `apollo` the baseline. */
export const contenderNames = ['ours', 'in-process', 'apollo', 'hive', 'hive-rust', 'proxy'] as const;
export type ContenderName = (typeof contenderNames)[number];

/** Hive's planner in Rust is an extra package: it takes part when it is named. */
export const usualContenders: readonly ContenderName[] = ['ours', 'in-process', 'apollo', 'hive', 'proxy'];

export const titles: Readonly<Record<ContenderName, string>> = {
  ours: 'ours, over HTTP',
  'in-process': 'ours, subgraphs in process',
  apollo: '@apollo/gateway, Apollo Server',
  hive: 'Hive Gateway',
  'hive-rust': 'Hive Gateway, Rust planner',
  proxy: 'hand-written proxy',
};

export interface Serving {
  readonly url: string;
}

export type Contender = Started<Serving>;

/** @throws when it does not come up */
export async function startContender(
  name: ContenderName,
  stage: Stage,
  more: { streams?: boolean; flags?: readonly string[] } = {},
): Promise<Contender> {
  const SUPERGRAPH = stage.supergraph(more.streams);
  const SUBGRAPH_URLS = JSON.stringify(stage.subgraphUrls);
  const start = (file: string, environment: StartOptions['environment']) =>
    Started.run<Serving>({
      file,
      core: stage.cores?.contender ?? null,
      environment: { ...environment },
      flags: [...(more.flags ?? []), ...stage.profile(name)],
    });
  switch (name) {
    case 'ours':
      return start('test/bench/gateway/ours.process.js', { SUPERGRAPH, SUBGRAPH_URLS, ...stage.signIn });
    case 'in-process':
      return start('test/bench/gateway/ours.process.js', { SUPERGRAPH, ...stage.signIn });
    case 'apollo':
      return start('test/bench/gateway/apollo.process.js', { SUPERGRAPH });
    case 'proxy':
      return start('test/bench/gateway/proxy.process.js', { SUBGRAPH_URLS });
    default: {
      const program = await installHive();
      if (!program) throw new Error('Hive Gateway could not be installed: leave it out with --contenders');
      return start(program, { SUPERGRAPH, ...(name === 'hive-rust' && { HIVE_PLANNER: 'rust' }) });
    }
  }
}

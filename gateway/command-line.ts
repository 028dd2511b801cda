import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigurationError, type Environment } from '../subgraphs/kernel/configuration.js';
import { messageOf } from '../subgraphs/kernel/error.js';

export const HELP = `Serves a supergraph: /graphql, /health/live, /health/ready, /metrics.

  npm run gateway -- --supergraph FILE --port N

  --supergraph FILE      a supergraph file, or a URL that gives one out; taken over as it changes
  --port N               where to listen (4000; 0 takes a free port)
  --host ADDRESS         on which address (127.0.0.1)
  --subgraph NAME=URL    where a subgraph is, instead of where the supergraph says; once for each
  --workers N            so many processes share the port (1)
  --development          introspection and Apollo Sandbox at /
  --help                 this

Without JWKS_URL everyone is a stranger; without NATS_URL or DATABASE_URL there are no subscriptions; without
INTERNAL_SIGNING_KEY nobody is vouched for to the subgraphs. Every setting is in gateway/RUNNING.md.
`;

/** What was typed. */
export interface CommandLine {
  readonly help: boolean;
  /** What the environment would say otherwise. */
  readonly environment: Environment;
  /** By the name of the subgraph. */
  readonly urls: Readonly<Record<string, string>>;
}

const MOST_WORKERS = 256;

const options = {
  supergraph: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  subgraph: { type: 'string', multiple: true },
  workers: { type: 'string' },
  development: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * @param folder where a relative path begins
 * @throws ConfigurationError that lists every problem at once
 */
export function readCommandLine(args: readonly string[], folder = process.cwd()): CommandLine {
  const { supergraph, port, host, subgraph = [], workers, development = false, help = false } = parsed(args);
  const urls: Record<string, string> = {};
  const problems = [
    ...notNumber('--port', port, 0, 65_535),
    ...notNumber('--workers', workers, 1, MOST_WORKERS),
    ...(supergraph === '' ? ['--supergraph: a file or a URL is missing'] : []),
    ...(host === '' ? ['--host: an address is missing'] : []),
    ...subgraph.flatMap((text) => takeSubgraph(text, urls)),
  ];
  if (problems.length > 0) throw unusable(problems);
  return {
    help,
    environment: {
      ...(supergraph !== undefined && { SUPERGRAPH: isUrl(supergraph) ? supergraph : resolve(folder, supergraph) }),
      ...(port !== undefined && { PORT: port }),
      ...(host !== undefined && { HOST: host }),
      ...(workers !== undefined && { WORKERS: workers }),
      ...(development && { NODE_ENV: 'development' }),
    },
    urls,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (thrown) {
    throw unusable([messageOf(thrown).split('. ')[0] ?? '']);
  }
}

function notNumber(flag: string, text: string | undefined, least: number, most: number): string[] {
  if (text === undefined || (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most)) return [];
  return [`${flag}: ${JSON.stringify(text)} is no number from ${least} to ${most}`];
}

function takeSubgraph(text: string, urls: Record<string, string>): string[] {
  const [, name, url] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || url === undefined) return [`--subgraph: ${JSON.stringify(text)} is not NAME=URL`];
  if (!isUrl(url)) return [`--subgraph: ${JSON.stringify(url)} is no http or https URL`];
  if (Object.hasOwn(urls, name)) return [`--subgraph: ${name} is given twice`];
  urls[name] = url;
  return [];
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function unusable(problems: readonly string[]): ConfigurationError {
  return new ConfigurationError(`${problems.join('\n')}\n--help tells what can be said.`);
}

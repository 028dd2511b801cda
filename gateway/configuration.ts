import { readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  ConfigurationError,
  type Environment,
  readConfiguration,
  variable,
} from '../subgraphs/kernel/configuration.js';
import { messageOf } from '../subgraphs/kernel/error.js';
import { type AdmissionOptions, defaultLimits, defaultRate } from './admission.js';

/** What a gateway that runs as a service of its own is told by its environment. */
export interface GatewayConfiguration {
  readonly host: string;
  readonly port: number;
  readonly supergraph: string;
  readonly urls: Readonly<Record<string, string | undefined>>;
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  readonly signingKey: string;
  readonly development: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: number;
  readonly admission: AdmissionOptions;
}

const count = (fallback: number) => z.coerce.number().int().min(0).default(fallback);

const shape = {
  HOST: variable.text().default('127.0.0.1'),
  PORT: variable.port(4000),
  SUPERGRAPH: variable.text().default('schema/supergraph.graphql'),
  JWKS_URL: variable.url(),
  JWT_ISSUER: variable.text(),
  JWT_AUDIENCE: variable.text().default('sojourn'),
  INTERNAL_SIGNING_KEY: variable.text(),
  NODE_ENV: variable.text().default('production'),
  CORS_ORIGINS: z.string().default(''),
  TRUSTED_PROXIES: count(0),
  LIMIT_TOKENS: count(defaultLimits.tokens),
  LIMIT_DEPTH: count(defaultLimits.depth),
  LIMIT_ALIASES: count(defaultLimits.aliases),
  LIMIT_FIELDS: count(defaultLimits.fields),
  /** Operations a second of one asker; 0 counts nobody. */
  RATE_PER_SECOND: count(defaultRate.perSecond),
  RATE_BURST: count(defaultRate.burst),
};

/** @throws ConfigurationError that lists every problem at once */
export function readGatewayConfiguration(environment: Environment = process.env): GatewayConfiguration {
  const read = readConfiguration(shape, environment);
  return {
    host: read.HOST,
    port: read.PORT,
    supergraph: readSupergraph(read.SUPERGRAPH),
    urls: subgraphUrls(environment),
    jwksUrl: read.JWKS_URL,
    issuer: read.JWT_ISSUER,
    audience: read.JWT_AUDIENCE,
    signingKey: read.INTERNAL_SIGNING_KEY,
    // Anything unknown is production: a misspelt word must not open introspection.
    development: read.NODE_ENV === 'development',
    corsOrigins: read.CORS_ORIGINS.split(',').filter((origin) => origin !== ''),
    trustedProxies: read.TRUSTED_PROXIES,
    admission: {
      limits: {
        tokens: read.LIMIT_TOKENS,
        depth: read.LIMIT_DEPTH,
        aliases: read.LIMIT_ALIASES,
        fields: read.LIMIT_FIELDS,
      },
      rate: read.RATE_PER_SECOND > 0 ? { perSecond: read.RATE_PER_SECOND, burst: read.RATE_BURST } : null,
    },
  };
}

const URL_VARIABLE = 'SUBGRAPH_URL_';

/** `SUBGRAPH_URL_USERS` → `users`. */
function subgraphUrls(environment: Environment): Record<string, string | undefined> {
  const named = Object.entries(environment).filter(([name, value]) => name.startsWith(URL_VARIABLE) && value);
  for (const [name, value] of named)
    if (!value || !URL.canParse(value)) throw new ConfigurationError(`${name} is not a URL.`);
  return Object.fromEntries(named.map(([name, value]) => [name.slice(URL_VARIABLE.length).toLowerCase(), value]));
}

function readSupergraph(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new ConfigurationError(`SUPERGRAPH cannot be read: ${messageOf(thrown)}`);
  }
}

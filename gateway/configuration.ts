import { z } from 'zod';
import {
  ConfigurationError,
  type Environment,
  readConfiguration,
  variable,
} from '../subgraphs/kernel/configuration.js';
import { type AdmissionOptions, defaultAddressRate, defaultCost, defaultRate } from './admission.js';
import { defaultLimits } from './admission.limits.js';
import type { TrustMode } from './admission.persisted.js';
import { defaultPlanning, type PlanningPolicy } from './plan.js';
import type { Rate } from './rate-limit.js';
import { type SupergraphSource, supergraphAt } from './supergraph.source.js';

export const MOST_BODY_BYTES = 512 * 1024;
export const ENTITY_CACHE_BYTES = 16 * 1024 * 1024;

export interface SignIn {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

/** What a gateway that runs as a service of its own is told by its environment. */
export interface GatewayConfiguration {
  readonly host: string;
  readonly port: number;
  readonly supergraph: SupergraphSource;
  readonly urls: Readonly<Record<string, string | undefined>>;
  /** Of these subgraphs the supergraph must know. */
  readonly requiredUrls: readonly string[];
  /** Null: everyone is a stranger. */
  readonly signIn: SignIn | null;
  /** With which the gateway vouches for who asks; null: it does not. */
  readonly signingKey: string | null;
  /** Processes that share the port. */
  readonly workers: number;
  readonly development: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: number;
  readonly admission: Omit<AdmissionOptions, 'persisted'>;
  readonly trustedDocuments: { readonly path: string; readonly mode: TrustMode } | undefined;
  readonly automaticPersistedQueries: boolean;
  readonly planning: PlanningPolicy;
  readonly mostBodyBytes: number;
  /** 0 keeps nothing. */
  readonly entityCacheBytes: number;
  /** Null: no traces are made. */
  readonly tracing: { readonly url: string; readonly trustClients: boolean } | null;
}

const count = (fallback: number) => z.coerce.number().int().min(0).default(fallback);
const atLeastOne = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

/** How operations are planned, for whoever runs a gateway. */
const planningShape = {
  PLAN_THREAD: z.enum(['on', 'off']).default('on'),
  PLAN_WAITING: atLeastOne(defaultPlanning.mostWaiting),
  PLAN_MS: atLeastOne(defaultPlanning.mostMs),
  PLAN_MEBIBYTES: atLeastOne(defaultPlanning.mostMebibytes),
};

const MOST_WORKERS = 256;

const shape = {
  HOST: variable.text().default('127.0.0.1'),
  PORT: variable.port(4000),
  SUPERGRAPH: variable.text().default('schema/supergraph.graphql'),
  WORKERS: z.coerce.number().int().min(1).max(MOST_WORKERS).default(1),
  JWT_AUDIENCE: variable.text().default('sojourn'),
  INTERNAL_SIGNING_KEY: variable.text().optional(),
  NODE_ENV: variable.text().default('production'),
  CORS_ORIGINS: z.string().default(''),
  TRUSTED_PROXIES: count(0),
  LIMIT_TOKENS: count(defaultLimits.tokens),
  LIMIT_DEPTH: count(defaultLimits.depth),
  LIMIT_ALIASES: count(defaultLimits.aliases),
  LIMIT_FIELDS: count(defaultLimits.fields),
  LIMIT_ROOT_FIELDS: count(defaultLimits.rootFields),
  LIMIT_DIRECTIVES: count(defaultLimits.directives),
  LIMIT_DIRECTIVES_PER_FIELD: count(defaultLimits.directivesPerField),
  LIMIT_BYTES: count(MOST_BODY_BYTES),
  /** 0 keeps no entities, whatever the supergraph says. */
  ENTITY_CACHE_BYTES: count(ENTITY_CACHE_BYTES),
  /** 0 estimates nothing. */
  LIMIT_COST: count(defaultCost.most),
  COST_LIST_SIZE: count(defaultCost.listSize),
  /** Operations a second of one asker, and of one address; 0 counts nobody. */
  RATE_PER_SECOND: count(defaultRate.perSecond),
  RATE_BURST: count(defaultRate.burst),
  ADDRESS_RATE_PER_SECOND: count(defaultAddressRate.perSecond),
  ADDRESS_RATE_BURST: count(defaultAddressRate.burst),
  /** A persisted query manifest. */
  TRUSTED_DOCUMENTS: variable.text().optional(),
  TRUSTED_DOCUMENTS_MODE: z.enum(['off', 'optional', 'required']).default('optional'),
  /** OpenTelemetry's own names. */
  OTEL_EXPORTER_OTLP_ENDPOINT: variable.url().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: variable.url().optional(),
  OTEL_SDK_DISABLED: variable.flag(false),
  TRACE_TRUST_CLIENTS: variable.flag(false),
  AUTOMATIC_PERSISTED_QUERIES: z.enum(['on', 'off']).default('on'),
  ...planningShape,
};

/** Sign-in is told whole or not at all: half of it was meant to be there, and would let everybody be a stranger. */
function signInShape({ JWKS_URL, JWT_ISSUER }: Environment) {
  const isTold = JWKS_URL !== undefined || JWT_ISSUER !== undefined;
  return {
    JWKS_URL: isTold ? variable.url() : variable.url().optional(),
    JWT_ISSUER: isTold ? variable.text() : variable.text().optional(),
  };
}

/**
 * @param urls where subgraphs are, whatever the environment says; of these the supergraph must know
 * @throws ConfigurationError that lists every problem at once
 */
export function readGatewayConfiguration(
  given: Environment = process.env,
  urls: Readonly<Record<string, string>> = {},
): GatewayConfiguration {
  // Empty means absent.
  const environment: Environment = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const read = readConfiguration({ ...shape, ...signInShape(environment) }, environment);
  const { JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = read;
  return {
    host: read.HOST,
    port: read.PORT,
    supergraph: supergraphAt(read.SUPERGRAPH),
    urls: { ...subgraphUrls(environment), ...urls },
    requiredUrls: Object.keys(urls),
    signIn: jwksUrl && issuer ? { jwksUrl, issuer, audience } : null,
    signingKey: read.INTERNAL_SIGNING_KEY ?? null,
    workers: read.WORKERS,
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
        rootFields: read.LIMIT_ROOT_FIELDS,
        directives: read.LIMIT_DIRECTIVES,
        directivesPerField: read.LIMIT_DIRECTIVES_PER_FIELD,
      },
      cost: read.LIMIT_COST > 0 ? { most: read.LIMIT_COST, listSize: read.COST_LIST_SIZE } : null,
      rate: rateOf(read.RATE_PER_SECOND, read.RATE_BURST),
      addressRate: rateOf(read.ADDRESS_RATE_PER_SECOND, read.ADDRESS_RATE_BURST),
    },
    trustedDocuments: trustedDocuments(read.TRUSTED_DOCUMENTS, read.TRUSTED_DOCUMENTS_MODE),
    automaticPersistedQueries: read.AUTOMATIC_PERSISTED_QUERIES === 'on',
    planning: planningOf(read),
    mostBodyBytes: read.LIMIT_BYTES,
    entityCacheBytes: read.ENTITY_CACHE_BYTES,
    tracing: tracingOf(
      read.OTEL_EXPORTER_OTLP_ENDPOINT,
      read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
      read.OTEL_SDK_DISABLED,
      read.TRACE_TRUST_CLIENTS,
    ),
  };
}

/** For whoever runs a gateway in their own process and settles all else themselves. @throws ConfigurationError */
export function readPlanning(environment: Environment): PlanningPolicy {
  return planningOf(readConfiguration(planningShape, environment));
}

function planningOf(read: z.output<z.ZodObject<typeof planningShape>>): PlanningPolicy {
  return {
    ownThread: read.PLAN_THREAD === 'on',
    mostWaiting: read.PLAN_WAITING,
    mostMs: read.PLAN_MS,
    mostMebibytes: read.PLAN_MEBIBYTES,
  };
}

function rateOf(perSecond: number, burst: number): Rate | null {
  return perSecond > 0 ? { perSecond, burst } : null;
}

function trustedDocuments(path: string | undefined, mode: TrustMode): GatewayConfiguration['trustedDocuments'] {
  // Whoever demands registered operations and names none would let nobody in, or, forgotten, everybody.
  if (mode === 'required' && path === undefined)
    throw new ConfigurationError('TRUSTED_DOCUMENTS_MODE is required: TRUSTED_DOCUMENTS must name the manifest.');
  return path === undefined ? undefined : { path, mode };
}

/** As OpenTelemetry's specification reads these variables: the general place gets a path, the one for traces is whole. */
function tracingOf(
  endpoint: string | undefined,
  forTraces: string | undefined,
  isDisabled: boolean,
  trustClients: boolean,
): GatewayConfiguration['tracing'] {
  const url = forTraces ?? (endpoint && `${endpoint.replace(/\/$/, '')}/v1/traces`);
  return url && !isDisabled ? { url, trustClients } : null;
}

const URL_VARIABLE = 'SUBGRAPH_URL_';

/** `SUBGRAPH_URL_USERS` → `users`. */
function subgraphUrls(environment: Environment): Record<string, string | undefined> {
  const named = Object.entries(environment).filter(([name, value]) => name.startsWith(URL_VARIABLE) && value);
  for (const [name, value] of named)
    if (!value || !URL.canParse(value)) throw new ConfigurationError(`${name} is not a URL.`);
  return Object.fromEntries(named.map(([name, value]) => [name.slice(URL_VARIABLE.length).toLowerCase(), value]));
}

import { z } from 'zod';
import { databaseUrl, type Environment, readConfiguration, variable } from '../kernel/configuration.js';

/** What payments needs to know to run as a service of its own. @throws ConfigurationError */
export function paymentsConfiguration(environment: Environment = process.env) {
  const values = readConfiguration(
    {
      PORT: variable.port(4003),
      HOST: variable.text().default('127.0.0.1'),
      INTERNAL_PUBLIC_KEYS: variable.json(z.record(z.string(), z.string())),
      INTERNAL_SIGNING_KEY: variable.text(),
      SUBGRAPH_URL_USERS: variable.url(),
      SUBGRAPH_URL_MERCHANTS: variable.url(),
      SUBGRAPH_URL_FX: variable.url(),
    },
    environment,
  );
  return { ...values, databaseUrl: databaseUrl('payments', environment) };
}

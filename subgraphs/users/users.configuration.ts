import { z } from 'zod';
import { databaseUrl, type Environment, readConfiguration, variable } from '../kernel/configuration.js';

/** What the users service reads from its environment. @throws ConfigurationError */
export function usersConfiguration(environment: Environment = process.env) {
  const values = readConfiguration(
    {
      HOST: z.string().default('127.0.0.1'),
      PORT: variable.port(4101),
      INTERNAL_PUBLIC_KEYS: variable.json(z.record(z.string(), z.string())),
      PERSONAL_DATA_KEY: variable.text(),
    },
    environment,
  );
  return {
    host: values.HOST,
    port: values.PORT,
    publicKeys: values.INTERNAL_PUBLIC_KEYS,
    personalDataKey: values.PERSONAL_DATA_KEY,
    databaseUrl: databaseUrl('users', environment),
  };
}

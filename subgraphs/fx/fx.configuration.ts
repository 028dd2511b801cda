import { z } from 'zod';
import { databaseUrl, type Environment, readConfiguration, variable } from '../kernel/configuration.js';

/** What the fx service reads from its environment. @throws ConfigurationError */
export function fxConfiguration(environment: Environment = process.env) {
  const values = readConfiguration(
    {
      HOST: z.string().default('127.0.0.1'),
      PORT: variable.port(4104),
      INTERNAL_PUBLIC_KEYS: variable.json(z.record(z.string(), z.string())),
      // The simulated feed must be asked for: its prices are nobody's.
      FX_RATE_SOURCE: z.enum(['reference', 'simulated']).default('reference'),
      FX_TICK_MS: z.coerce.number().int().min(50).optional(),
      FX_STALE_AFTER_MS: z.coerce.number().int().positive().optional(),
    },
    environment,
  );
  return {
    host: values.HOST,
    port: values.PORT,
    publicKeys: values.INTERNAL_PUBLIC_KEYS,
    source: values.FX_RATE_SOURCE,
    tickMs: values.FX_TICK_MS,
    staleAfterMs: values.FX_STALE_AFTER_MS,
    databaseUrl: databaseUrl('fx', environment),
  };
}

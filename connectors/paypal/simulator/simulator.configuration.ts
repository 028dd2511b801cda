import { z } from 'zod';
import { json, readEnvironment } from '../../simulator/environment.js';
import type { SimulatorOptions } from './simulator.js';

const variables = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: z.url().optional(),
  BOOKS_DIR: z.string().min(1),
  PAYPAL_CLIENT_ID: z.string().min(1),
  PAYPAL_CLIENT_SECRET: z.string().min(1),
  PAYPAL_WEBHOOK_ID: z.string().min(1),
  PAYPAL_WEBHOOK_URL: z.url().optional(),
  PAYPAL_PENDING_MS: z.coerce.number().int().nonnegative().optional(),
  PAYPAL_SCENARIOS: json(z.record(z.string(), z.string())).default({}),
  PAYPAL_WALLETS: json(z.array(z.object({ vaultId: z.string().min(1), scenario: z.string().optional() }))).default([]),
});

/** @throws Error that names every variable that is wrong, never its value */
export function simulatorOptions(environment: Readonly<Record<string, string | undefined>>): SimulatorOptions {
  const values = readEnvironment(variables, environment);
  return {
    port: values.PORT,
    host: values.HOST,
    publicUrl: values.PUBLIC_URL,
    booksFolder: values.BOOKS_DIR,
    clientId: values.PAYPAL_CLIENT_ID,
    clientSecret: values.PAYPAL_CLIENT_SECRET,
    webhook: values.PAYPAL_WEBHOOK_URL ? { id: values.PAYPAL_WEBHOOK_ID, url: values.PAYPAL_WEBHOOK_URL } : null,
    pendingMs: values.PAYPAL_PENDING_MS,
    scenarios: values.PAYPAL_SCENARIOS,
    wallets: values.PAYPAL_WALLETS,
  };
}

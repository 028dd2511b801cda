import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Thrown at start when the environment is incomplete or wrong. Names the variables, never their values. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Reads and checks environment variables. @throws ConfigurationError that lists every problem at once */
export function readConfiguration<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Environment = process.env,
): z.infer<z.ZodObject<Shape>> {
  const result = z.object(shape).safeParse(environment);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigurationError(`The environment is not usable:\n${problems.join('\n')}`);
}

/** Variables as they come from an environment: all text, empty means absent. */
export const variable = {
  port: (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback),
  url: () => z.url(),
  /** A URL to put paths behind: without a slash at its end. */
  baseUrl: () => z.url().transform((url) => url.replace(/\/+$/, '')),
  text: () => z.string().min(1),
  flag: (fallback: boolean) => z.stringbool().default(fallback),
  milliseconds: (fallback: number) => z.coerce.number().int().positive().default(fallback),
  json: <Schema extends z.ZodType>(schema: Schema) =>
    z
      .string()
      .transform((text, context) => {
        try {
          return JSON.parse(text) as unknown;
        } catch {
          context.addIssue({ code: 'custom', message: 'is not JSON' });
          return z.NEVER;
        }
      })
      .pipe(schema),
};

export type SubgraphName = 'users' | 'merchants' | 'payments' | 'fx';

/**
 * Where a database of ours is: `DATABASE_URL_PAYMENTS`, or `DATABASE_URL` with the name appended to its database
 * (`…/sojourn` → `…/sojourn_payments`). @throws ConfigurationError when neither is set
 */
export function databaseUrl(name: SubgraphName | 'bus', environment: Environment = process.env): string {
  const own = environment[`DATABASE_URL_${name.toUpperCase()}`];
  if (own) return own;
  const shared = environment['DATABASE_URL'];
  if (!shared) throw new ConfigurationError(`Set DATABASE_URL_${name.toUpperCase()} or DATABASE_URL.`);
  const url = new URL(shared);
  url.pathname = `${url.pathname}_${name}`;
  return url.href;
}

import { z } from 'zod';

const HOST_SUFFIX = /^\.?[a-z0-9-]+(\.[a-z0-9-]+)+$/i;

/** `.paypal.com` (https, this host and those below it) or a whole origin (`http://127.0.0.1:4701`), comma separated. */
const certificateHosts = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .pipe(
    z.array(
      z.string().refine((entry) => HOST_SUFFIX.test(entry) || isOrigin(entry), 'is neither a host nor an origin'),
    ),
  );

/** The environment variables of this connector, as a zod shape. */
export const paypalVariables = {
  PAYPAL_BASE_URL: z.url({ protocol: /^https?$/ }).default('https://api-m.sandbox.paypal.com'),
  PAYPAL_CLIENT_ID: z.string().min(1),
  PAYPAL_CLIENT_SECRET: z.string().min(1),
  /** The id PayPal gave to our webhook when it was registered. */
  PAYPAL_WEBHOOK_ID: z.string().min(1),
  PAYPAL_CERTIFICATE_HOSTS: certificateHosts.default(['.paypal.com']),
  PAYPAL_DEADLINE_MS: z.coerce.number().int().positive().default(10_000),
  PAYPAL_NOTIFICATION_MAX_AGE_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(5 * 60_000),
};

export type PaypalValues = z.infer<z.ZodObject<typeof paypalVariables>>;

export interface PaypalConfiguration {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhookId: string;
  /** Where a notification's certificate may come from: host suffixes (https only) and exact origins. */
  readonly certificateHosts: readonly string[];
  /** One call, with fetching a token for it, takes no longer. */
  readonly deadlineMs: number;
  /** Notifications sent longer ago than this are refused. */
  readonly notificationMaxAgeMs: number;
  /** Makes the sandbox answer with this issue (`PayPal-Mock-Response`). Never set from the environment. */
  readonly mockApplicationCode?: string;
}

export function paypalConfiguration(values: PaypalValues): PaypalConfiguration {
  return {
    baseUrl: values.PAYPAL_BASE_URL,
    clientId: values.PAYPAL_CLIENT_ID,
    clientSecret: values.PAYPAL_CLIENT_SECRET,
    webhookId: values.PAYPAL_WEBHOOK_ID,
    certificateHosts: values.PAYPAL_CERTIFICATE_HOSTS,
    deadlineMs: values.PAYPAL_DEADLINE_MS,
    notificationMaxAgeMs: values.PAYPAL_NOTIFICATION_MAX_AGE_MS,
  };
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

import { createVerify } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { type Clock, systemClock } from '../../subgraphs/kernel/clock.js';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { PaypalCertificates } from './paypal.certificate.js';
import type { PaypalConfiguration } from './paypal.configuration.js';
import { PaypalNotificationRefused } from './paypal.errors.js';
import { fromWire, wireMoney } from './paypal.money.js';

/** As Node's HTTP server gives them. */
export type NotificationHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What PayPal says has happened. A hint to go and read the resource, sent at least once and in any order. */
export interface PaypalNotification {
  /** The same for each repetition: remember it to see an event once. */
  readonly id: string;
  /** Such as `PAYMENT.CAPTURE.COMPLETED`; PayPal has more than we know. */
  readonly eventType: string;
  readonly resourceType: string;
  readonly resource: {
    readonly id: string;
    readonly status?: string;
    /** Our payment id. */
    readonly customId?: string;
    readonly invoiceId?: string;
    readonly amount?: Money;
    readonly orderId?: string;
    readonly authorizationId?: string;
    readonly captureId?: string;
  };
  readonly createdAt: Date;
}

const HEADER = {
  id: 'paypal-transmission-id',
  time: 'paypal-transmission-time',
  signature: 'paypal-transmission-sig',
  certificate: 'paypal-cert-url',
  algorithm: 'paypal-auth-algo',
} as const;

const related = z.object({
  order_id: z.string().optional(),
  authorization_id: z.string().optional(),
  capture_id: z.string().optional(),
});

const event = z.object({
  id: z.string().min(1).max(100),
  event_type: z.string().min(1).max(100),
  resource_type: z.string().min(1).max(100),
  create_time: z.iso.datetime({ offset: true }),
  resource: z.object({
    id: z.string().min(1).max(100).optional(),
    dispute_id: z.string().min(1).max(100).optional(),
    status: z.string().max(100).optional(),
    custom_id: z.string().max(127).optional(),
    invoice_id: z.string().max(127).optional(),
    amount: wireMoney.optional(),
    supplementary_data: z.object({ related_ids: related.optional() }).optional(),
    links: z.array(z.object({ rel: z.string(), href: z.string() })).optional(),
    // An order's own ids are those of its unit.
    purchase_units: z
      .array(z.object({ custom_id: z.string().max(127).optional(), invoice_id: z.string().max(127).optional() }))
      .optional(),
  }),
});

/**
 * Believes a notification only when PayPal signed these very bytes for our webhook, recently. Works offline but for
 * fetching PayPal's certificate once.
 */
export class PaypalNotificationVerifier {
  private readonly certificates: PaypalCertificates;

  constructor(
    private readonly configuration: PaypalConfiguration,
    private readonly now: Clock = systemClock,
  ) {
    this.certificates = new PaypalCertificates(configuration.certificateHosts, configuration.deadlineMs, now);
  }

  /**
   * @param rawBody the body's exact bytes: parsed and written again they would no longer match the signature
   * @throws PaypalNotificationRefused
   */
  async verify(headers: NotificationHeaders, rawBody: Uint8Array): Promise<PaypalNotification> {
    const id = headerOf(headers, HEADER.id);
    const time = headerOf(headers, HEADER.time);
    const signature = headerOf(headers, HEADER.signature);
    const address = headerOf(headers, HEADER.certificate);
    if (headerOf(headers, HEADER.algorithm).toUpperCase() !== 'SHA256WITHRSA')
      throw new PaypalNotificationRefused('ALGORITHM_UNKNOWN');
    this.expectRecent(time);
    const certificate = await this.certificates.get(address);
    // The webhook's id is ours, not the message's: one signed for another webhook does not pass.
    const signed = `${id}|${time}|${this.configuration.webhookId}|${crc32(rawBody)}`;
    if (!createVerify('RSA-SHA256').update(signed).verify(certificate.publicKey, signature, 'base64'))
      throw new PaypalNotificationRefused('SIGNATURE_WRONG');
    return read(rawBody);
  }

  /** Both ways: a message from the future is as suspicious as an old one. */
  private expectRecent(time: string): void {
    const sentAt = z.iso.datetime({ offset: true }).safeParse(time);
    if (!sentAt.success) throw new PaypalNotificationRefused('TIME_OUT_OF_WINDOW', 'not a moment');
    const ageMs = this.now().getTime() - Date.parse(sentAt.data);
    if (Math.abs(ageMs) > this.configuration.notificationMaxAgeMs)
      throw new PaypalNotificationRefused('TIME_OUT_OF_WINDOW');
  }
}

function headerOf(headers: NotificationHeaders, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string' || value === '') throw new PaypalNotificationRefused('HEADER_MISSING', name);
  return value;
}

function read(rawBody: Uint8Array): PaypalNotification {
  try {
    const wire = event.parse(JSON.parse(Buffer.from(rawBody).toString('utf8')));
    return {
      id: wire.id,
      eventType: wire.event_type,
      resourceType: wire.resource_type,
      resource: resourceOf(wire.resource),
      createdAt: new Date(wire.create_time),
    };
  } catch (thrown) {
    // Without the cause's text where that quotes the body: it may name a payer.
    throw new PaypalNotificationRefused('BODY_MALFORMED', thrown instanceof SyntaxError ? 'not JSON' : thrown);
  }
}

function resourceOf(wire: z.output<typeof event>['resource']): PaypalNotification['resource'] {
  const id = wire.id ?? wire.dispute_id;
  if (id === undefined) throw new Error('a resource without id');
  const ids = wire.supplementary_data?.related_ids;
  // A refund names its capture only by the link upwards.
  const up = wire.links?.find((link) => link.rel === 'up')?.href;
  return {
    id,
    status: wire.status,
    customId: wire.custom_id ?? wire.purchase_units?.[0]?.custom_id,
    invoiceId: wire.invoice_id ?? wire.purchase_units?.[0]?.invoice_id,
    amount: wire.amount && fromWire(wire.amount),
    orderId: ids?.order_id,
    authorizationId: ids?.authorization_id,
    captureId: ids?.capture_id ?? up?.match(/\/captures\/([A-Z0-9]+)$/)?.[1],
  };
}

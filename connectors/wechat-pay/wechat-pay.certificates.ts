import { type KeyObject, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { HOUR, SECOND } from '../../subgraphs/kernel/clock.js';
import { open, sealed } from './wechat-pay.cipher.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { WechatPayUnknown } from './wechat-pay.errors.js';
import { type RawAnswer, SignedExchange } from './wechat-pay.exchange.js';
import { type PlatformKeys, verify } from './wechat-pay.signature.js';
import { moment } from './wechat-pay.time.js';

const TARGET = '/v3/certificates';
/** Their advice is to ask at least every 12 hours, so that a new certificate is known before it is used. */
const FRESH_MS = 12 * HOUR;
/** Anyone can send us unknown serials: they must not make us ask WeChat Pay for each. */
const AFTER_ANSWER_MS = 30 * SECOND;
const AFTER_FAILURE_MS = 1 * SECOND;

const certificatesAnswer = z.object({
  data: z
    .array(
      z.object({
        serial_no: z.string().min(1),
        effective_time: moment,
        expire_time: moment,
        encrypt_certificate: sealed,
      }),
    )
    .min(1),
});

interface PlatformCertificate {
  readonly key: KeyObject;
  readonly from: Date;
  readonly until: Date;
}

/** How to find the platform's keys: the configured fixed one, or certificates. Share one between clients and verifier. */
export function platformKeysOf(configuration: WechatPayConfiguration): PlatformKeys {
  const { platformKey } = configuration;
  if (platformKey === null) return new PlatformCertificates(configuration);
  return { find: async (serial) => (serial === platformKey.serial ? platformKey.key : null) };
}

/** The platform's certificates, fetched when a serial is unknown and when they are old, one fetch at a time. */
export class PlatformCertificates implements PlatformKeys {
  private certificates: ReadonlyMap<string, PlatformCertificate> = new Map();
  private fetchedAt = Number.NEGATIVE_INFINITY;
  private notBefore = Number.NEGATIVE_INFINITY;
  private fetching: Promise<void> | null = null;

  constructor(private readonly configuration: WechatPayConfiguration) {}

  /** @throws WechatPayUnknown when the serial is unknown and the certificates cannot be fetched now */
  async find(serial: string): Promise<KeyObject | null> {
    const known = this.valid(serial);
    if (known === null) await this.refresh();
    // Old ones still serve; a failure of this look ahead shows when it matters, with an unknown serial.
    else if (this.now() - this.fetchedAt > FRESH_MS) this.refresh().catch(() => undefined);
    return known ?? this.valid(serial);
  }

  private valid(serial: string): KeyObject | null {
    const certificate = this.certificates.get(serial);
    const now = this.configuration.now();
    return certificate && certificate.from <= now && now < certificate.until ? certificate.key : null;
  }

  private async refresh(): Promise<void> {
    if (this.fetching === null) {
      if (this.now() < this.notBefore) return;
      this.fetching = this.fetch().finally(() => {
        this.fetching = null;
      });
    }
    await this.fetching;
  }

  private async fetch(): Promise<void> {
    this.notBefore = this.now() + AFTER_FAILURE_MS;
    // A connection of its own: this happens twice a day, and nobody has to close it.
    const exchange = new SignedExchange(this.configuration.baseUrl, this.configuration);
    try {
      const answer = await exchange.send({ method: 'GET', target: TARGET, body: '' });
      this.certificates = await this.read(answer);
      this.fetchedAt = this.now();
      this.notBefore = this.now() + AFTER_ANSWER_MS;
    } finally {
      await exchange.close();
    }
  }

  /** Decrypts first: the answer is signed with one of the certificates within, and the tag of the cipher proves those. */
  private async read(answer: RawAnswer): Promise<ReadonlyMap<string, PlatformCertificate>> {
    if (answer.status !== 200) throw new WechatPayUnknown(`no platform certificates: HTTP ${answer.status}`);
    try {
      const { data } = certificatesAnswer.parse(JSON.parse(answer.body.toString('utf8')));
      const certificates = new Map(data.map((row) => [row.serial_no, this.certificateOf(row)]));
      const keys = { find: async (serial: string) => certificates.get(serial)?.key ?? null };
      await verify(answer.headers, answer.body, keys, this.configuration.now());
      return certificates;
    } catch (thrown) {
      throw new WechatPayUnknown('the platform certificates are not usable', thrown);
    }
  }

  private certificateOf(row: z.infer<typeof certificatesAnswer>['data'][number]): PlatformCertificate {
    const pem = open(row.encrypt_certificate, this.configuration.apiV3Key);
    if (pem === null) throw new WechatPayUnknown('a platform certificate does not open with our APIv3 key');
    return { key: new X509Certificate(pem).publicKey, from: row.effective_time, until: row.expire_time };
  }

  private now(): number {
    return this.configuration.now().getTime();
  }
}

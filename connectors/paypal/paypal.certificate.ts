import { X509Certificate } from 'node:crypto';
import { request } from 'undici';
import { type Clock, DAY } from '../../subgraphs/kernel/clock.js';
import { PaypalNotificationRefused } from './paypal.errors.js';

const LARGEST_CERTIFICATE = 64 * 1024;
const MOST_CERTIFICATES = 16;

/** The certificates that notifications name: fetched from allowed places only, then kept for a day at most. */
export class PaypalCertificates {
  private readonly kept = new Map<string, { readonly certificate: Promise<X509Certificate>; readonly until: number }>();

  constructor(
    private readonly allowed: readonly string[],
    private readonly deadlineMs: number,
    private readonly now: Clock,
  ) {}

  /** @throws PaypalNotificationRefused */
  async get(address: string): Promise<X509Certificate> {
    if (!isAllowed(address, this.allowed)) throw new PaypalNotificationRefused('CERTIFICATE_HOST_FOREIGN');
    const certificate = await this.keptOrFetched(address);
    const moment = this.now();
    if (moment < certificate.validFromDate || moment > certificate.validToDate)
      throw new PaypalNotificationRefused('CERTIFICATE_UNUSABLE', 'outside its validity');
    return certificate;
  }

  private keptOrFetched(address: string): Promise<X509Certificate> {
    const time = this.now().getTime();
    const known = this.kept.get(address);
    if (known && time < known.until) return known.certificate;
    const certificate = fetchCertificate(address, this.deadlineMs);
    // The address is a stranger's word: without a bound, made-up ones under an allowed host would fill the memory.
    const [oldest] = this.kept.keys();
    if (this.kept.size >= MOST_CERTIFICATES && oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(address, { certificate, until: time + DAY });
    certificate.catch(() => this.kept.delete(address));
    return certificate;
  }
}

/** Whether a certificate may come from there: an origin that is listed as it stands, or https below a listed host. */
export function isAllowed(address: string, allowed: readonly string[]): boolean {
  if (!URL.canParse(address)) return false;
  const { origin, protocol, hostname, port, username, password } = new URL(address);
  if (username || password) return false;
  return allowed.some((entry) => {
    if (entry.includes('://')) return entry === origin;
    const host = entry.replace(/^\./, '').toLowerCase();
    // On a dot's boundary: evilpaypal.com ends like paypal.com, too.
    return protocol === 'https:' && port === '' && (hostname === host || hostname.endsWith(`.${host}`));
  });
}

async function fetchCertificate(address: string, deadlineMs: number): Promise<X509Certificate> {
  const pem = await download(address, deadlineMs);
  try {
    // PayPal's file may hold the chain; the first certificate is the signer's.
    const certificate = new X509Certificate(pem);
    if (certificate.publicKey.asymmetricKeyType !== 'rsa') throw new Error('not an RSA key');
    return certificate;
  } catch (thrown) {
    throw new PaypalNotificationRefused('CERTIFICATE_UNUSABLE', thrown);
  }
}

/** Follows no redirect: it would lead away from the place that was allowed. */
async function download(address: string, deadlineMs: number): Promise<Buffer> {
  try {
    const { statusCode, body } = await request(address, { signal: AbortSignal.timeout(deadlineMs) });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_CERTIFICATE) throw new Error('too large for a certificate');
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
    return Buffer.concat(chunks);
  } catch (thrown) {
    throw new PaypalNotificationRefused('CERTIFICATE_UNAVAILABLE', thrown);
  }
}

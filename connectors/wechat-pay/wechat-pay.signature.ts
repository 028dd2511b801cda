import { createSign, createVerify, type KeyObject, randomBytes } from 'node:crypto';
import { MINUTE } from '../../subgraphs/kernel/clock.js';

export const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
export const SIGNATURE_WINDOW_MS = 5 * MINUTE;

const NONCE_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const NONCE_LENGTH = 32;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Who signs requests: a merchant number, the serial of its certificate and the private key. */
export interface RequestSigner {
  readonly mchid: string;
  readonly serial: string;
  readonly privateKey: KeyObject;
}

export interface SignedRequest {
  readonly method: string;
  /** The path with the query, exactly as it is sent. */
  readonly target: string;
  /** The body exactly as it is sent; empty for GET. */
  readonly body: string;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Finds the key a serial belongs to. @throws WechatPayUnknown when it cannot be found out now */
export interface PlatformKeys {
  find(serial: string): Promise<KeyObject | null>;
}

export type SignatureProblem = 'UNSIGNED' | 'STALE' | 'UNKNOWN_SERIAL' | 'BAD_SIGNATURE';

/** Thrown for an answer or notification that WeChat Pay did not sign, or signed too long ago. */
export class SignatureRefused extends Error {
  override readonly name = 'SignatureRefused';

  constructor(readonly reason: SignatureProblem) {
    super(`not a signature of WeChat Pay: ${reason}`);
  }
}

/** The `Authorization` header of a request. */
export function authorize(request: SignedRequest, signer: RequestSigner, now: Date, nonce = newNonce()): string {
  const timestamp = seconds(now);
  const signature = sign(requestMessage(request, timestamp, nonce), signer.privateKey);
  const fields = { mchid: signer.mchid, nonce_str: nonce, timestamp, serial_no: signer.serial, signature };
  const pairs = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return `${SCHEME} ${pairs.join(',')}`;
}

/** The headers by which the platform signs an answer or a notification: the other side of `verify`. */
export function platformHeaders(
  body: string,
  serial: string,
  privateKey: KeyObject,
  now: Date,
): Record<string, string> {
  const [timestamp, nonce] = [seconds(now), newNonce()];
  return {
    'Wechatpay-Timestamp': timestamp,
    'Wechatpay-Nonce': nonce,
    'Wechatpay-Serial': serial,
    'Wechatpay-Signature': sign(answerMessage(timestamp, nonce, Buffer.from(body)), privateKey),
    'Wechatpay-Signature-Type': SCHEME,
  };
}

/**
 * Checks that the platform signed these very bytes within the last five minutes (or, with clocks apart, the next five).
 * Signatures that begin with `WECHATPAY/SIGNTEST/` are probes: they fail here like any other forgery.
 * @throws SignatureRefused, WechatPayUnknown when the keys cannot be had now
 */
export async function verify(headers: Headers, body: Uint8Array, keys: PlatformKeys, now: Date): Promise<void> {
  const timestamp = header(headers, 'wechatpay-timestamp');
  const nonce = header(headers, 'wechatpay-nonce');
  const serial = header(headers, 'wechatpay-serial');
  const signature = header(headers, 'wechatpay-signature');
  const type = headers['wechatpay-signature-type'] ?? SCHEME;
  if (!timestamp || !nonce || !serial || !signature || type !== SCHEME) throw new SignatureRefused('UNSIGNED');
  // Age before serial: old or absurd traffic must not make us look for keys.
  if (!isFresh(timestamp, now)) throw new SignatureRefused('STALE');
  const key = await keys.find(serial);
  if (key === null) throw new SignatureRefused('UNKNOWN_SERIAL');
  if (!isSigned(answerMessage(timestamp, nonce, body), signature, key)) throw new SignatureRefused('BAD_SIGNATURE');
}

/** Whether `timestamp` (Unix seconds, as text) lies within five minutes of `now`. */
export function isFresh(timestamp: string, now: Date): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) * 1_000 - now.getTime()) <= SIGNATURE_WINDOW_MS;
}

export function isSigned(message: Uint8Array, signature: string, key: KeyObject): boolean {
  return BASE64.test(signature) && createVerify('RSA-SHA256').update(message).verify(key, signature, 'base64');
}

/** Method, target, time, nonce and body: five lines, each with its newline, an empty body too. */
export function requestMessage({ method, target, body }: SignedRequest, timestamp: string, nonce: string): Uint8Array {
  return Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce}\n${body}\n`);
}

export function newNonce(): string {
  // 62 divides 248: bytes above are thrown away so that every letter is equally likely.
  let nonce = '';
  while (nonce.length < NONCE_LENGTH) {
    for (const byte of randomBytes(NONCE_LENGTH)) if (byte < 248) nonce += NONCE_ALPHABET[byte % 62];
  }
  return nonce.slice(0, NONCE_LENGTH);
}

function answerMessage(timestamp: string, nonce: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
}

function sign(message: Uint8Array, key: KeyObject): string {
  return createSign('RSA-SHA256').update(message).sign(key, 'base64');
}

function header(headers: Headers, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function seconds(now: Date): string {
  return String(Math.floor(now.getTime() / 1_000));
}

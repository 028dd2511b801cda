import { MINUTE } from '../../../subgraphs/kernel/clock.js';
import { isFresh, isSigned, requestMessage, SCHEME } from '../wechat-pay.signature.js';
import { Refused } from './refused.js';
import type { Settings } from './settings.js';

const FIELDS = ['mchid', 'nonce_str', 'timestamp', 'serial_no', 'signature'] as const;
const PAIR = /^(\w+)="([^"]*)"$/;
/** Twice the window in which a signature is fresh: a replay is stale before its nonce is forgotten. */
const MEMORY_MS = 10 * MINUTE;

/** Lets in only what the merchant signed, once, with a clock that is right within five minutes. */
export class Gate {
  private readonly nonces = new Map<string, number>();

  constructor(
    private readonly settings: Settings,
    private readonly now: () => Date,
  ) {}

  /** @throws Refused SIGN_ERROR */
  admit(method: string, target: string, authorization: string | undefined, body: string): void {
    const fields = this.fieldsOf(authorization ?? '');
    const { mchid, merchantSerial, merchantKey } = this.settings;
    if (fields.mchid !== mchid) refuse('the merchant number is not that of a merchant');
    if (fields.serial_no !== merchantSerial) refuse('the serial is not that of a certificate of this merchant');
    if (!/^[0-9A-Za-z]{32}$/.test(fields.nonce_str)) refuse('the nonce is not 32 letters and digits');
    if (!isFresh(fields.timestamp, this.now())) refuse('the time is more than five minutes away');
    const message = requestMessage({ method, target, body }, fields.timestamp, fields.nonce_str);
    if (!isSigned(message, fields.signature, merchantKey)) refuse('the signature is wrong');
    this.spend(fields.nonce_str);
  }

  private fieldsOf(authorization: string): Record<(typeof FIELDS)[number], string> {
    if (!authorization.startsWith(`${SCHEME} `)) refuse('the scheme of the authorization is unknown');
    const pairs = authorization
      .slice(SCHEME.length + 1)
      .split(',')
      .map((pair) => PAIR.exec(pair.trim()));
    const fields = new Map(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
    const of = (name: string) => fields.get(name) || refuse(`the authorization lacks ${name}`);
    if (pairs.length !== FIELDS.length) refuse('the authorization has other fields than it should');
    return {
      mchid: of('mchid'),
      nonce_str: of('nonce_str'),
      timestamp: of('timestamp'),
      serial_no: of('serial_no'),
      signature: of('signature'),
    };
  }

  /** After the signature: a stranger must not be able to spend the merchant's nonces. */
  private spend(nonce: string): void {
    const now = this.now().getTime();
    for (const [old, spentAt] of this.nonces) {
      if (now - spentAt < MEMORY_MS) break;
      this.nonces.delete(old);
    }
    if (this.nonces.has(nonce)) refuse('this request was sent before');
    this.nonces.set(nonce, now);
  }
}

function refuse(message: string): never {
  throw new Refused(401, 'SIGN_ERROR', message);
}

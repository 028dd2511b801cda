import { type EmvcoCode, findAccount, looksLikeEmvco, parseEmvco } from '../../../connectors/emvco/emvco.codec.js';
import { EmvcoError } from '../../../connectors/emvco/emvco.errors.js';
import type { Network } from '../../kernel/graphql/enums.js';
import { InvalidCode } from './code.errors.js';
import { WECHAT_PAY } from './network.js';

/** What a scanned text says by itself, before anyone was asked. */
export interface ScannedPayload {
  readonly network: `${Network}`;
  /** The text as networks and our records know it: without the blanks that scanners and clipboards add. */
  readonly text: string;
  /** The code of ours that it claims to be. */
  readonly codeId: string | null;
}

const LONGEST = 512;
const OPAQUE = /^(weixin:\/\/wxpay\/bizpayurl|wxp:\/\/)[!-~]+$/;
/** Codes of networks that we know of and do not serve: Alipay, UnionPay. */
const FOREIGN = /^https:\/\/qr\.(alipay|95516)\.com\//i;

/**
 * Reads a scanned text. Strings of WeChat Pay are opaque: whose they are only the network says.
 * @throws InvalidCode
 */
export function readPayload(scanned: string): ScannedPayload {
  const text = scanned.trim();
  if (text.length === 0 || text.length > LONGEST) throw new InvalidCode('MALFORMED');
  if (OPAQUE.test(text)) return { network: WECHAT_PAY.network, text, codeId: null };
  if (FOREIGN.test(text)) throw new InvalidCode('FOREIGN');
  if (!looksLikeEmvco(text)) throw new InvalidCode('MALFORMED');
  return readEmvco(text);
}

function readEmvco(text: string): ScannedPayload {
  const code = parsed(text);
  const account = findAccount(code, WECHAT_PAY.emvcoId);
  if (!account || code.countryCode !== WECHAT_PAY.countryCode || code.currencyNumeric !== WECHAT_PAY.currencyNumeric)
    throw new InvalidCode('FOREIGN');
  if (!/^\d{1,32}$/.test(account.get('01') ?? '')) throw new InvalidCode('MALFORMED');
  return { network: WECHAT_PAY.network, text, codeId: account.get('02') ?? null };
}

function parsed(text: string): EmvcoCode {
  try {
    return parseEmvco(text);
  } catch (thrown) {
    if (!(thrown instanceof EmvcoError)) throw thrown;
    throw new InvalidCode(thrown.reason === 'BAD_CRC' ? 'TAMPERED' : 'MALFORMED');
  }
}

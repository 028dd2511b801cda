import { createHash } from 'node:crypto';
import { UUID } from 'uuidv7';
import type { Network } from '../../kernel/graphql/enums.js';
import { idOf, type MerchantId } from '../../kernel/id.js';

/** Any constant serves; changing it would give every such merchant a second id. */
const NAMESPACE = 'sojourn/merchant';

/**
 * The id of a merchant that only its network knows: derived, so that everyone who scans its code names the same
 * merchant, and no scan waits for another. A name-based UUID (RFC 9562 version 8, over SHA-256).
 */
export function networkMerchantIdOf(network: `${Network}`, networkMerchantId: string): MerchantId {
  const digest = createHash('sha256').update(`${NAMESPACE}/${network}/${networkMerchantId}`).digest();
  const bytes = Uint8Array.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return idOf('mer', 'cn', UUID.ofInner(bytes));
}

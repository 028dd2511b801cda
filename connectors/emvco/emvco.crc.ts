const POLYNOMIAL = 0x1021;

/**
 * CRC-16/CCITT-FALSE (initial value 0xFFFF, not reflected) over the UTF-8 bytes of `text`, as four capital hexadecimal
 * digits. Field 63 carries it over everything before its own value, that is including the characters `6304`.
 */
export function crcOf(text: string): string {
  let crc = 0xffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? POLYNOMIAL : 0)) & 0xffff;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}

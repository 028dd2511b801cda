/** The few pieces of ASN.1's distinguished encoding (X.690) that a certificate is made of. */

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

export function set(...parts: readonly Buffer[]): Buffer {
  return element(0x31, Buffer.concat(parts));
}

/** @param bytes a number of at least zero, most significant byte first */
export function integer(bytes: Buffer): Buffer {
  // Leading zeros are not its shortest form; a leading bit of one would make it negative.
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Buffer.of(0) : bytes.subarray(first);
  return element(0x02, (shortest[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), shortest]) : shortest);
}

/** An element of a context's own, around another one: `[0] EXPLICIT …`. */
export function tagged(tag: number, content: Buffer): Buffer {
  return element(0xa0 | tag, content);
}

/** @param dotted such as `1.2.840.113549.1.1.11` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text, 'utf8'));
}

export function nothing(): Buffer {
  return element(0x05, Buffer.alloc(0));
}

/** Whole bytes, no bit unused. */
export function bitString(bytes: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

/** A whole second, as X.509 wants it: UTCTime with two digits for the year until 2049, GeneralizedTime from then on. */
export function time(moment: Date): Buffer {
  const digits = moment.toISOString().replace(/[-:T]|\.\d+/g, '');
  return moment.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : element(0x18, Buffer.from(digits, 'ascii'));
}

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content), content]);
}

function lengthOf(content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.of(content.length);
  const bytes: number[] = [];
  for (let rest = content.length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}

function base128(arc: number): number[] {
  const bytes = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

// Controls, line ends, and what hides or reorders other characters; but not the joiners (U+200C, U+200D), without which
// Persian, Hindi and many emoji cannot be written.
const UNREADABLE = /\p{Cc}|\p{Zl}|\p{Zp}|(?![\u200c\u200d])\p{Cf}/u;

/**
 * A text that somebody wrote for others to read, without the blanks around it.
 * @param most counted in characters, as people and PostgreSQL count them, not in UTF-16
 * @returns null when it is too long or cannot be shown as it was meant
 */
export function readableText(text: string, most: number): string | null {
  const trimmed = text.trim();
  const isReadable = trimmed.isWellFormed() && !UNREADABLE.test(trimmed) && Array.from(trimmed).length <= most;
  return isReadable ? trimmed : null;
}

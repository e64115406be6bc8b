/** The bytes that JSON is made of. */
export const quote = 0x22;
export const backslash = 0x5c;
export const comma = 0x2c;
export const colon = 0x3a;
export const openBracket = 0x5b;
export const closeBracket = 0x5d;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
export const letterU = 0x75;
export const space = 0x20;

/** What ends a number or a word. */
export function endsToken(byte: number): boolean {
  return tokenEnds[byte] === 1;
}

const tokenEnds = new Uint8Array(256).fill(1, 0, space + 1);
for (const byte of [comma, colon, quote, openBracket, closeBracket, openBrace, closeBrace])
  tokenEnds[byte] = 1;

/** Negative for what is no digit. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | space;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export function hasHighByte(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if ((bytes[at] ?? 0) >= 0x80) return true;
  return false;
}

/** Base64 as Go's encoding/base64 reads it. */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The text as an encoder writes it: line breaks and unused bits of the last character are dropped.
 * Undefined when it is no base64.
 */
export function canonicalBase64(given: string): string | undefined {
  const text = given.replace(/[\r\n]/g, "");
  if (!BASE64.test(text)) return undefined;
  return text.endsWith("=") ? Buffer.from(text, "base64").toString("base64") : text;
}

/** The offset Go's base64.CorruptInputError names. */
export function corruptByte(given: string): number {
  const bytes = Buffer.from(given.replace(/[\r\n]/g, ""));
  let position = 0;
  let inQuantum = 0;
  while (position < bytes.length) {
    const character = String.fromCharCode(bytes[position] ?? 0);
    position += 1;
    if (/[A-Za-z0-9+/]/.test(character)) {
      inQuantum = (inQuantum + 1) % 4;
      continue;
    }
    if (character !== "=" || inQuantum < 2) return position - 1;
    if (inQuantum === 2) {
      if (position === bytes.length) return bytes.length;
      if (bytes[position] !== 0x3d) return position - 1;
      position += 1;
    }
    return Math.min(position, bytes.length);
  }
  // The text ends within a quantum: Go names the quantum's first byte.
  return bytes.length - inQuantum;
}

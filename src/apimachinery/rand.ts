/** Random names. Upstream: apimachinery/pkg/util/rand. */
import { randomFillSync } from "node:crypto";

/** No vowels, nothing that looks like another character. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
/** Bytes of 243 and more would favour the first letters: 243 = 9 * 27. */
const FAIR_BYTES = 243;

/** A call for random bytes costs as much for one as for many. */
const pool = Buffer.alloc(1024);
let used = pool.length;

function randomByte(): number {
  if (used >= pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  pool[used] = 0;
  used += 1;
  return byte;
}

/** `length` characters that are safe in names, from the system's random numbers. */
export function randomSuffix(length: number): string {
  let text = "";
  while (text.length < length) {
    const byte = randomByte();
    if (byte < FAIR_BYTES) text += ALPHABET[byte % ALPHABET.length];
  }
  return text;
}

/** Names that the server makes of a generateName. Upstream: storage/names/generate.go. */
import { randomBytes } from "node:crypto";

const NAME_LENGTH_MAX = 63;
const SUFFIX_LENGTH = 5;
/** No vowels, nothing that looks like another character. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
/**
 * Five characters of 27: with 50,000 names under one prefix a new one is taken with probability
 * 0.35 %, so eight in a row fail once in 4e19.
 */
export const NAME_GENERATION_TRIES_MAX = 8;

/** `prefix` cut so that the name has at most 63 characters, and five random ones. */
export function generateName(prefix: string): string {
  const base = prefix.slice(0, NAME_LENGTH_MAX - SUFFIX_LENGTH);
  return base + randomSuffix();
}

function randomSuffix(): string {
  let suffix = "";
  // Bytes of 243 and more would favour the first letters: 243 = 9 * 27.
  while (suffix.length < SUFFIX_LENGTH) {
    for (const byte of randomBytes(2 * SUFFIX_LENGTH)) {
      if (byte < 243 && suffix.length < SUFFIX_LENGTH) suffix += ALPHABET[byte % 27];
    }
  }
  return suffix;
}

/** Names that the server makes of a generateName. Upstream: storage/names/generate.go. */
import { randomSuffix } from "../../apimachinery/rand.ts";

const NAME_LENGTH_MAX = 63;
const SUFFIX_LENGTH = 5;
/**
 * Five characters of 27: with 50,000 names under one prefix a new one is taken with probability
 * 0.35 %, so eight in a row fail once in 4e19.
 */
export const NAME_GENERATION_TRIES_MAX = 8;

/** `prefix` cut so that the name has at most 63 characters, and five random ones. */
export function generateName(prefix: string): string {
  const base = prefix.slice(0, NAME_LENGTH_MAX - SUFFIX_LENGTH);
  return base + randomSuffix(SUFFIX_LENGTH);
}

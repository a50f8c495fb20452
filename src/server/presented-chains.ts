/** A resumed TLS session knows its leaf alone: what came along with it when it began. */
const CHAINS_MAX = 1_000;
const CHAIN_LENGTH_MAX = 16_384;
const BEGIN = "-----BEGIN CERTIFICATE-----";
const chains = new Map<string, string>();

/** Returns what a client presented in a whole handshake, as PEM, leaf first. Nothing is verified. */
export function presented(pem: string): string {
  const next = pem.indexOf(BEGIN, BEGIN.length);
  if (next < 0 || pem.length > CHAIN_LENGTH_MAX) return pem;
  const leaf = pem.slice(0, next);
  const [eldest] = chains.size < CHAINS_MAX || chains.has(leaf) ? [] : chains.keys();
  if (eldest !== undefined) chains.delete(eldest);
  chains.set(leaf, pem);
  return pem;
}

/** Returns what the client of a resumed session presented when it began, as far as it is known. */
export function resumed(leaf: string): string {
  return chains.get(leaf) ?? leaf;
}

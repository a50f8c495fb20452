/**
 * Remembers good tokens for a short time: checking a signature or asking a webhook costs far more
 * than a look-up. Keys are keyed hashes, so a copy of this process's memory holds no tokens here.
 * Upstream: apiserver/pkg/authentication/token/cache.
 */
import { hash, randomBytes } from "node:crypto";
import type { Authenticated, TokenAuthenticator } from "../authenticator.ts";

export interface TokenCacheOptions {
  readonly successTtlMs: number;
  /** How long "nobody knows this token" holds; errors never do. Default 0. */
  readonly failureTtlMs?: number;
  readonly entriesMax?: number;
  readonly now?: () => number;
}
const ENTRIES_MAX = 4096;

interface Entry {
  readonly result: Promise<Authenticated | undefined>;
  /** Infinity while the first caller is still being answered. */
  expiresAt: number;
}

/** Wraps `inner`. Errors are never remembered; equal questions are asked once at a time. */
export function cachedTokenAuthenticator(
  inner: TokenAuthenticator,
  { successTtlMs, failureTtlMs = 0, entriesMax = ENTRIES_MAX, now = Date.now }: TokenCacheOptions,
): TokenAuthenticator {
  const entries = new Map<string, Entry>();
  const secret = randomBytes(32).toString("base64");
  const keyOf = (token: string, audiences: readonly string[] | undefined) => {
    const parts = [token, ...(audiences ?? [])].map((part) => `${part.length}:${part}`);
    return hash("sha256", `${secret}${parts.join("")}`, "base64");
  };
  const ask = (key: string, token: string, audiences: readonly string[] | undefined) => {
    const result = inner.authenticateToken(token, audiences);
    const entry: Entry = { result, expiresAt: Number.POSITIVE_INFINITY };
    if (entries.size >= entriesMax) evict(entries, entriesMax, now());
    entries.set(key, entry);
    result.then(
      (found) => {
        const ttlMs = found === undefined ? failureTtlMs : successTtlMs;
        if (ttlMs > 0) entry.expiresAt = now() + ttlMs;
        else entries.delete(key);
      },
      () => entries.delete(key),
    );
    return result;
  };
  return {
    name: inner.name,
    async authenticateToken(token, audiences) {
      const key = keyOf(token, audiences);
      const known = entries.get(key);
      if (known !== undefined && known.expiresAt > now()) return known.result;
      return ask(key, token, audiences);
    },
  };
}

/** Drops what has expired, else the oldest half: entries are in the order they were made. */
function evict(entries: Map<string, Entry>, entriesMax: number, now: number): void {
  for (const [key, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(key);
  let excess = entries.size - Math.floor(entriesMax / 2);
  for (const key of entries.keys()) {
    if (excess-- <= 0) return;
    entries.delete(key);
  }
}

import { createHash } from "node:crypto";

/**
 * The SHA-256 of a token or password, 32 bytes: what is kept and compared in its place, so that no
 * comparison's time says anything about its characters or length.
 */
export function secretDigest(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Static tokens of `--token-auth-file`. Upstream: apiserver/pkg/authentication/token/tokenfile. */
import { timingSafeEqual } from "node:crypto";
import type { Authenticated, TokenAuthenticator } from "../authenticator.ts";
import { secretDigest } from "../secret-digest.ts";
import { parseCsv } from "./csv.ts";

const COLUMNS_MIN = 3;

/** The file is malformed; the message goes to whoever starts the server. */
export class TokenFileError extends Error {
  override readonly name = "TokenFileError";
}

/**
 * Lines of `token,user,uid,"group,group"`. Throws TokenFileError for a line of fewer than three
 * columns. Returns what is odd but usable as `warnings`. Tokens are looked up by their SHA-256, so
 * that the time of a look-up says nothing about a token's characters.
 */
export function tokenFileAuthenticator(text: string): {
  readonly authenticator: TokenAuthenticator;
  readonly warnings: readonly string[];
} {
  const byDigest = new Map<string, { readonly digest: Buffer; readonly found: Authenticated }>();
  const warnings: string[] = [];
  const records = parseCsv(text);
  if (records === undefined) throw new TokenFileError("token auth file is no CSV");
  for (const [index, [token = "", name = "", uid = "", groups = ""]] of records.entries()) {
    const columnsCount = records[index]?.length ?? 0;
    if (columnsCount < COLUMNS_MIN) {
      throw new TokenFileError(
        `token file must have at least 3 columns (token, user name, user uid), found ${columnsCount}`,
      );
    }
    if (token === "") {
      warnings.push(`empty token has been found in token file, record number ${index + 1}`);
      continue;
    }
    const digest = secretDigest(token);
    const key = digest.toString("latin1");
    if (byDigest.has(key)) {
      warnings.push(`duplicate token has been found in token file, record number ${index + 1}`);
    }
    const user = { name, uid, groups: groups === "" ? [] : groups.split(","), extra: {} };
    byDigest.set(key, { digest, found: { user } });
  }
  const authenticator: TokenAuthenticator = {
    name: "token-file",
    async authenticateToken(token) {
      const digest = secretDigest(token);
      const entry = byDigest.get(digest.toString("latin1"));
      if (entry === undefined || !timingSafeEqual(entry.digest, digest)) return undefined;
      return entry.found;
    },
  };
  return { authenticator, warnings };
}

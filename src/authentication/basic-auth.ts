/**
 * User names and passwords of `--basic-auth-file`, which kube-apiserver had until v1.18.
 * Upstream (v1.18): authentication/password/passwordfile and authentication/request/basicauth.
 */
import { timingSafeEqual } from "node:crypto";
import type { UserInfo } from "../request/user-info.ts";
import type { Authenticator } from "./authenticator.ts";
import { secretDigest } from "./secret-digest.ts";
import { parseCsv } from "./token/csv.ts";

const COLUMNS_MIN = 3;
const INVALID = "invalid username/password combination";
/** Far beyond any password; bounds what is hashed per request. */
const HEADER_LENGTH_MAX = 64 * 1024;

/** The file is malformed; the message goes to whoever starts the server. */
export class PasswordFileError extends Error {
  override readonly name = "PasswordFileError";
}

/**
 * Lines of `password,user,uid,"group,group"`; of two lines for one user the later counts. Throws
 * PasswordFileError for a line of fewer than three columns, without a user or without a password.
 * A wrong password is an error, never anonymous. Digests are compared in constant time, and an
 * unknown user costs the same comparison.
 */
export function basicAuthenticator(text: string): Authenticator {
  const users = parseUsers(text);
  const nobody = { digest: secretDigest(""), user: undefined };
  return {
    name: "basic-auth",
    authenticate(request) {
      const credentials = credentialsOf(request.headerValues("authorization")[0] ?? "");
      if (credentials === undefined) return undefined;
      const { digest, user } = users.get(credentials.name) ?? nobody;
      const isRight = timingSafeEqual(digest, secretDigest(credentials.password));
      if (!isRight || user === undefined) throw new Error(INVALID);
      return { user };
    },
  };
}

interface Entry {
  readonly digest: Buffer;
  readonly user: UserInfo | undefined;
}

function parseUsers(text: string): ReadonlyMap<string, Entry> {
  const records = parseCsv(text);
  if (records === undefined) throw new PasswordFileError("password file is no CSV");
  const users = new Map<string, Entry>();
  for (const [index, record] of records.entries()) {
    const [password = "", name = "", uid = "", groups = ""] = record;
    if (record.length < COLUMNS_MIN) {
      const wanted = "password file must have at least 3 columns (password, user name, user uid)";
      throw new PasswordFileError(`${wanted}, found ${record.length}`);
    }
    if (password === "" || name === "") {
      throw new PasswordFileError(`record number ${index + 1} has no password or no user name`);
    }
    const user = { name, uid, groups: groups === "" ? [] : groups.split(","), extra: {} };
    users.set(name, { digest: secretDigest(password), user });
  }
  return users;
}

/** Throws for a Basic header that can not be read; undefined: another scheme, or none. */
function credentialsOf(header: string) {
  const [scheme = "", encoded = ""] = header.trim().split(" ");
  if (scheme.toLowerCase() !== "basic") return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0 || header.length > HEADER_LENGTH_MAX) throw new Error(INVALID);
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

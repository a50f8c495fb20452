/**
 * Continue tokens: `{"v":"meta.k8s.io/v1","rv":N,"start":"ns/name\u0000"}` in base64url without
 * padding. Upstream: apiserver/pkg/storage/continue.go.
 */
import * as api from "../apimachinery/api/errors.ts";

const VERSION = "meta.k8s.io/v1";

export interface ContinueToken {
  /** The revision all pages are read at; -1: at the latest one, inconsistently. */
  readonly revision: number;
  /** The first key of the page, relative to the resource's prefix. */
  readonly startKey: string;
}

/**
 * `keyPrefix` is what the list's own prefix adds to the resource's: "" for all namespaces or cluster
 * scope, `default` for one namespace (the slash stays in the token, as upstream's does).
 */
export function encodeContinue(startKey: string, revision: number, keyPrefix: string): string {
  const start = keyPrefix === "" ? startKey : startKey.slice(keyPrefix.length);
  const json = JSON.stringify({ v: VERSION, rv: revision, start });
  return Buffer.from(json.replace(/</g, "\\u003c").replace(/>/g, "\\u003e")).toString("base64url");
}

/** Throws 400 with upstream's text for a token that no server made. */
export function decodeContinue(token: string, keyPrefix: string): ContinueToken {
  const fail = (why: string) =>
    api.badRequest(`invalid continue token: continue key is not valid: ${why}`);
  if (!/^[A-Za-z0-9_-]*$/.test(token) || token.length % 4 === 1) {
    throw fail(`illegal base64 data at input byte ${badBase64At(token)}`);
  }
  const text = Buffer.from(token, "base64url").toString("utf8");
  const parsed = parseObject(text, Buffer.from(token, "base64url"), fail);
  const { v, rv, start } = parsed;
  if (v !== VERSION) {
    throw fail(`server does not recognize this encoded version ${typeof v === "string" ? v : ""}`);
  }
  if (typeof rv !== "number" || rv === 0) {
    throw fail("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "") {
    throw fail("encoded start key empty (version meta.k8s.io/v1)");
  }
  const key = start.startsWith("/") ? start : `/${start}`;
  if (key.split("/").includes("..") || key.split("/").includes(".")) {
    throw api.badRequest(
      `invalid continue token: continue key is not valid: ${JSON.stringify(start)}`,
    );
  }
  return { revision: rv, startKey: keyPrefix === "" ? key.slice(1) : keyPrefix + key };
}

function badBase64At(token: string): number {
  const index = token.search(/[^A-Za-z0-9_-]/);
  return index === -1 ? token.length - 1 : index;
}

function parseObject(
  text: string,
  bytes: Buffer,
  fail: (why: string) => Error,
): { v?: unknown; rv?: unknown; start?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    if (bytes.length === 0) throw fail("unexpected end of JSON input");
    // Go's decoder reads bytes: it complains of the first one, not of the character it begins.
    const first = String.fromCharCode(bytes[0] ?? 0);
    throw fail(`invalid character ${goChar(first)} looking for beginning of value`);
  }
  throw fail("json: cannot unmarshal into Go value of type storage.continueToken");
}

function goChar(char: string): string {
  return char === "'" ? "'\\''" : `'${char}'`;
}

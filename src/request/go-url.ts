/**
 * Request targets and query strings read as Go's net/url reads them, because clients and
 * authorization rules were written against that reading.
 * Upstream: net/url Parse, unescape and ParseQuery.
 */

/** The target is not a URL Go would accept; the connection is answered 400 and closed. */
export class MalformedTarget extends Error {
  override readonly name = "MalformedTarget";
}

export interface Target {
  /** Percent-decoded once. Bytes that are not UTF-8 become U+FFFD, which no valid name contains. */
  readonly path: string;
  /** After the first `?`, as sent; "" without one. */
  readonly rawQuery: string;
}

const HEX = /^[0-9A-Fa-f]{2}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses exactly these.
const FORBIDDEN = /[\x00-\x20\x7f]/;
const ABSOLUTE = /^https?:\/\/[^/?]*/i;

/**
 * Splits a request target into decoded path and raw query.
 * Throws MalformedTarget for control characters, spaces, a bad escape in the path, or a target
 * that is neither a path, `*`, nor an absolute http(s) URL. A bad escape in the query is no error
 * here: parseQuery drops that pair, as Go's URL.Query does.
 */
export function parseTarget(target: string): Target {
  if (FORBIDDEN.test(target)) throw new MalformedTarget("invalid character in request target");
  if (target === "*") return { path: "*", rawQuery: "" };
  const relative = target.startsWith("/") ? target : withoutOrigin(target);
  const mark = relative.indexOf("?");
  const rawPath = mark === -1 ? relative : relative.slice(0, mark);
  const rawQuery = mark === -1 ? "" : relative.slice(mark + 1);
  const path = rawPath.includes("%") ? percentDecode(rawPath) : rawPath;
  if (path === undefined) throw new MalformedTarget("invalid URL escape");
  return { path, rawQuery };
}

function withoutOrigin(target: string): string {
  const origin = ABSOLUTE.exec(target)?.[0];
  if (origin === undefined) throw new MalformedTarget("invalid URI for request");
  const rest = target.slice(origin.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * The pairs of a query string in order. A pair that holds a semicolon or a bad escape is left out,
 * as Go does; `+` is a space.
 */
export function parseQuery(rawQuery: string): URLSearchParams {
  const query = new URLSearchParams();
  if (rawQuery === "") return query;
  for (const pair of rawQuery.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const key = unescapeComponent(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : unescapeComponent(pair.slice(equals + 1));
    if (key === undefined || value === undefined) continue;
    query.append(key, value);
  }
  return query;
}

function unescapeComponent(text: string): string | undefined {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  return spaced.includes("%") ? percentDecode(spaced) : spaced;
}

/** Undefined when a `%` is not followed by two hexadecimal digits. */
function percentDecode(text: string): string | undefined {
  const pieces = text.split("%");
  const bytes: Buffer[] = [Buffer.from(pieces[0] ?? "")];
  for (const piece of pieces.slice(1)) {
    const digits = piece.slice(0, 2);
    if (!HEX.test(digits)) return undefined;
    bytes.push(Buffer.of(Number.parseInt(digits, 16)), Buffer.from(piece.slice(2)));
  }
  return Buffer.concat(bytes).toString("utf8");
}

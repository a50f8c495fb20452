/**
 * URLs as Go's net/url takes them apart. Upstream: apiserver/pkg/cel/library/urls.go.
 */
import { parseQuery } from "../../../request/go-url.ts";
import { member, type Overload, overload } from "../environment.ts";
import { BOOL, listOf, mapOf, receiverType, STRING } from "../types.ts";
import { ArrayList, CelError, CelOpaque, type CelValue, noOverload, ValueMap } from "../values.ts";
import { textArgument as text } from "./conversions.ts";

const URL_TYPE = receiverType("kubernetes.URL");

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly raw: string;
}

class CelURL extends CelOpaque {
  readonly type = URL_TYPE;
  readonly parts: Parts;
  constructor(parts: Parts) {
    super();
    this.parts = parts;
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelURL && other.parts.raw === this.parts.raw;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses exactly these.
const CONTROL = /[\x00-\x1f\x7f]/;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const HOST = /^(?:\[[0-9a-fA-F:.%]*\]|[^[\]\s<>"\\^`{|}]*)(?::[0-9]*)?$/;
/** What stands behind the last colon of a host that is in no brackets. */
const BAD_PORT = /:[^:\]]*[^0-9:\]][^:\]]*$/;

/** Why Go's ParseRequestURI refuses the text; undefined: it takes it. */
export function requestURIProblem(raw: string): string | undefined {
  const parts = readURL(raw);
  return "problem" in parts ? parts.problem : undefined;
}

function readURL(raw: string): Parts | { readonly problem: string } {
  const failed = (why: string) => ({ problem: `parse ${JSON.stringify(raw)}: ${why}` });
  if (CONTROL.test(raw)) return failed("net/url: invalid control character in URL");
  if (raw === "") return failed("empty url");
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(raw)?.[1];
  if (scheme === undefined && raw.startsWith(":")) return failed("missing protocol scheme");
  const rest = scheme === undefined ? raw : raw.slice(scheme.length + 1);
  if (scheme === undefined && !rest.startsWith("/")) return failed("invalid URI for request");
  if (!rest.startsWith("/")) {
    return { scheme: scheme?.toLowerCase() ?? "", host: "", path: "", query: "", raw };
  }
  const [beforeFragment = ""] = rest.split("#", 1);
  const mark = beforeFragment.indexOf("?");
  const hierarchy = mark < 0 ? beforeFragment : beforeFragment.slice(0, mark);
  const query = mark < 0 ? "" : beforeFragment.slice(mark + 1);
  const hasHost = scheme !== undefined && hierarchy.startsWith("//");
  const slash = hasHost ? hierarchy.indexOf("/", 2) : 0;
  const authority = hasHost ? hierarchy.slice(2, slash < 0 ? undefined : slash) : "";
  const path = slash < 0 ? "" : hierarchy.slice(slash);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (!HOST.test(host) || BAD_PORT.test(host)) return failed(hostProblem(host));
  const badEscape = BAD_ESCAPE.exec(path);
  if (badEscape !== null) {
    return failed(
      `invalid URL escape ${JSON.stringify(path.slice(badEscape.index, badEscape.index + 3))}`,
    );
  }
  return { scheme: scheme?.toLowerCase() ?? "", host, path, query, raw };
}

function hostProblem(host: string): string {
  const port = /:([^:\]]*)$/.exec(host)?.[0];
  if (port !== undefined && !/^:[0-9]*$/.test(port)) {
    return `invalid port ${JSON.stringify(port)} after host`;
  }
  const stray = /[\s<>"\\^`{|}]/.exec(host)?.[0];
  return stray === undefined
    ? "missing ']' in host"
    : `invalid character ${JSON.stringify(stray)} in host name`;
}

function toURL(value: CelValue): CelValue {
  const parts = readURL(text(value));
  if (!("problem" in parts)) return new CelURL(parts);
  throw new CelError(`URL parse error during conversion from string: ${parts.problem}`);
}

function url(value: CelValue): Parts {
  if (value instanceof CelURL) return value.parts;
  throw noOverload();
}

function hostAndPort(host: string): [string, string] {
  const [, name = "", port = ""] = /^(.*?)(?::([0-9]*))?$/.exec(host) ?? [];
  return [name.replace(/^\[(.*)\]$/, "$1"), port];
}

/** The path with what may not stand in one escaped, and as it was written otherwise. */
function escapedPath(path: string): string {
  return path.replace(/[^A-Za-z0-9$&+,/:;=@\-_.~%!'()*[\]]/gu, (one) => encodeURIComponent(one));
}

function queryOf({ query }: Parts): CelValue {
  const map = new ValueMap();
  const pairs = parseQuery(query);
  for (const name of new Set(pairs.keys())) map.set(name, new ArrayList(pairs.getAll(name)));
  return map;
}

function getter(name: string, id: string, take: (parts: Parts) => string) {
  return [name, [member(id, [URL_TYPE], STRING, (value) => take(url(value)))]] as const;
}

export const URLS: readonly (readonly [string, readonly Overload[]])[] = [
  ["url", [overload("string_to_url", [STRING], URL_TYPE, toURL)]],
  [
    "isURL",
    [
      overload(
        "is_url_string",
        [STRING],
        BOOL,
        (value) => requestURIProblem(text(value)) === undefined,
      ),
    ],
  ],
  getter("getScheme", "url_get_scheme", ({ scheme }) => scheme),
  getter("getHost", "url_get_host", ({ host }) => host),
  getter("getHostname", "url_get_hostname", ({ host }) => hostAndPort(host)[0]),
  getter("getPort", "url_get_port", ({ host }) => hostAndPort(host)[1]),
  getter("getEscapedPath", "url_get_escaped_path", ({ path }) => escapedPath(path)),
  [
    "getQuery",
    [
      member("url_get_query", [URL_TYPE], mapOf(STRING, listOf(STRING)), (value) =>
        queryOf(url(value)),
      ),
    ],
  ],
];

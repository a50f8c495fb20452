/**
 * Reads RequestInfo from a method, a path and a query.
 * Upstream: apiserver/pkg/endpoints/request/requestinfo.go.
 */
import {
  type FieldSelector,
  parseFieldSelector,
  requiresExactMatch,
} from "../apimachinery/fields/selector.ts";
import { parseLabelSelector } from "../apimachinery/labels/parse.ts";
import type { LabelSelector } from "../apimachinery/labels/selector.ts";
import type { RequestInfo, Verb } from "./request-info.ts";

/** Each returns undefined for a selector it can not parse: the handler then answers 400. */
export interface SelectorParsers {
  fields(text: string): FieldSelector | undefined;
  labels(text: string): LabelSelector | undefined;
}

/** The API's own grammars. */
export const standardSelectors: SelectorParsers = {
  fields: (text) => orUndefined(() => parseFieldSelector(text)),
  labels: (text) => orUndefined(() => parseLabelSelector(text)),
};
function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

const verbOfMethod = new Map<string, Verb>([
  ["POST", "create"],
  ["GET", "get"],
  ["HEAD", "get"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);
const withSelectors = new Set<string>(["list", "watch", "deletecollection"]);

interface Segments {
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly specialVerb: "" | "proxy" | "watch";
  readonly namespace: string;
  readonly parts: readonly string[];
}

/**
 * What `method path` asks for. `path` is decoded already (parseTarget). `query` is asked for
 * only where it matters: for `watch` and the selectors of collections.
 *
 * One deliberate difference from upstream: a path whose group, version, namespace, resource, name
 * or subresource is empty, `.` or `..` is no resource request. It is then authorized as the bare
 * path it is and found nowhere, so no such segment ever reaches storage or an authorizer's rule
 * about resources.
 */
export function parseRequestInfo(
  method: string,
  path: string,
  query: () => URLSearchParams,
  selectors: SelectorParsers = standardSelectors,
): RequestInfo {
  const segments = resourceSegments(path);
  if (segments === undefined) return nonResource(method, path);
  const { specialVerb, parts, ...scope } = segments;
  const [resource = "", pathName = "", third = ""] = parts;
  const subresource = specialVerb === "proxy" ? "" : third;
  const verb = specialVerb || verbOf(method, pathName, query);
  const info = { isResourceRequest: true, path, verb, ...scope, resource, subresource, parts };
  if (!withSelectors.has(verb)) return { ...info, name: pathName };
  const fieldText = query().get("fieldSelector") ?? "";
  const fieldSelector = fieldText === "" ? undefined : selectors.fields(fieldText);
  const labelText = query().get("labelSelector") ?? "";
  const labelSelector = labelText === "" ? undefined : selectors.labels(labelText);
  const takesName = pathName === "" && specialVerb === "" && verb !== "deletecollection";
  return {
    ...info,
    name: takesName ? exactName(fieldSelector) : pathName,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    apiPrefix: "",
    apiGroup: "",
    apiVersion: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    parts: [],
  };
}

function resourceSegments(path: string): Segments | undefined {
  const all = path.split("/");
  const first = all.findIndex((segment) => segment !== "");
  const last = all.findLastIndex((segment) => segment !== "");
  const segments = first === -1 ? [] : all.slice(first, last + 1);
  const apiPrefix = segments[0] ?? "";
  if (apiPrefix !== "api" && apiPrefix !== "apis") return undefined;
  const grouped = apiPrefix === "apis" ? 1 : 0;
  if (segments.length < 3 + grouped) return undefined;
  const apiGroup = grouped === 1 ? (segments[1] ?? "") : "";
  const apiVersion = segments[1 + grouped] ?? "";
  const rest = segments.slice(2 + grouped);
  const special = rest[0] === "proxy" || rest[0] === "watch" ? rest[0] : "";
  if (special !== "" && rest.length < 2) return undefined;
  const { namespace, parts } = scopeOf(special === "" ? rest : rest.slice(1));
  const identifying = [...segments.slice(1, 2 + grouped), namespace, ...parts.slice(0, 3)];
  const namespaced = parts.length < rest.length - (special === "" ? 0 : 1);
  if (namespaced && namespace === "") return undefined;
  if (identifying.some((s, i) => s === "." || s === ".." || (s === "" && i !== 1 + grouped))) {
    return undefined;
  }
  return { apiPrefix, apiGroup, apiVersion, specialVerb: special, namespace, parts };
}

/** `namespaces/{namespace}/{resource}/...` leaves the resource first; others stay as they are. */
function scopeOf(segments: readonly string[]): { namespace: string; parts: readonly string[] } {
  const [first, namespace = "", third] = segments;
  if (first !== "namespaces") return { namespace: "", parts: segments };
  const ofNamespaceItself = third === undefined || third === "status" || third === "finalize";
  return { namespace, parts: ofNamespaceItself ? segments : segments.slice(2) };
}

function verbOf(method: string, name: string, query: () => URLSearchParams): Verb {
  const verb = verbOfMethod.get(method) ?? "";
  if (name !== "") return verb;
  if (verb === "delete") return "deletecollection";
  if (verb !== "get") return verb;
  const watch = query().get("watch")?.toLowerCase();
  return watch === undefined || watch === "false" || watch === "0" ? "list" : "watch";
}

/** X of a field selector that demands `metadata.name=X`, so that rules by name apply to it. */
function exactName(selector: FieldSelector | undefined): string {
  const name = selector === undefined ? undefined : requiresExactMatch(selector, "metadata.name");
  return name === undefined || invalidPathSegment(name) !== undefined ? "" : name;
}

/**
 * Why `name` can not be one segment of a path, in upstream's words; undefined when it can.
 * Upstream: apimachinery/pkg/api/validation/path IsValidPathSegmentName.
 */
export function invalidPathSegment(name: string): string | undefined {
  if (name === "." || name === "..") return `may not be '${name}'`;
  if (name.includes("/")) return "may not contain '/'";
  if (name.includes("%")) return "may not contain '%'";
  return undefined;
}

/**
 * Which form an answer takes: media type, Table or PartialObjectMetadata, indentation.
 * Upstream: apiserver/pkg/endpoints/handlers/negotiation/negotiate.go; the outer 406 and 415 texts
 * are go-restful's.
 */
import { notAcceptable, StatusError } from "../apimachinery/api/errors.ts";
import type { ReceivedRequest } from "../request/request.ts";

export const JSON_TYPE = "application/json";
export const YAML_TYPE = "application/yaml";
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";
export type MediaType = typeof JSON_TYPE | typeof YAML_TYPE | typeof PROTOBUF_TYPE;

export type Transformation = "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";

export interface Negotiated {
  readonly mediaType: MediaType;
  readonly pretty: boolean;
  /** Undefined: the object as it is. */
  readonly as: Transformation | undefined;
  /** `v1` or `v1beta1` of meta.k8s.io, for `as`. */
  readonly asVersion: string;
}

export interface AcceptClause {
  readonly type: string;
  readonly subtype: string;
  readonly params: ReadonlyMap<string, string>;
}

/** What the endpoint can do, in the order it is offered. */
export interface Offer {
  readonly mediaTypes: readonly MediaType[];
  readonly transformations: readonly Transformation[];
  /** A collection, whose routes also stream: the 406 of routing lists more types. */
  readonly collection?: boolean;
  /** A watch: YAML is not offered, and messages say `;stream=watch`. */
  readonly streaming?: boolean;
}

const ROUTED_TYPES =
  "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
const ROUTED_TYPES_PLAIN =
  "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const CLAUSES_MAX = 64;

/** Accept's clauses, best first: by q, then by how specific they are, then as sent. */
export function parseAccept(header: string): AcceptClause[] {
  const rated = header
    .split(",", CLAUSES_MAX)
    .map((text) => parseClause(text))
    .filter((clause) => clause !== undefined);
  rated.sort((a, b) => b.quality - a.quality || specificity(b) - specificity(a));
  return rated;
}

function parseClause(text: string): (AcceptClause & { quality: number }) | undefined {
  const [range = "", ...parts] = text.split(";");
  const [type = "", subtype = ""] = range.trim().toLowerCase().split("/");
  if (type === "" || (subtype === "" && type !== "*")) return undefined;
  const params = new Map<string, string>();
  let quality = 1;
  for (const part of parts) {
    const [key = "", value = ""] = part.split("=", 2).map((side) => side.trim());
    if (key === "q") quality = Number.parseFloat(value) || 0;
    else params.set(key.toLowerCase(), value.replace(/^"|"$/g, ""));
  }
  if (quality === 0) return undefined;
  return { type, subtype: subtype || "*", params, quality };
}

function specificity({ type, subtype }: AcceptClause): number {
  return type === "*" ? 0 : subtype === "*" ? 1 : 2;
}

/** Whether a media type is in a clause's range; parameters aside. */
export function matches(clause: AcceptClause, mediaType: string): boolean {
  const [type, subtype] = mediaType.split("/");
  if (clause.type === "*") return true;
  return clause.type === type && (clause.subtype === "*" || clause.subtype === subtype);
}

const acceptCache = new Map<string, readonly AcceptClause[]>();
const ACCEPT_CACHE_MAX = 256;

/** parseAccept, remembered: clients send the same few headers for ever. */
function acceptClauses(header: string): readonly AcceptClause[] {
  const known = acceptCache.get(header);
  if (known !== undefined) return known;
  const clauses = parseAccept(header);
  if (acceptCache.size >= ACCEPT_CACHE_MAX) acceptCache.clear();
  acceptCache.set(header, clauses);
  return clauses;
}

/** Chooses the answer's form, or throws NotAcceptable. */
export function negotiate(request: ReceivedRequest, offer: Offer): Negotiated {
  const header = request.headers.get("accept") ?? "";
  const pretty = wantsPretty(request);
  if (header === "" || header === "*/*") {
    return { mediaType: JSON_TYPE, pretty, as: undefined, asVersion: "" };
  }
  const clauses = acceptClauses(header);
  for (const clause of clauses) {
    const mediaType = offer.mediaTypes.find((one) => matches(clause, one));
    if (mediaType === undefined) continue;
    const chosen = accepted(clause, mediaType, offer, pretty);
    if (chosen !== undefined) return chosen;
  }
  throw unacceptable(clauses, offer);
}

function accepted(
  clause: AcceptClause,
  mediaType: MediaType,
  offer: Offer,
  pretty: boolean,
): Negotiated | undefined {
  const as = clause.params.get("as");
  const isPretty = pretty || clause.params.get("pretty") === "1";
  if (as === undefined) return { mediaType, pretty: isPretty, as: undefined, asVersion: "" };
  const transformation = offer.transformations.find((one) => one === as);
  const group = clause.params.get("g");
  const version = clause.params.get("v") ?? "";
  if (transformation === undefined || group !== "meta.k8s.io") return undefined;
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (transformation === "Table" && mediaType === PROTOBUF_TYPE) return undefined;
  return { mediaType, pretty: isPretty, as: transformation, asVersion: version };
}

/** Two layers say no: routing knows only types, the handler also their parameters. */
function unacceptable(clauses: readonly AcceptClause[], offer: Offer): StatusError {
  const routed: readonly string[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
  if (!clauses.some((clause) => routed.some((one) => matches(clause, one)))) {
    const available = offer.collection || offer.streaming ? ROUTED_TYPES : ROUTED_TYPES_PLAIN;
    const message = `406: Not Acceptable\n\nAvailable representations: ${available}`;
    return new StatusError("NotAcceptable", message, { details: {} });
  }
  const streams = offer.streaming
    ? [`${JSON_TYPE};stream=watch`, `${PROTOBUF_TYPE};stream=watch`]
    : [];
  const types = offer.streaming ? streams : namedTypes(offer.mediaTypes);
  return notAcceptable(`only the following media types are accepted: ${types.join(", ")}`);
}

const BROWSERS = /^(curl|Wget|Mozilla\/5\.0)/;

/** Indented, for people: asked for by `pretty`, or by a browser's or curl's name. */
export function wantsPretty(request: ReceivedRequest): boolean {
  const asked = request.query.get("pretty");
  if (asked !== null) return asked === "" || asked === "1" || asked === "true";
  return BROWSERS.test(request.headers.get("user-agent") ?? "");
}

/** The body's media type, or the 415 upstream gives. A missing Content-Type means JSON. */
export function contentTypeOf(
  request: ReceivedRequest,
  acceptable: readonly MediaType[],
): MediaType {
  const header = request.headers.get("content-type") ?? "";
  const plain = (header.split(";")[0] ?? "").trim().toLowerCase();
  if (plain === "") return JSON_TYPE;
  const known = acceptable.find((one) => one === plain);
  if (known !== undefined) return known;
  throw unknownFormat(acceptable);
}

/** Upstream names protobuf for custom resources too, whose objects have none. */
function namedTypes(types: readonly string[]): readonly string[] {
  const isPlain = types.includes(JSON_TYPE) && !types.includes(PROTOBUF_TYPE);
  return isPlain ? [...types, PROTOBUF_TYPE] : types;
}

export function unknownFormat(acceptable: readonly string[]): StatusError {
  const types = namedTypes(acceptable).join(", ");
  const message = `the body of the request was in an unknown format - accepted media types include: ${types}`;
  return new StatusError("UnsupportedMediaType", message);
}

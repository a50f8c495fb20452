/**
 * /flagz and /statusz: text for people, or structured objects for those who ask by name.
 * Upstream: component-base/zpages (KEP-4827, KEP-4828).
 */
import { notAcceptable } from "../apimachinery/api/errors.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { encodeYaml } from "../apimachinery/runtime/yaml.ts";
import { type AcceptClause, JSON_TYPE, parseAccept, YAML_TYPE } from "../endpoints/negotiation.ts";
import { respondJsonValue } from "../endpoints/respond.ts";
import type { BytesResponse, Handler, ReceivedRequest } from "../request/request.ts";

const TEXT_TYPE = "text/plain";
const WARNING =
  "Warning: This endpoint is not meant to be machine parseable, " +
  "has no formatting compatibility guarantees and is for debugging purposes only.";
const GROUP = "config.k8s.io";
const VERSIONS = new Set(["v1alpha1", "v1beta1"]);

export interface ZPage {
  readonly kind: "Flagz" | "Statusz";
  /** What stands below the warning. */
  text(): string;
  /** The members of the object besides kind, apiVersion and metadata. */
  members(): JsonObject;
}

/** The handler of a page, whatever the method: 406 for types it does not have. */
export function zPage(page: ZPage): Handler {
  return (request) => {
    const header = request.headers.get("accept") ?? "";
    const clauses = header === "" ? [ANYTHING] : parseAccept(header);
    for (const clause of clauses) {
      const response = answer(request, page, clause);
      if (response !== undefined) return response;
    }
    const types = [JSON_TYPE, YAML_TYPE, TEXT_TYPE].join(", ");
    throw notAcceptable(`only the following media types are accepted: ${types}`);
  };
}

const mediaTypeOf = (type: string, subtype: string) =>
  [JSON_TYPE, YAML_TYPE].find((one) => one === `${type}/${subtype}`);

const ANYTHING: AcceptClause = { type: "*", subtype: "*", params: new Map() };

/** Text without a kind asked for; JSON and YAML only with the page's. */
function answer(
  request: ReceivedRequest,
  page: ZPage,
  { type, subtype, params }: AcceptClause,
): BytesResponse | undefined {
  const isText = type === "*" || (type === "text" && (subtype === "*" || subtype === "plain"));
  if (isText) {
    if (params.has("as")) return undefined;
    const name = page.kind.toLowerCase();
    const body = `\napiserver ${name}\n${WARNING}\n${page.text()}`;
    const headers = [["Content-Type", "text/plain; charset=utf-8"]] as const;
    return { kind: "bytes", status: 200, headers, body };
  }
  const version = params.get("v") ?? "";
  if (params.get("g") !== GROUP || params.get("as") !== page.kind) return undefined;
  const mediaType = mediaTypeOf(type, subtype);
  if (mediaType === undefined || !VERSIONS.has(version)) return undefined;
  const object: JsonObject = {
    kind: page.kind,
    apiVersion: `${GROUP}/${version}`,
    metadata: { name: "apiserver" },
    ...page.members(),
  };
  const contentType = `${mediaType};g=${GROUP};v=${version};as=${page.kind}`;
  const headers = [["Content-Type", contentType]] as const;
  if (mediaType === YAML_TYPE) {
    return { kind: "bytes", status: 200, headers, body: encodeYaml(object) };
  }
  const pretty = params.get("pretty") === "1";
  const form = { mediaType: JSON_TYPE, pretty, as: undefined, asVersion: "" } as const;
  return { ...respondJsonValue(request, form, 200, object), headers };
}

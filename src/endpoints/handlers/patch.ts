/** PATCH, by its four media types. Upstream: handlers/patch.go. */

import * as api from "../../apimachinery/api/errors.ts";
import { StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import { apiVersionOf } from "../../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import { decodeJson, type FieldValidation } from "../../apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../../apimachinery/runtime/json-encode.ts";
import { redecode } from "../../apimachinery/runtime/json-redecode.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import { yamlToJson } from "../../apimachinery/runtime/yaml.ts";
import * as field from "../../apimachinery/validation/field.ts";
import type { ServedResource } from "../../registry/generic/served-resource.ts";
import type { AuthorizedRequest, Handler } from "../../request/request.ts";
import {
  BODY_BYTES_MAX,
  checkName,
  ensureNamespace,
  namespaceOf,
  type RequestScope,
} from "../api-context.ts";
import { reportStrictErrors } from "../body.ts";
import { goText } from "../fieldmanager/value.ts";
import { fieldManagerFor } from "../managed-fields.ts";
import { negotiate, unknownFormat } from "../negotiation.ts";
import { managerOf, parseWriteOptions, type WriteOptions } from "../options.ts";
import { dedupOwnerReferences } from "../owner-references.ts";
import { applyJsonPatch } from "../patch/json-patch.ts";
import { applyMergePatch } from "../patch/merge-patch.ts";
import { applyStrategicMergePatch } from "../patch/strategic-merge-patch/index.ts";
import { OBJECT_TRANSFORMATIONS } from "../respond.ts";
import { respondWritten } from "./create.ts";
import { mediaTypesOf } from "./media-types.ts";
import { runUpdate } from "./update.ts";

export const JSON_PATCH = "application/json-patch+json";
export const MERGE_PATCH = "application/merge-patch+json";
export const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
export const APPLY_PATCH = "application/apply-patch+yaml";
const ALL_TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];
const CUSTOM_TYPES = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH];

/** A patch ready to be applied, any number of times, to an object of the request's version. */
export type Patcher = (live: KubeObject) => KubeObject;

export function patchResource(scope: RequestScope, subresource = ""): Handler {
  const { resource } = scope;
  const offer = {
    mediaTypes: mediaTypesOf(resource),
    transformations: OBJECT_TRANSFORMATIONS,
  };
  return async (request) => {
    const type = patchTypeOf(request, resource);
    const negotiated = negotiate(request, offer);
    const bytes = await request.body(BODY_BYTES_MAX);
    const isApply = type === APPLY_PATCH;
    const options = parseWriteOptions(request.query, "PatchOptions", isApply);
    const run = isApply ? applyConfig : mergeChanges;
    const result = await run(scope, request, options, subresource, type, bytes);
    return respondWritten(request, scope, negotiated, result.created ? 201 : 200, result);
  };
}

/** The patch's media type; 415 in the words of whichever layer refuses it. */
export function patchTypeOf(request: AuthorizedRequest, resource: ServedResource): string {
  const header = request.headers.get("content-type") ?? "";
  const type = (header.split(";")[0] ?? "").trim();
  const offered = resource.strategicMerge ? ALL_TYPES : CUSTOM_TYPES;
  if (offered.includes(type)) return type;
  if (ALL_TYPES.includes(type)) throw unknownFormat(offered);
  throw new StatusError("UnsupportedMediaType", "415: Unsupported Media Type", { details: {} });
}

function mergeChanges(
  scope: RequestScope,
  request: AuthorizedRequest,
  options: WriteOptions,
  subresource: string,
  type: string,
  bytes: Uint8Array,
) {
  const { resource } = scope;
  const manager = managerOf(options.fieldManager, request);
  const fields = fieldManagerFor(resource, subresource);
  const namespace = namespaceOf(request, resource);
  const patch = makePatcher(resource, request, options, type, bytes);
  return runUpdate(
    scope,
    request,
    options,
    subresource,
    undefined,
    "PatchOptions",
    (live) => {
      if (live === undefined) throw api.notFound(resource.groupResource, request.info.name);
      const next = patch(live);
      resource.setDefaults(next);
      ensureNamespace(next, resource, namespace);
      checkName(next, request.info.name, resource, namespace);
      dedupOwnerReferences(request, next);
      return resource.toStorage(fields.updated(live, next, manager));
    },
    false,
  );
}

/** Decodes a JSON, merge or strategic patch once. */
export function makePatcher(
  resource: ServedResource,
  request: AuthorizedRequest,
  options: WriteOptions,
  type: string,
  bytes: Uint8Array,
): Patcher {
  const strict = options.fieldValidation;
  const { schema, kind } = resource;
  if (type === STRATEGIC_PATCH) {
    return (live) => {
      const result = applyStrategicMergePatch(live as unknown as JsonObject, bytes, schema, strict);
      const plain = plainResult(result, live, schema);
      if (plain !== undefined) return plain;
      const shown = () => goText(result.patch);
      return typedResult(resource, request, options, result.document, result.strictErrors, shown);
    };
  }
  const apply = type === JSON_PATCH ? applyJsonPatch : applyMergePatch;
  return (live) => {
    const merged = type === MERGE_PATCH ? plainlyMerged(resource, live, bytes, strict) : undefined;
    if (merged !== undefined) return merged;
    // The live object as a client sees it: zero values that Go prints are there to be patched.
    const document = JSON.parse(encodeJson(live as unknown as JsonObject, schema)) as JsonObject;
    const result = apply(document, bytes, strict);
    const text = () => encodeText(result.document);
    const object = typedResult(
      resource,
      request,
      options,
      result.document,
      result.strictErrors,
      text,
    );
    if (schema.unstructured !== undefined) return object; // validation says what it may be
    object.kind = kind.kind;
    object.apiVersion = apiVersionOf(kind);
    return object;
  };
}

/** The object after a merge patch whose result decodes cleanly; undefined for any other. */
function plainlyMerged(
  { schema, kind, strategicMerge }: ServedResource,
  live: KubeObject,
  bytes: Uint8Array,
  strict: FieldValidation,
): KubeObject | undefined {
  if (!strategicMerge) return undefined;
  // Zero values that Go prints make no difference to a merge.
  const result = applyMergePatch(live as unknown as JsonObject, bytes, strict);
  const object = plainResult(result, live, schema);
  if (object === undefined) return undefined;
  object.kind = kind.kind;
  object.apiVersion = apiVersionOf(kind);
  return object;
}

function plainResult(
  result: { readonly document: unknown; readonly strictErrors: readonly string[] },
  live: KubeObject,
  schema: StructSchema,
): KubeObject | undefined {
  if (result.strictErrors.length > 0) return undefined;
  const object = redecode(result.document, live as unknown as JsonObject, schema);
  return object as unknown as KubeObject | undefined;
}

/** JSON of a document with bigints kept. */
function encodeText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(encodeText).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${encodeText(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

/** The patched document as a typed object; 422 for what does not fit. */
function typedResult(
  resource: ServedResource,
  request: AuthorizedRequest,
  { fieldValidation }: WriteOptions,
  document: unknown,
  patchErrors: readonly string[],
  shown: () => string,
): KubeObject {
  const fail = (why: string) =>
    api.invalid({ group: "", kind: "" }, "", [field.invalid("patch", shown(), why)]);
  try {
    const text = encodeText(document);
    const decoded = decodeJson(text, resource.schema, { strict: fieldValidation });
    const errors = [...patchErrors, ...decoded.strictErrors];
    if (errors.length > 0 && fieldValidation === "Strict") {
      throw fail(`strict decoding error: ${errors.join(", ")}`);
    }
    reportStrictErrors(request, errors, fieldValidation, resource.kind, resource.kind);
    return decoded.object as unknown as KubeObject;
  } catch (error) {
    if (error instanceof DecodeError) throw fail(error.message);
    throw error;
  }
}

/** Server-side apply; creates what is missing. */
function applyConfig(
  scope: RequestScope,
  request: AuthorizedRequest,
  options: WriteOptions,
  subresource: string,
  _type: string,
  bytes: Uint8Array,
) {
  const { resource } = scope;
  const namespace = namespaceOf(request, resource);
  const fields = fieldManagerFor(resource, subresource);
  const config = decodeApply(request, options, bytes);
  const { name } = request.info;
  const uid = config.metadata?.uid;
  const make = (live: KubeObject | undefined): KubeObject => {
    if (live === undefined && uid) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw api.conflict(resource.groupResource, name, why);
    }
    const force = options.force ?? false;
    const applied = fields.applied(live, config, options.fieldManager, force);
    const { object } = applied;
    if (live === undefined && object.metadata) delete object.metadata.resourceVersion;
    ensureNamespace(object, resource, namespace);
    checkName(object, name, resource, namespace);
    dedupOwnerReferences(request, object);
    return resource.toStorage(object);
  };
  const allowCreate = subresource === "";
  return runUpdate(
    scope,
    request,
    options,
    subresource,
    undefined,
    "PatchOptions",
    make,
    allowCreate,
  );
}

function decodeApply(
  request: AuthorizedRequest,
  { fieldValidation }: WriteOptions,
  bytes: Uint8Array,
): KubeObject {
  let text: string;
  let repeated: readonly string[];
  try {
    const { json, strictErrors } = yamlToJson(bytes);
    text = json;
    repeated = strictErrors;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // Upstream passes the body through sigs.k8s.io/yaml, which says what it was doing.
    const doing = error.message.startsWith("yaml:") ? "error converting YAML to JSON: " : "";
    throw api.badRequest(`error decoding YAML: ${doing}${error.message}`);
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    if (value === null) return {};
    const why = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal";
    const found = Array.isArray(value) ? "array" : typeof value;
    throw api.badRequest(
      `error decoding YAML: ${why} ${found} into Go value of type map[string]interface {}`,
    );
  }
  if (repeated.length > 0 && fieldValidation === "Strict") {
    throw api.badRequest(`error strict decoding YAML: ${repeated.join(", ")}`);
  }
  if (fieldValidation === "Warn") for (const one of repeated) request.warnings.add(one);
  return value as KubeObject;
}

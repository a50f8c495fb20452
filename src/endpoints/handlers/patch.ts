/** PATCH, by its four media types. Upstream: handlers/patch.go. */

import * as api from "../../apimachinery/api/errors.ts";
import { StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import { converterText, fromUnstructured } from "../../apimachinery/runtime/from-unstructured.ts";
import { goQuote } from "../../apimachinery/runtime/go-text.ts";
import {
  apiVersionOf,
  type GroupVersionKind,
  parseApiVersion,
} from "../../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import { decodeJson, type FieldValidation } from "../../apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../../apimachinery/runtime/json-encode.ts";
import { JsonReader } from "../../apimachinery/runtime/json-reader.ts";
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
import { reportStrictErrors, schemaOrReason } from "../body.ts";
import { goText } from "../fieldmanager/value.ts";
import { fieldManagerFor } from "../managed-fields.ts";
import { negotiate, unknownFormat } from "../negotiation.ts";
import { managerOf, parseWriteOptions, type WriteOptions } from "../options.ts";
import { dedupOwnerReferences } from "../owner-references.ts";
import { applyJsonPatch, type Patched } from "../patch/json-patch.ts";
import { applyMergePatch } from "../patch/merge-patch.ts";
import { patchedText } from "../patch/patched-document.ts";
import {
  applyStrategicMergePatch,
  type StrategicallyPatched,
} from "../patch/strategic-merge-patch/index.ts";
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
  const target = { resource, request, strict };
  if (type === STRATEGIC_PATCH) {
    return (live) => {
      const result = applyStrategicMergePatch(live as unknown as JsonObject, bytes, schema, strict);
      return asKind(plainResult(result, live, schema) ?? convertedResult(target, result), kind);
    };
  }
  const apply = type === JSON_PATCH ? applyJsonPatch : applyMergePatch;
  return (live) => {
    const merged = type === MERGE_PATCH ? plainlyMerged(resource, live, bytes, strict) : undefined;
    if (merged !== undefined) return asKind(merged, kind);
    // The live object as a client sees it: zero values that Go prints are there to be patched.
    const document = JSON.parse(encodeJson(live as unknown as JsonObject, schema)) as JsonObject;
    const result = apply(document, bytes, strict);
    const object = decodedResult(target, result);
    // Of custom resources validation says what kinds they may be.
    return schema.unstructured === undefined ? asKind(object, kind) : object;
  };
}

function asKind(object: KubeObject, kind: GroupVersionKind): KubeObject {
  object.kind = kind.kind;
  object.apiVersion = apiVersionOf(kind);
  return object;
}

/** The object after a merge patch whose result decodes cleanly; undefined for any other. */
function plainlyMerged(
  { schema, strategicMerge }: ServedResource,
  live: KubeObject,
  bytes: Uint8Array,
  strict: FieldValidation,
): KubeObject | undefined {
  if (!strategicMerge) return undefined;
  // Zero values that Go prints make no difference to a merge.
  const result = applyMergePatch(live as unknown as JsonObject, bytes, strict);
  const { kind: said, apiVersion } = result.document as Readonly<Record<string, unknown>>;
  if (said !== live.kind || apiVersion !== live.apiVersion) return undefined;
  return plainResult(result, live, schema);
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

interface PatchTarget {
  readonly resource: ServedResource;
  readonly request: AuthorizedRequest;
  readonly strict: FieldValidation;
}

/** A strategically patched document as a typed object; 422 for what does not fit. */
function convertedResult(target: PatchTarget, result: StrategicallyPatched): KubeObject {
  const fail = (why: string) => refusedPatch(goText(result.patch), converterText(why));
  try {
    const document = fromUnstructured(result.document, target.resource.schema);
    return typedResult(
      target,
      patchedText(document, () => true),
      result.strictErrors,
      fail,
    );
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw fail(error.message);
  }
}

/** A JSON- or merge-patched document as a typed object; 422 for what does not fit. */
function decodedResult(target: PatchTarget, result: Patched): KubeObject {
  const text = patchedText(result.document, result.isSorted);
  const fail = (why: string) => refusedPatch(text, why);
  const { resource } = target;
  const document = result.document as Readonly<Record<string, unknown>> | null;
  const isTyped = resource.schema.unstructured === undefined && typeof document === "object";
  if (!isTyped) return typedResult(target, text, result.strictErrors, fail);
  const { kind, apiVersion } = document ?? {};
  for (const [name, value] of Object.entries({ kind, apiVersion })) {
    if (value === undefined || value === null || typeof value === "string") continue;
    const found = Array.isArray(value) ? "array" : typeof value;
    const what = found === "boolean" ? "bool" : found === "bigint" ? "number" : found;
    throw fail(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go struct field .${name} of type string`,
    );
  }
  const version = parseApiVersion(typeof apiVersion === "string" ? apiVersion : "");
  if (typeof apiVersion === "string" && version === undefined) {
    throw fail(`unexpected GroupVersion string: ${apiVersion}`);
  }
  if (!apiVersion) return withoutVersion(target, Object.keys(document ?? {}), result, fail);
  const said = typeof kind === "string" && kind !== "" ? kind : resource.kind.kind;
  const reason = schemaOrReason({ ...(version ?? resource.kind), kind: said }, resource);
  if (typeof reason === "string") throw fail(reason);
  return typedResult(target, text, result.strictErrors, fail);
}

/** Without a version upstream decodes into a type that knows none of the fields. */
function withoutVersion(
  { request, strict, resource }: PatchTarget,
  members: readonly string[],
  { strictErrors }: Patched,
  fail: (why: string) => StatusError,
): KubeObject {
  const unknown = members.filter((name) => name !== "kind" && name !== "apiVersion").sort();
  const errors = [...strictErrors, ...unknown.map((name) => `unknown field ${goQuote(name)}`)];
  if (strict === "Strict") throw fail(`strict decoding error: ${errors.join(", ")}`);
  reportStrictErrors(request, errors, strict, resource.kind, resource.kind);
  return {};
}

const refusedPatch = (shown: string, why: string) =>
  api.invalid({ group: "", kind: "" }, "", [field.invalid("patch", shown, why)]);

/** Decodes the text and reports what strict decoding finds. */
function typedResult(
  { resource, request, strict }: PatchTarget,
  text: string,
  patchErrors: readonly string[],
  fail: (why: string) => StatusError,
): KubeObject {
  try {
    const decoded = decodeJson(text, resource.schema, { strict });
    const errors = [...patchErrors, ...decoded.strictErrors];
    if (errors.length > 0 && strict === "Strict") {
      throw fail(`strict decoding error: ${errors.join(", ")}`);
    }
    reportStrictErrors(request, errors, strict, resource.kind, resource.kind);
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
  // Integers that a double can not hold must reach the conversion as they are.
  const value: unknown = /\d{16}/.test(text) ? new JsonReader(text).readAny() : JSON.parse(text);
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

/**
 * A request's body as an object of the expected kind.
 * Upstream: handlers/create.go, handlers/rest.go transformDecodeError, the serializers' errors.
 */
import type { StatusError } from "../apimachinery/api/errors.ts";
import * as api from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { DecodeError } from "../apimachinery/runtime/decode-error.ts";
import type { GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import { apiVersionOf, parseApiVersion } from "../apimachinery/runtime/gvk.ts";
import {
  type Decoded,
  decodeJson,
  type FieldValidation,
  interpretTypeMeta,
} from "../apimachinery/runtime/json-decode.ts";
import { decodeProtobuf, interpretEnvelope } from "../apimachinery/runtime/protobuf.ts";
import type { StructSchema } from "../apimachinery/runtime/type-schema.ts";
import { decodeYaml, interpretYamlTypeMeta } from "../apimachinery/runtime/yaml.ts";
import { schemaForKind } from "../apis/schemas.ts";
import type { AuthorizedRequest } from "../request/request.ts";
import type { MediaType } from "./negotiation.ts";
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from "./negotiation.ts";

const SUMMARY_BYTES_MAX = 30;
/** What upstream's texts call the registry of built-in types. */
const SCHEME = "pkg/api/legacyscheme/scheme.go:30";

export interface BodyTarget {
  readonly kind: GroupVersionKind;
  readonly schema: StructSchema;
  /** The name of the scheme in "no kind is registered" texts. */
  readonly scheme?: string;
}

/** Decodes `bytes`, adds warnings for unknown fields or refuses them. Throws 400 Statuses. */
export function decodeBody(
  request: AuthorizedRequest,
  bytes: Uint8Array,
  mediaType: MediaType,
  target: BodyTarget,
  fieldValidation: FieldValidation,
): KubeObject {
  const plain = mediaType === JSON_TYPE ? decodePlain(bytes, target, fieldValidation) : undefined;
  if (plain !== undefined) return plain;
  const said = typeMetaOf(bytes, mediaType, target);
  // Objects without a Go type may say any kind: their validation has a rule for it.
  const isUnstructured = target.schema.unstructured !== undefined;
  if (isUnstructured) checkTypeMeta(said, bytes, target);
  const found = withDefaults(said, target.kind);
  const schema = isUnstructured ? target.schema : checkKind(found, target);
  let decoded: Decoded;
  try {
    decoded = decode(bytes, mediaType, schema, fieldValidation);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw cannotBeHandled(found, target.kind, error.message);
  }
  checkVersion(found, target);
  reportStrictErrors(request, decoded.strictErrors, fieldValidation, found, target.kind);
  const object = decoded.object as unknown as KubeObject;
  object.apiVersion = apiVersionOf(target.kind);
  object.kind = isUnstructured ? found.kind : target.kind.kind;
  return object;
}

/** A JSON body of the expected kind that decodes without a word, read once; others: undefined. */
function decodePlain(
  bytes: Uint8Array,
  { kind, schema }: BodyTarget,
  strict: FieldValidation,
): KubeObject | undefined {
  if (!schema.byJson.has("kind")) return undefined;
  let decoded: Decoded;
  try {
    decoded = decodeJson(bytes, schema, { strict });
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  const object = decoded.object as unknown as KubeObject;
  if (decoded.strictErrors.length > 0) return undefined;
  if ((object.kind ?? kind.kind) !== kind.kind) return undefined;
  const apiVersion = apiVersionOf(kind);
  if ((object.apiVersion ?? apiVersion) !== apiVersion) return undefined;
  object.apiVersion = apiVersion;
  object.kind = kind.kind;
  return object;
}

function decode(
  bytes: Uint8Array,
  mediaType: MediaType,
  schema: StructSchema,
  strict: FieldValidation,
): Decoded {
  switch (mediaType) {
    case YAML_TYPE:
      return decodeYaml(bytes, schema, { strict });
    case PROTOBUF_TYPE:
      return { object: decodeProtobuf(bytes, schema).object, strictErrors: [] };
    default:
      return decodeJson(bytes, schema, { strict });
  }
}

/** What the body says it is; "" where it does not say. */
function typeMetaOf(
  bytes: Uint8Array,
  mediaType: MediaType,
  target: BodyTarget,
): { apiVersion: string; kind: string } {
  try {
    if (mediaType === PROTOBUF_TYPE) return interpretEnvelope(bytes);
    if (mediaType === YAML_TYPE) return interpretYamlTypeMeta(bytes);
    return interpretTypeMeta(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const text = `${error.message} (${summarize(bytes)})`;
    throw api.badRequest(
      `the object provided is unrecognized (must be of type ${target.kind.kind}): ${text}`,
    );
  }
}

/** Objects without a Go type have to say what they are. */
function checkTypeMeta(
  { kind, apiVersion }: { readonly apiVersion: string; readonly kind: string },
  bytes: Uint8Array,
  target: BodyTarget,
): void {
  const text = Buffer.from(bytes).toString("utf8");
  const isGood = apiVersion === "" || parseApiVersion(apiVersion) !== undefined;
  if (kind === "" || !isGood) {
    const why =
      kind === ""
        ? `Object 'Kind' is missing in '${text}'`
        : `unexpected GroupVersion string: ${apiVersion}`;
    throw api.badRequest(
      `the object provided is unrecognized (must be of type ${target.kind.kind}): ${why} (${summarize(bytes)})`,
    );
  }
  if (apiVersion !== "") return;
  throw api.badRequest(
    `the API version in the data () does not match the expected API version (${apiVersionOf(target.kind)})`,
  );
}

/** Upstream: summarizeData: JSON as text, anything else in hexadecimal. */
function summarize(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const part = Buffer.from(bytes.subarray(0, SUMMARY_BYTES_MAX));
  const text = bytes[0] === 0x7b ? part.toString("utf8") : part.toString("hex");
  return bytes.length > SUMMARY_BYTES_MAX ? `${text} ...` : text;
}

/** Upstream: gvkWithDefaults: an unset part is the expected one's. */
function withDefaults(
  found: { apiVersion: string; kind: string },
  expected: GroupVersionKind,
): GroupVersionKind {
  const kind = found.kind === "" ? expected.kind : found.kind;
  if (found.apiVersion === "") return { ...expected, kind };
  const parsed = parseApiVersion(found.apiVersion);
  if (parsed === undefined) {
    throw api.badRequest(`unexpected GroupVersion string: ${found.apiVersion}`);
  }
  return { ...parsed, kind };
}

/** The schema the body decodes by: the expected kind's, in whichever registered version. */
function checkKind(found: GroupVersionKind, target: BodyTarget): StructSchema {
  const schema = schemaOrReason(found, target);
  if (typeof schema !== "string") return schema;
  throw cannotBeHandled(found, target.kind, schema);
}

/** The schema of an object that says it is `found`; or why it can not become the expected kind. */
export function schemaOrReason(found: GroupVersionKind, target: BodyTarget): StructSchema | string {
  const { kind } = target;
  const sameKind = found.group === kind.group && found.kind === kind.kind;
  if (sameKind && found.version === kind.version) return target.schema;
  const other = schemaForKind(found);
  if (other === undefined) {
    const scheme = target.scheme ?? SCHEME;
    const version = apiVersionOf(found);
    return `no kind ${JSON.stringify(found.kind)} is registered for version ${JSON.stringify(version)} in scheme ${JSON.stringify(scheme)}`;
  }
  if (sameKind) return other;
  const from = `${found.version}.${found.kind}`;
  const to = `${internalPackage(kind.group)}.${kind.kind}`;
  return `converting (${from}) to (${to}): unknown conversion`;
}

function internalPackage(group: string): string {
  return group === "" ? "core" : (group.split(".", 1)[0] ?? group);
}

function checkVersion(found: GroupVersionKind, { kind }: BodyTarget): void {
  if (found.group === kind.group && found.version === kind.version) return;
  const data = apiVersionOf(found);
  throw api.badRequest(
    `the API version in the data (${data}) does not match the expected API version (${apiVersionOf(kind)})`,
  );
}

function cannotBeHandled(
  found: GroupVersionKind,
  expected: GroupVersionKind,
  why: string,
): StatusError {
  const version = JSON.stringify(found.version);
  return api.badRequest(
    `${found.kind} in version ${version} cannot be handled as a ${expected.kind}: ${why}`,
  );
}

/** Warns of, or refuses, what the decoder dropped. */
export function reportStrictErrors(
  request: AuthorizedRequest,
  errors: readonly string[],
  fieldValidation: FieldValidation,
  found: GroupVersionKind,
  expected: GroupVersionKind,
): void {
  if (errors.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Strict") {
    throw cannotBeHandled(found, expected, `strict decoding error: ${errors.join(", ")}`);
  }
  for (const text of errors) request.warnings.add(text);
}

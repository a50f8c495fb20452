/**
 * Metadata of custom resources, and of the objects embedded in them, as metav1.ObjectMeta has it.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/objectmeta.
 */
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../apimachinery/runtime/json.ts";
import { decodeJson } from "../../apimachinery/runtime/json-decode.ts";
import { encodeJsonValue } from "../../apimachinery/runtime/json-encode.ts";
import {
  type ErrorList,
  errorText,
  type FieldError,
  invalid,
  Path,
  required,
} from "../../apimachinery/validation/field.ts";
import {
  nameIsPathSegment,
  validateObjectMeta,
} from "../../apimachinery/validation/object-meta.ts";
import { structOf } from "../schemas.ts";
import { additionalSchema, isEmbedded, itemsSchema, propertyOf, type Schema } from "./schema.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";

export interface CoerceOptions {
  /** Leaves out what does not fit, as for stored objects; else it is an error. */
  readonly drop: boolean;
  /** Told the path of unknown fields. */
  readonly unknown: ((path: string) => void) | undefined;
}

/** Metadata with known fields only, in canonical form. Throws DecodeError. */
export function coerceMetadata(value: JsonValue, path: string, options: CoerceOptions): JsonObject {
  const schema = structOf(`${META}.ObjectMeta`);
  const { unknown } = options;
  const strict = unknown === undefined ? "Ignore" : "Strict";
  try {
    const { object, strictErrors } = decodeJson(encodeJsonValue(value), schema, { strict });
    for (const text of strictErrors) {
      const name = /^unknown field "(.*)"$/.exec(text)?.[1];
      if (name !== undefined) unknown?.(`${path}.${name}`);
    }
    return withoutEmpty(object);
  } catch (error) {
    if (!(error instanceof DecodeError) || !options.drop) throw error;
    return fittingMembers(value);
  }
}

/** Field by field: one that does not fit is left out. */
function fittingMembers(value: JsonValue): JsonObject {
  const kept: JsonObject = {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) return kept;
  const schema = structOf(`${META}.ObjectMeta`);
  for (const [name, member] of Object.entries(value)) {
    try {
      const text = encodeJsonValue({ [name]: member });
      Object.assign(kept, decodeJson(text, schema, { strict: "Ignore" }).object);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return withoutEmpty(kept);
}

/** As Go prints metadata: zero values are left out. */
export function withoutEmpty(metadata: JsonObject): JsonObject {
  for (const name of Object.keys(metadata)) {
    const value = metadata[name];
    const isEmpty =
      value === undefined ||
      value === null ||
      value === "" ||
      (value === 0 && name !== "deletionGracePeriodSeconds") ||
      (typeof value === "object" && Object.keys(value).length === 0);
    if (isEmpty) delete metadata[name];
  }
  return metadata;
}

/** Calls `visit` for every embedded object below `value`, which is one itself at the root. */
function eachEmbedded(
  value: JsonValue,
  schema: Schema,
  path: Path | undefined,
  visit: (object: JsonObject, path: Path) => void,
): void {
  if (Array.isArray(value)) {
    const items = itemsSchema(schema);
    if (items === undefined) return;
    for (const [i, item] of value.entries()) {
      enter(item, items, path === undefined ? Path.root(`[${i}]`) : path.index(i), visit);
    }
    return;
  }
  if (!isJsonObject(value)) return;
  const additional = additionalSchema(schema);
  for (const [name, member] of Object.entries(value)) {
    const own = propertyOf(schema, name);
    const at = path === undefined ? Path.root(name) : own ? path.child(name) : path.key(name);
    const of = own ?? additional;
    if (of !== undefined) enter(member ?? null, of, at, visit);
  }
}

function enter(
  value: JsonValue,
  schema: Schema,
  path: Path,
  visit: (object: JsonObject, path: Path) => void,
): void {
  if (isEmbedded(schema) && isJsonObject(value)) visit(value, path);
  eachEmbedded(value, schema, path, visit);
}

/** Brings embedded objects to their form, in place. Throws DecodeError. */
export function coerceEmbedded(object: JsonObject, schema: Schema, options: CoerceOptions): void {
  eachEmbedded(object, schema, undefined, (embedded, path) => {
    for (const name of ["apiVersion", "kind"]) {
      const value = embedded[name];
      if (value === undefined || typeof value === "string") continue;
      if (options.drop) delete embedded[name];
      else throw refused(invalid(`${path}.${name}`, value, "must be a string"));
    }
    const { metadata } = embedded;
    if (metadata === undefined) return;
    const at = `${path}.metadata`;
    try {
      embedded["metadata"] = coerceMetadata(metadata, at, options);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw refused(invalid(at, metadata, error.message));
    }
  });
}

function refused(error: FieldError): DecodeError {
  return new DecodeError("type", errorText(error));
}

const emptyOrSegment = (name: string, prefix: boolean) =>
  name === "" ? [] : nameIsPathSegment(name, prefix);

/** Whether embedded objects say what they are and have metadata that may be. */
export function validateEmbedded(object: JsonObject, schema: Schema): ErrorList {
  const errors: ErrorList = [];
  eachEmbedded(object, schema, undefined, (embedded, at) => {
    for (const name of ["apiVersion", "kind"]) {
      const value = embedded[name];
      if (value === undefined) errors.push(required(at.child(name)));
      else if (value === "") errors.push(required(at.child(name), "must not be empty"));
    }
    const { metadata } = embedded;
    const found = isJsonObject(metadata) ? metadata : {};
    const isNamespaced = found["namespace"] !== undefined;
    const errorsOfMeta = validateObjectMeta(
      found,
      isNamespaced,
      emptyOrSegment,
      at.child("metadata"),
    );
    const isNameMissing = ({ field, type }: FieldError) =>
      type === "Required" && field.endsWith(".metadata.name");
    errors.push(...errorsOfMeta.filter((error) => !isNameMissing(error)));
  });
  return errors;
}

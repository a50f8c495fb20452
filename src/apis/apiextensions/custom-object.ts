/**
 * Custom resources of one version as objects: what is kept of them, their defaults, their JSON.
 * Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go (schemaCoercingDecoder,
 * schemaCoercingConverter, unstructuredDefaulter).
 */
import { isJsonObject, type JsonObject } from "../../apimachinery/runtime/json.ts";
import { encodeSortedJson } from "../../apimachinery/runtime/json-encode.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import { pruneNullsWithoutDefaults, setSchemaDefaults } from "./defaulting.ts";
import { coerceEmbedded, coerceMetadata, withoutEmpty } from "./object-meta.ts";
import { pruneObject } from "./pruning.ts";
import { isEmbedded, propertyOf, type Schema, schemaHas } from "./schema.ts";

export interface CustomVersion {
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined: nothing is known of the objects, and nothing is dropped. */
  readonly schema: Schema | undefined;
}

export interface CustomObjects {
  /** Prunes in place and brings metadata to its form. Throws DecodeError unless `drop`. */
  coerce(
    object: JsonObject,
    unknown: ((path: string) => void) | undefined,
    drop: boolean,
  ): JsonObject;
  setDefaults(object: JsonObject): void;
  /** The version's stand-in for a Go type, with which handlers decode and encode. */
  readonly struct: StructSchema;
}

export function customObjects({ apiVersion, kind, schema }: CustomVersion): CustomObjects {
  const hasDefaults = schemaHas(schema, (one) => one.default !== undefined);
  const hasEmbedded = schemaHas(schema, isEmbedded);
  const coerce: CustomObjects["coerce"] = (object, unknown, drop) => {
    const { metadata } = object;
    if (metadata !== undefined) {
      object["metadata"] = coerceMetadata(metadata, "metadata", { drop, unknown });
    }
    if (schema === undefined) return object;
    pruneObject(object, schema, unknown);
    pruneNullsWithoutDefaults(withoutMetadata(object), schema);
    for (const name of Object.keys(object)) {
      if (isStrayNull(object, name, schema)) delete object[name];
    }
    if (hasEmbedded) coerceEmbedded(object, schema, { drop, unknown });
    return object;
  };
  return {
    coerce,
    setDefaults(object) {
      if (schema !== undefined && hasDefaults) setSchemaDefaults(object, schema);
    },
    struct: {
      kind: "struct",
      name: `${apiVersion}.${kind}`,
      fields: [],
      byJson: new Map(),
      atomic: false,
      unstructured: {
        coerce: (object, unknown) => coerce(object, unknown, false),
        encode: encodeCustom,
      },
    },
  };
}

/** metadata is not the schema's. */
function withoutMetadata(object: JsonObject): JsonObject {
  const { metadata: _metadata, ...rest } = object;
  return rest;
}

function isStrayNull(object: JsonObject, name: string, schema: Schema): boolean {
  if (object[name] !== null || name === "metadata") return false;
  const own = propertyOf(schema, name);
  return own !== undefined && own.nullable !== true && own.default === undefined;
}

/** JSON with sorted members; metadata without empty values. */
export function encodeCustom(object: JsonObject): string {
  const { metadata } = object;
  if (!isJsonObject(metadata)) {
    return encodeSortedJson(object);
  }
  return encodeSortedJson({ ...object, metadata: withoutEmpty({ ...metadata }) });
}

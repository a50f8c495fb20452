/**
 * The shape of an API type, compiled once from the generated tables: the one source for decoding,
 * encoding, pruning, strategic merge, apply and OpenAPI. Upstream's counterpart is a Go struct with
 * its tags. Inlined structs are flattened: their fields stand in the outer struct's list, in Go's
 * order; `inlined` tells the protobuf codec about the nested message they travel in.
 */
import type { JsonObject } from "./json.ts";

export type TypeSchema =
  | StructSchema
  | { readonly kind: "string"; readonly goName?: string; readonly enum?: readonly string[] }
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly bits: 32 | 64; readonly unsigned?: boolean }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  | { readonly kind: "bytes" }
  | ListSchema
  | MapSchema
  | { readonly kind: "quantity" }
  | { readonly kind: "intOrString" }
  | { readonly kind: "time" }
  | { readonly kind: "microTime" }
  | { readonly kind: "duration" }
  /** runtime.RawExtension: any JSON object, kept as it came. */
  | { readonly kind: "raw" }
  /** metav1.FieldsV1: JSON kept as it came. */
  | { readonly kind: "fieldsV1" }
  | JsonSchema;

/** apiextensions JSON, JSONSchemaPropsOrBool and the like: any JSON value. */
export interface JsonSchema {
  readonly kind: "json";
  readonly goName?: string;
  /** The struct that the object form of JSONSchemaPropsOr... holds. */
  readonly object?: StructSchema;
}

export interface StructSchema {
  readonly kind: "struct";
  /** The Go package and type: `k8s.io/api/core/v1.Pod`. */
  readonly name: string;
  readonly fields: readonly FieldSchema[];
  readonly byJson: ReadonlyMap<string, FieldSchema>;
  /** `x-kubernetes-map-type: atomic`: server-side apply treats the whole struct as one leaf. */
  readonly atomic: boolean;
  /** The definition's name in OpenAPI v2: `io.k8s.api.core.v1.Pod`. */
  readonly openapi?: string;
  /** The kinds the facts list for the type, as `group/version/kind`. */
  readonly kinds?: readonly string[];
  /** `x-kubernetes-map-type` of the definition: `atomic` or `granular`. */
  readonly mapType?: string;
  /** `x-kubernetes-unions` of the definition. */
  readonly unions?: readonly unknown[];
  /** Of a custom resource, which has no Go type: `fields` is empty, and these take over. */
  readonly unstructured?: Unstructured;
}

/** What an object without a Go type makes of its JSON. */
export interface Unstructured {
  /**
   * What is kept of an object as read; may change it in place. `unknown` is told the path of
   * everything dropped. Throws DecodeError for metadata that is none.
   */
  coerce(object: JsonObject, unknown: ((path: string) => void) | undefined): JsonObject;
  /** The object's JSON as Go prints a map: members sorted. */
  encode(object: JsonObject): string;
}

export interface ListSchema {
  readonly kind: "list";
  /** Present when the list type has a name of its own. */
  readonly goName?: string;
  readonly elem: TypeSchema;
  /** A list of pointers; decides nothing in JSON. */
  readonly elemPointer?: boolean;
  /** metav1.Verbs and ExtraValue: protobuf puts the list into a message (items = 1). */
  readonly wrapped?: boolean;
}

export interface MapSchema {
  readonly kind: "map";
  /** Present when the map type has a name of its own, e.g. ResourceList. */
  readonly goName?: string;
  readonly value: TypeSchema;
  readonly keyGoName?: string;
}

export interface FieldSchema {
  /** The JSON name. */
  readonly json: string;
  /** The Go name, as printed in values of Invalid errors. */
  readonly go: string;
  readonly type: TypeSchema;
  /** `*T` in Go: an explicit zero is kept and encoded; without it a zero equals absence. */
  readonly pointer: boolean;
  readonly omitempty: boolean;
  readonly omitzero: boolean;
  /** Protobuf field number and wire kind; undefined where the type has no protobuf. */
  readonly number?: number;
  readonly wire?: string;
  /** The chain of inlined messages (their field numbers) the field travels in; usually empty. */
  readonly inlined: readonly number[];
  /** Go names of the embedded structs the field was inlined from; error texts print them. */
  readonly embedded?: readonly string[];
  readonly required: boolean;
  readonly default?: unknown;
  readonly patchStrategy?: "merge" | "replace" | "retainKeys" | "merge,retainKeys";
  readonly patchMergeKey?: string;
  /** `x-kubernetes-list-type`; undefined means atomic. */
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
  /** `x-kubernetes-map-type: atomic` on this field. */
  readonly atomic: boolean;
  /** `x-kubernetes-map-type: granular` on this field: wins over an atomic struct. */
  readonly granular?: boolean;
  /** `x-kubernetes-map-type` of the field: `atomic` or `granular`. */
  readonly mapType?: string;
  readonly featureGate?: string;
  /** `format` in OpenAPI where the type alone does not tell. */
  readonly format?: string;
}

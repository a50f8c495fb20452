/**
 * OpenAPI definitions of built-in types, from the types table. Upstream: kube-openapi's generator and
 * builder. Version 2 has no defaults and refers plainly; version 3 has defaults and wraps a reference
 * that has siblings into `allOf`.
 */
import type { JsonObject, JsonValue } from "../../apimachinery/runtime/json.ts";
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../apimachinery/runtime/type-schema.ts";
import type { Descriptions } from "./descriptions.ts";

export type OpenApiVersion = 2 | 3;

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/** Types with a hand-written form: their definitions by kind. */
const HAND_WRITTEN: Readonly<Record<string, { name: string; v2: JsonObject; v3?: JsonObject }>> = {
  quantity: {
    name: QUANTITY,
    v2: { type: "string" },
    v3: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  intOrString: {
    name: INT_OR_STRING,
    v2: { format: "int-or-string", type: "string" },
    v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  time: { name: `${META}.Time`, v2: { format: "date-time", type: "string" } },
  microTime: { name: `${META}.MicroTime`, v2: { format: "date-time", type: "string" } },
  duration: { name: `${META}.Duration`, v2: { type: "string" } },
  raw: { name: "io.k8s.apimachinery.pkg.runtime.RawExtension", v2: { type: "object" } },
  fieldsV1: { name: `${META}.FieldsV1`, v2: { type: "object" } },
};

/** `k8s.io/api/core/v1.Pod` → `io.k8s.api.core.v1.Pod`. */
export function definitionName(goName: string): string {
  const [domain = "", ...path] = goName.split("/");
  return [...domain.split(".").reverse(), ...path].join(".");
}

function nameOf(schema: StructSchema): string {
  return schema.openapi ?? definitionName(schema.name);
}

/** Collects definitions as they are referred to. One per document. */
export class Definitions {
  readonly #version: OpenApiVersion;
  readonly #descriptions: Descriptions;
  readonly #groupVersion: string | undefined;
  readonly #built = new Map<string, JsonObject>();

  /**
   * `groupVersion`, `apps/v1`: the one that the document is about. Kinds that every group version has
   * (DeleteOptions, WatchEvent) are then listed for it and for the core alone; with CUSTOM_SCHEME for
   * the groups that the server of custom resources knows.
   */
  constructor(version: OpenApiVersion, descriptions: Descriptions, groupVersion?: string) {
    this.#version = version;
    this.#descriptions = descriptions;
    this.#groupVersion = groupVersion;
  }

  /** `{"$ref": ...}` of a struct; builds what it refers to. */
  refOf(schema: StructSchema): JsonObject {
    const name = nameOf(schema);
    if (!this.#built.has(name)) {
      const definition: JsonObject = {};
      // Registered first: types may refer to themselves.
      this.#built.set(name, definition);
      Object.assign(definition, this.#structDefinition(name, schema));
    }
    return this.#ref(name);
  }

  /** A definition that no table holds, e.g. `meta.v1.Patch`; its fields are strings. */
  add(name: string, definition: JsonObject): JsonObject {
    if (!this.#built.has(name)) this.#built.set(name, this.#described(name, definition));
    return this.#ref(name);
  }

  #described(name: string, definition: JsonObject): JsonObject {
    const described = withText(this.#descriptions.type(name), definition);
    const properties = definition["properties"] as JsonObject | undefined;
    if (properties === undefined) return described;
    const required = (definition["required"] ?? []) as JsonValue[];
    const fields = Object.entries(properties).map(([json, shown]) => {
      const zero = this.#version === 3 && required.includes(json) ? { default: "" } : {};
      const field = { ...(shown as JsonObject), ...zero };
      return [json, withText(this.#descriptions.field(name, json), field)];
    });
    return { ...described, properties: Object.fromEntries(fields) };
  }

  /** All definitions so far, by name, sorted. */
  all(): JsonObject {
    return Object.fromEntries([...this.#built].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #ref(name: string): JsonObject {
    const path = this.#version === 2 ? "#/definitions/" : "#/components/schemas/";
    return { $ref: path + name };
  }

  #structDefinition(name: string, schema: StructSchema): JsonObject {
    const properties: JsonObject = {};
    for (const field of [...schema.fields].sort((a, b) => (a.json < b.json ? -1 : 1))) {
      properties[field.json] = this.#property(name, field);
    }
    const required = schema.fields.filter((field) => field.required).map((field) => field.json);
    const description = this.#descriptions.type(name);
    return {
      ...(description === undefined ? {} : { description }),
      ...(schema.fields.length === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
      type: "object",
      ...(schema.kinds === undefined ? {} : { [GVK]: this.#kinds(schema.kinds) }),
      ...(schema.mapType === undefined ? {} : { "x-kubernetes-map-type": schema.mapType }),
      ...(schema.unions === undefined ? {} : { "x-kubernetes-unions": schema.unions as JsonValue }),
    };
  }

  #kinds(kinds: readonly string[]): JsonObject[] {
    const own = this.#groupVersion;
    if (own === undefined || kinds.length < EVERYWHERE) return kinds.map(kindObject);
    const isShown = (kind: string) =>
      own === CUSTOM_SCHEME
        ? !NOT_FOR_CUSTOM.test(kind)
        : kind.startsWith("/v1/") || kind.startsWith(`${own}/`);
    return kinds.filter(isShown).map(kindObject);
  }

  #property(owner: string, field: FieldSchema): JsonObject {
    const text = withPossibleValues(this.#descriptions.field(owner, field.json), field.type);
    const extensions = withText(text, fieldExtensions(field));
    const shown = this.#type(field.type);
    const value = this.#version === 3 ? defaultOf(field) : undefined;
    if (value !== undefined) extensions["default"] = value;
    if (!("$ref" in shown)) return { ...shown, ...extensions };
    if (this.#version === 2) return { ...extensions, ...shown };
    const name = owner.slice(owner.lastIndexOf(".") + 1);
    const bare = UNDOCUMENTED.has(name) || UNDOCUMENTED.has(`${name}.${field.json}`);
    return bare && value === undefined && text === undefined
      ? shown
      : { allOf: [shown], ...extensions };
  }

  #type(type: TypeSchema): JsonObject {
    const special = HAND_WRITTEN[type.kind];
    if (special !== undefined) {
      const form = this.#version === 3 ? (special.v3 ?? special.v2) : special.v2;
      return this.add(special.name, form);
    }
    switch (type.kind) {
      case "struct":
        return this.refOf(type);
      case "string": {
        const values = enumOf(type);
        return { type: "string", ...(values.length === 0 ? {} : { enum: values }) };
      }
      case "bool":
        return { type: "boolean" };
      case "int":
        return { format: `int${type.bits}`, type: "integer" };
      case "float":
        return { format: type.bits === 64 ? "double" : "float", type: "number" };
      case "bytes":
        return { format: "byte", type: "string" };
      case "list":
        return { items: this.#type(type.elem), type: "array" };
      case "map":
        return { additionalProperties: this.#type(type.value), type: "object" };
      case "json":
        return type.goName === undefined || !type.goName.includes("/")
          ? {}
          : this.add(definitionName(type.goName), {});
      default:
        return {};
    }
  }
}

const withText = (description: string | undefined, object: JsonObject): JsonObject =>
  description === undefined ? object : { description, ...object };

/** Enums whose constants the tables do not list. */
const MORE_ENUMS: Readonly<Record<string, readonly string[]>> = {
  "k8s.io/api/discovery/v1.AddressType": ["FQDN", "IPv4", "IPv6"],
  "k8s.io/api/networking/v1.PathType": ["Exact", "ImplementationSpecific", "Prefix"],
  "k8s.io/api/resource/v1.DeviceAllocationMode": ["All", "ExactCount"],
};

const enumOf = (type: TypeSchema): string[] =>
  type.kind === "string" ? [...(type.enum ?? MORE_ENUMS[type.goName ?? ""] ?? [])].sort() : [];

/** Upstream's texts end with the values of an enum; what each one means is not known here. */
function withPossibleValues(text: string | undefined, type: TypeSchema): string | undefined {
  const values = enumOf(type);
  if (values.length === 0) return text;
  const list = values.map((value) => ` - \`${JSON.stringify(value)}\``).join("\n");
  return `${text === undefined ? "" : `${text}\n\n`}Possible enum values:\n${list}`;
}

/** Where references have no text, so that version 3 does not wrap them. */
const UNDOCUMENTED: ReadonlySet<string> = new Set(["JSONSchemaProps", "IngressRule.http"]);
/** In place of a group version, for documents about custom resources. */
export const CUSTOM_SCHEME = "custom resources";
const NOT_FOR_CUSTOM = /^(?:admission|apiextensions|apiregistration|imagepolicy)\.k8s\.io\//;
/** From so many group versions on, a kind is one that all of them register. */
const EVERYWHERE = 30;
const GVK = "x-kubernetes-group-version-kind";

function kindObject(text: string): JsonObject {
  const [group = "", version = "", kind = ""] = text.split("/");
  return { group, kind, version };
}

function fieldExtensions(field: FieldSchema): JsonObject {
  return {
    ...(field.listType === undefined ? {} : { "x-kubernetes-list-type": field.listType }),
    ...(field.listMapKeys === undefined
      ? {}
      : { "x-kubernetes-list-map-keys": [...field.listMapKeys] }),
    ...(field.mapType === undefined ? {} : { "x-kubernetes-map-type": field.mapType }),
    ...(field.patchMergeKey === undefined
      ? {}
      : { "x-kubernetes-patch-merge-key": field.patchMergeKey }),
    ...(field.patchStrategy === undefined
      ? {}
      : { "x-kubernetes-patch-strategy": field.patchStrategy }),
  };
}

function zeroOf(type: TypeSchema): JsonValue | undefined {
  if (type.kind === "string") return "";
  if (type.kind === "bool") return false;
  if (type.kind === "int" || type.kind === "float") return 0;
  return type.kind === "struct" ? {} : undefined;
}

/** An explicit default, else Go's zero of a field that is always there. */
function defaultOf(field: FieldSchema): JsonValue | undefined {
  if (field.default !== undefined) return field.default as JsonValue;
  if (field.pointer) return undefined;
  if (field.type.kind !== "struct" && field.omitempty) return undefined;
  return zeroOf(field.type);
}

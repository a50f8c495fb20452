/**
 * OpenAPI definitions of built-in types, from the types table. Upstream: kube-openapi's generator and
 * builder. Version 2 has neither defaults nor enums and refers plainly; version 3 has both, and
 * wraps a reference that has siblings into `allOf`.
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
  readonly #built = new Map<string, JsonObject>();

  constructor(version: OpenApiVersion, descriptions: Descriptions) {
    this.#version = version;
    this.#descriptions = descriptions;
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

  /** A definition that no table holds, e.g. `meta.v1.Patch`. */
  add(name: string, definition: JsonObject): JsonObject {
    if (!this.#built.has(name)) this.#built.set(name, definition);
    return this.#ref(name);
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
      ...(schema.kinds === undefined ? {} : { [GVK]: schema.kinds.map(kindObject) }),
      ...(schema.mapType === undefined ? {} : { "x-kubernetes-map-type": schema.mapType }),
      ...(schema.unions === undefined ? {} : { "x-kubernetes-unions": schema.unions as JsonValue }),
    };
  }

  #property(owner: string, field: FieldSchema): JsonObject {
    const description = this.#descriptions.field(owner, field.json);
    const extensions: JsonObject = {
      ...(description === undefined ? {} : { description }),
      ...fieldExtensions(field),
    };
    const shown = this.#type(field.type);
    const value = this.#version === 3 ? defaultOf(field) : undefined;
    if (value !== undefined) extensions["default"] = value;
    if (!("$ref" in shown)) return { ...shown, ...extensions };
    if (this.#version === 2) return { ...extensions, ...shown };
    return Object.keys(extensions).length === 0 ? shown : { allOf: [shown], ...extensions };
  }

  #type(type: TypeSchema): JsonObject {
    const special = HAND_WRITTEN[type.kind];
    if (special !== undefined) {
      const form = this.#version === 3 ? (special.v3 ?? special.v2) : special.v2;
      const description = this.#descriptions.type(special.name);
      return this.add(special.name, {
        ...(description === undefined ? {} : { description }),
        ...form,
      });
    }
    switch (type.kind) {
      case "struct":
        return this.refOf(type);
      case "string": {
        const values = this.#version === 3 && type.enum !== undefined ? [...type.enum].sort() : [];
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
        return { items: this.#element(type.elem), type: "array" };
      case "map":
        return { additionalProperties: this.#element(type.value), type: "object" };
      case "json":
        return type.goName === undefined || !type.goName.includes("/")
          ? {}
          : this.add(definitionName(type.goName), {});
      default:
        return {};
    }
  }

  /** List items and map values: version 3 adds the zero value of what is no pointer. */
  #element(type: TypeSchema): JsonObject {
    const shown = this.#type(type);
    if (this.#version === 2) return shown;
    const zero = zeroOf(type);
    if (zero === undefined) return shown;
    return "$ref" in shown ? { allOf: [shown], default: zero } : { ...shown, default: zero };
  }
}

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

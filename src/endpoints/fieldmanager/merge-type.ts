/**
 * How values of a type merge: the schema of structured-merge-diff, compiled from the type tables as
 * upstream compiles it from OpenAPI. A type may allow a scalar, a list and a map at the same time.
 * Upstream: structured-merge-diff/schema/elements.go and kube-openapi/pkg/schemaconv/openapi.go.
 */
import type {
  FieldSchema,
  ListSchema,
  StructSchema,
  TypeSchema,
} from "../../apimachinery/runtime/type-schema.ts";
import { compareText } from "./value.ts";

export type Scalar = "numeric" | "string" | "boolean" | "untyped";

export interface MergeType {
  readonly scalar?: Scalar | undefined;
  readonly list?: MergeList | undefined;
  readonly map?: MergeMap | undefined;
}

export interface MergeList {
  readonly elem: MergeType;
  /** False: the whole list is one leaf. */
  readonly associative: boolean;
  /** Names of the key fields, sorted, as elements carry them; none for a set. */
  readonly keys: readonly string[];
  /** The key fields in the schema's order, for messages. */
  readonly declaredKeys: readonly string[];
}

export interface MergeMap {
  readonly fields: ReadonlyMap<string, MergeField>;
  /** The type of members that are no fields; undefined when there may be none. */
  readonly elem: MergeType | undefined;
  /** True: the whole map is one leaf. */
  readonly atomic: boolean;
}

export interface MergeField {
  readonly type: MergeType;
  readonly default?: unknown;
}

const NO_FIELDS: ReadonlyMap<string, MergeField> = new Map();

/** Anything, owned as one leaf. */
export const untypedAtomic: MergeType = {
  scalar: "untyped",
  get list() {
    return atomicList(untypedAtomic);
  },
  get map() {
    return { fields: NO_FIELDS, elem: untypedAtomic, atomic: true };
  },
};

/** Anything: maps are granular, lists are leaves. The type of objects that have no schema. */
export const deduced: MergeType = {
  scalar: "untyped",
  list: atomicList(untypedAtomic),
  get map() {
    return deducedMap;
  },
};
const deducedMap: MergeMap = { fields: NO_FIELDS, elem: deduced, atomic: false };

const STRING: MergeType = { scalar: "string" };
const NUMERIC: MergeType = { scalar: "numeric" };
const BOOLEAN: MergeType = { scalar: "boolean" };
const UNTYPED: MergeType = { scalar: "untyped" };
/** A JSON value without a declared type. */
const ANY_JSON: MergeType = {
  scalar: "untyped",
  list: atomicList(untypedAtomic),
  map: deducedMap,
};

function atomicList(elem: MergeType): MergeList {
  return { elem, associative: false, keys: [], declaredKeys: [] };
}

const structs = new WeakMap<StructSchema, { granular?: MergeType; atomic?: MergeType }>();

/** The merge type of a struct; the same object each time. */
export function mergeTypeOf(schema: StructSchema): MergeType {
  return structType(schema, schema.atomic);
}

function structType(schema: StructSchema, atomic: boolean): MergeType {
  const known = structs.get(schema) ?? {};
  structs.set(schema, known);
  const found = atomic ? known.atomic : known.granular;
  if (found !== undefined) return found;
  const made: MergeType = { map: new StructMap(schema, atomic) };
  if (atomic) known.atomic = made;
  else known.granular = made;
  return made;
}

/** Structs may hold themselves, so fields are compiled when first asked for. */
class StructMap implements MergeMap {
  readonly atomic: boolean;
  readonly elem: MergeType | undefined;
  readonly #schema: StructSchema;
  #fields: ReadonlyMap<string, MergeField> | undefined;

  constructor(schema: StructSchema, atomic: boolean) {
    this.#schema = schema;
    this.atomic = atomic;
    // OpenAPI: an object without properties and additionalProperties is of free form.
    this.elem = schema.fields.length === 0 ? deduced : undefined;
  }

  get fields(): ReadonlyMap<string, MergeField> {
    this.#fields ??= new Map(
      this.#schema.fields.map((field) => [field.json, fieldType(field)] as const),
    );
    return this.#fields;
  }
}

function fieldType(field: FieldSchema): MergeField {
  const type = typeOfField(field);
  return field.default === undefined ? { type } : { type, default: field.default };
}

function typeOfField(field: FieldSchema): MergeType {
  const { type } = field;
  if (type.kind === "list") return { list: fieldList(field, type) };
  if (type.kind === "map" && field.atomic) {
    return { map: { fields: NO_FIELDS, elem: typeOf(type.value), atomic: true } };
  }
  if (type.kind === "struct") return structType(type, field.atomic || type.atomic);
  const hasFormat = field.format !== undefined && field.format !== "" && field.format !== "byte";
  if (type.kind === "string" && hasFormat) return UNTYPED;
  return typeOf(type);
}

/** x-kubernetes-list-type decides; without it the patch strategy does. */
function fieldList(field: FieldSchema, type: ListSchema): MergeList {
  const elem = typeOf(type.elem);
  const merges = field.patchStrategy === "merge" || field.patchStrategy === "merge,retainKeys";
  const kind = field.listType ?? (merges ? (field.patchMergeKey ? "map" : "set") : "atomic");
  if (kind === "atomic") return atomicList(elem);
  if (kind === "set") return { elem, associative: true, keys: [], declaredKeys: [] };
  const declaredKeys = field.listMapKeys ?? (field.patchMergeKey ? [field.patchMergeKey] : []);
  const keys = [...declaredKeys].sort(compareText);
  return { elem, associative: true, keys, declaredKeys };
}

const listsOf = new WeakMap<TypeSchema, MergeType>();

function typeOf(type: TypeSchema): MergeType {
  switch (type.kind) {
    case "struct":
      return mergeTypeOf(type);
    case "string":
    case "bytes":
    case "duration":
      return STRING;
    case "int":
    case "float":
      return NUMERIC;
    case "bool":
      return BOOLEAN;
    case "quantity":
    case "intOrString":
    case "time":
    case "microTime":
      return UNTYPED;
    case "raw":
      return untypedAtomic;
    case "fieldsV1":
      return { map: deducedMap };
    case "json":
      return ANY_JSON;
    default: {
      const known = listsOf.get(type);
      if (known !== undefined) return known;
      const made: MergeType =
        type.kind === "list"
          ? { list: atomicList(typeOf(type.elem)) }
          : { map: { fields: NO_FIELDS, elem: typeOf(type.value), atomic: false } };
      listsOf.set(type, made);
      return made;
    }
  }
}

/** Which part of a type a value is handled by. */
export type Part = "map" | "scalar" | "list" | "none";

/** The part for a value: the one of its own kind, else the first the type has. */
export function partOf(type: MergeType, value: unknown): Part {
  if (value !== undefined && value !== null) {
    if (typeof value !== "object") {
      if (type.scalar !== undefined) return "scalar";
    } else if (Array.isArray(value)) {
      if (type.list !== undefined) return "list";
    } else if (type.map !== undefined) return "map";
  }
  if (type.map !== undefined) return "map";
  if (type.scalar !== undefined) return "scalar";
  return type.list === undefined ? "none" : "list";
}

/** The type of a map's member of that name; undefined when the schema does not know it. */
export function memberType(map: MergeMap, name: string): MergeType | undefined {
  return map.fields.get(name)?.type ?? map.elem;
}

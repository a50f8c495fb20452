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

/** What values of a type may be. All have the same shape, which keeps the walkers fast. */
export interface MergeType {
  readonly scalar: Scalar | undefined;
  readonly list: MergeList | undefined;
  readonly map: MergeMap | undefined;
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

export interface MergeField {
  readonly type: MergeType;
  readonly default?: unknown;
}
export type MergeFields = ReadonlyMap<string, MergeField>;

/** A struct or a map. Structs may hold themselves, so fields are compiled when first asked for. */
export class MergeMap {
  /** The type of members that are no fields; undefined when there may be none. */
  readonly elem: MergeType | undefined;
  /** True: the whole map is one leaf. */
  readonly atomic: boolean;
  readonly #compile: () => MergeFields;
  #fields: MergeFields | undefined;

  constructor(compile: () => MergeFields, elem: MergeType | undefined, atomic: boolean) {
    this.#compile = compile;
    this.elem = elem;
    this.atomic = atomic;
  }

  get fields(): MergeFields {
    this.#fields ??= this.#compile();
    return this.#fields;
  }
}

/** A type of the given parts: for structural schemas, which have no struct. */
export function mergeType(parts: Partial<MergeType>): MergeType {
  return { scalar: parts.scalar, list: parts.list, map: parts.map };
}

const NO_FIELDS: MergeFields = new Map();
const noFields = () => NO_FIELDS;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Anything, owned as one leaf. */
export const untypedAtomic: MergeType = makeUntypedAtomic();

function makeUntypedAtomic(): MergeType {
  const type: Mutable<MergeType> = mergeType({ scalar: "untyped" });
  type.list = atomicList(type);
  type.map = new MergeMap(noFields, type, true);
  return type;
}

/** Anything: maps are granular, lists are leaves. The type of objects that have no schema. */
export const deduced: MergeType = makeDeduced();

function makeDeduced(): MergeType {
  const list = atomicList(untypedAtomic);
  const type: Mutable<MergeType> = mergeType({ scalar: "untyped", list });
  type.map = new MergeMap(noFields, type, false);
  return type;
}

const STRING = mergeType({ scalar: "string" });
const NUMERIC = mergeType({ scalar: "numeric" });
const BOOLEAN = mergeType({ scalar: "boolean" });
const UNTYPED = mergeType({ scalar: "untyped" });
const FREE_MAP = mergeType({ map: new MergeMap(noFields, deduced, false) });
/** A JSON value without a declared type. */
const ANY_JSON = mergeType({
  scalar: "untyped",
  list: atomicList(untypedAtomic),
  map: new MergeMap(noFields, deduced, false),
});

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
  const compile = () =>
    new Map(schema.fields.map((field) => [field.json, fieldType(field)] as const));
  // OpenAPI: an object without properties and additionalProperties is of free form.
  const elem = schema.fields.length === 0 ? deduced : undefined;
  const made = mergeType({ map: new MergeMap(compile, elem, atomic) });
  if (atomic) known.atomic = made;
  else known.granular = made;
  return made;
}

function fieldType(field: FieldSchema): MergeField {
  const type = typeOfField(field);
  const fallback = field.default ?? zeroOf(field);
  return fallback === undefined ? { type } : { type, default: fallback };
}

/** What OpenAPI says of scalars that Go always prints: they default to their zero. */
function zeroOf({ pointer, omitempty, type }: FieldSchema): string | number | boolean | undefined {
  if (pointer || omitempty) return undefined;
  if (type.kind === "string") return "";
  if (type.kind === "int" || type.kind === "float") return 0;
  return type.kind === "bool" ? false : undefined;
}

function typeOfField(field: FieldSchema): MergeType {
  const { type } = field;
  if (type.kind === "list") return mergeType({ list: fieldList(field, type) });
  if (type.kind === "map" && field.atomic) {
    return mergeType({ map: new MergeMap(noFields, typeOf(type.value), true) });
  }
  if (type.kind === "struct") {
    return structType(type, field.granular === true ? false : field.atomic || type.atomic);
  }
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
      return FREE_MAP;
    case "json":
      return ANY_JSON;
    default: {
      const known = listsOf.get(type);
      if (known !== undefined) return known;
      const made =
        type.kind === "list"
          ? mergeType({ list: atomicList(typeOf(type.elem)) })
          : mergeType({ map: new MergeMap(noFields, typeOf(type.value), false) });
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

/** A type no value fits: stands where the schema knows no member. */
export const NOTHING: MergeType = mergeType({});

/** The type of a map's member of that name; undefined when the schema does not know it. */
export function memberType(map: MergeMap, name: string): MergeType | undefined {
  return map.fields.get(name)?.type ?? map.elem;
}

/**
 * The members a Go struct has in JSON, for objects held with zero values left out: `status: {}`,
 * `creationTimestamp: null`, `name: ""`. Ownership is decided on this view, as upstream decides it
 * on the struct. Upstream: structured-merge-diff/value/structreflect.go and reflectcache.go.
 */
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../apimachinery/runtime/type-schema.ts";
import { isEmptyMap, isMap, type Json, type JsonMap, put } from "./value.ts";

/** What a field adds or takes away when its value is Go's zero. */
interface FieldPlan {
  readonly field: FieldSchema;
  /** What an absent value shows as; undefined: it stays absent. */
  readonly zero: Json;
  /** Whether the value itself may need a view. */
  readonly descends: boolean;
}

interface StructPlan {
  readonly byName: ReadonlyMap<string, FieldPlan>;
  /** The fields that show even when absent. */
  readonly implied: readonly FieldPlan[];
}

const plans = new WeakMap<StructSchema, StructPlan>();

/**
 * The object with the members its Go struct would have. Unchanged parts are shared with `value`,
 * so nobody may write to the result.
 */
export function structView(schema: StructSchema, value: JsonMap): JsonMap {
  const { byName, implied } = planOf(schema);
  let out: JsonMap | undefined;
  for (const name in value) {
    const had = value[name];
    const plan = byName.get(name);
    const has = plan === undefined ? undefined : showField(plan, had);
    if (has === had) continue;
    out ??= { ...value };
    if (has === undefined) delete out[name];
    else put(out, name, has);
  }
  for (const { field, zero } of implied) {
    if (value[field.json] !== undefined) continue;
    out ??= { ...value };
    out[field.json] = zero;
  }
  return out ?? value;
}

function showField({ field, zero, descends }: FieldPlan, value: Json): Json {
  if (value === undefined || value === null) return zero;
  if (!field.pointer && field.omitempty && isOmitted(field.type, value)) return undefined;
  return descends ? showValue(field.type, value) : value;
}

/** Go's isEmptyValue: structs are never empty. */
function isOmitted({ kind }: TypeSchema, value: Json): boolean {
  if (value === "" || value === false || value === 0) {
    return (
      kind === "string" || kind === "bool" || kind === "int" || kind === "float" || kind === "bytes"
    );
  }
  if (Array.isArray(value)) return kind === "list" && value.length === 0;
  return kind === "map" && isMap(value) && isEmptyMap(value);
}

function showValue(type: TypeSchema, value: Json): Json {
  switch (type.kind) {
    case "struct":
      return isMap(value) ? structView(type, value) : value;
    case "list":
      return Array.isArray(value) ? mapList(type.elem, value) : value;
    case "map":
      return isMap(value) ? mapMembers(type.value, value) : value;
    default:
      return value;
  }
}

function mapList(elem: TypeSchema, items: readonly Json[]): readonly Json[] {
  let out: Json[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const shown = showValue(elem, items[i]);
    if (shown === items[i]) continue;
    out ??= [...items];
    out[i] = shown;
  }
  return out ?? items;
}

function mapMembers(type: TypeSchema, map: JsonMap): JsonMap {
  let out: JsonMap | undefined;
  for (const name of Object.keys(map)) {
    const shown = showValue(type, map[name]);
    if (shown === map[name]) continue;
    out ??= { ...map };
    put(out, name, shown);
  }
  return out ?? map;
}

function planOf(schema: StructSchema): StructPlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    const fields = schema.fields.map((field) => {
      return { field, zero: zeroOf(field), descends: hasStructs(field.type) };
    });
    plan = {
      byName: new Map(fields.map((entry) => [entry.field.json, entry])),
      implied: fields.filter(({ zero }) => zero !== undefined),
    };
    plans.set(schema, plan);
  }
  return plan;
}

/** True for types with structs inside, whose members may have to be shown. */
function hasStructs(type: TypeSchema): boolean {
  if (type.kind === "struct") return true;
  if (type.kind === "list") return hasStructs(type.elem);
  return type.kind === "map" && hasStructs(type.value);
}

/** What an absent field shows as. */
function zeroOf({ type, pointer, omitempty, omitzero }: FieldSchema): Json {
  if (omitzero) return undefined;
  if (pointer) return omitempty ? undefined : null;
  switch (type.kind) {
    case "struct":
      return structView(type, {});
    case "quantity":
      return "0";
    case "intOrString":
      return 0;
    case "duration":
      return "0s";
    case "time":
    case "microTime":
    case "raw":
    case "fieldsV1":
    case "json":
      return null;
    default:
      return omitempty ? undefined : zeroOfKind(type.kind);
  }
}

function zeroOfKind(kind: TypeSchema["kind"]): Json {
  if (kind === "string") return "";
  if (kind === "bool") return false;
  return kind === "int" || kind === "float" ? 0 : null;
}

/**
 * A deep copy in the form objects are held in: no nulls and no zero values in fields that are no
 * pointers. Members the schema does not know are kept, for the decoder to report.
 */
export function heldForm(schema: StructSchema, value: JsonMap): JsonMap {
  const { byName } = planOf(schema);
  const out: JsonMap = {};
  for (const name in value) {
    const member = value[name];
    if (member === null || member === undefined) continue;
    const field = byName.get(name)?.field;
    if (typeof member !== "object") {
      if (field === undefined || !isZero(field, member)) put(out, name, member);
      continue;
    }
    const held = heldValue(field?.type, member);
    if (field === undefined || !isZero(field, held)) put(out, name, held);
  }
  return out;
}

function isZero(field: FieldSchema, value: Json): boolean {
  if (field.pointer) return false;
  if (value === "" || value === false || value === 0) return field.type.kind !== "intOrString";
  return field.omitempty && isOmitted(field.type, value);
}

function heldValue(type: TypeSchema | undefined, value: Json): Json {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    const elem = type?.kind === "list" ? type.elem : undefined;
    return value.map((item) => heldValue(elem, item) ?? null);
  }
  if (!isMap(value)) return value;
  if (type?.kind === "struct") return heldForm(type, value);
  const inner = type?.kind === "map" ? type.value : undefined;
  const isFree = type?.kind === "raw" || type?.kind === "json";
  const out: JsonMap = {};
  for (const name of Object.keys(value)) {
    const held = heldValue(inner, value[name]);
    if (held !== undefined) put(out, name, held);
    else if (isFree) put(out, name, null);
  }
  return out;
}

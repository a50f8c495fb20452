/**
 * What a strategic merge patch needs to know of a type: which strategy and merge key a field has,
 * and the type below it.
 * Upstream: apimachinery/pkg/util/strategicpatch/meta.go and third_party/forked/golang/json.
 */
import { unknownError } from "../../../apimachinery/api/errors.ts";
import { bareTypeName } from "../../../apimachinery/runtime/go-text.ts";
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../../apimachinery/runtime/type-schema.ts";

export interface PatchMeta {
  /** The type of the field, or of a list's items. */
  readonly type: TypeSchema;
  /** `retainKeys` set aside; empty when there is none. */
  readonly strategy: "" | "merge" | "replace";
  readonly mergeKey: string;
}

/** The kind Go's reflection gives a type, for messages. */
export function goKindOf(type: TypeSchema): string {
  switch (type.kind) {
    case "struct":
    case "quantity":
    case "intOrString":
    case "time":
    case "microTime":
    case "raw":
    case "fieldsV1":
    case "json":
      return "struct";
    case "list":
    case "bytes":
      return "slice";
    case "int":
      return `${type.unsigned === true ? "uint" : "int"}${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "duration":
      return "struct";
    default:
      return type.kind;
  }
}

/** The field a member merges as. Throws 500 when the type has no such field, as upstream does. */
export function lookupStruct(type: TypeSchema, name: string): PatchMeta {
  const field = fieldOf(type, name);
  return metaOf(field, field.type);
}

/** As lookupStruct, with the type of the list's items. */
export function lookupSlice(type: TypeSchema, name: string): PatchMeta {
  const field = fieldOf(type, name);
  if (field.type.kind === "list") {
    if (field.type.elem.kind === "list") throw unknownError("unexpected slice of slice");
    return metaOf(field, field.type.elem);
  }
  if (field.pointer) return metaOf(field, field.type);
  throw unknownError(`expected slice or array type, but got: ${goKindOf(type)}`);
}

function metaOf(field: FieldSchema, type: TypeSchema): PatchMeta {
  const { patchStrategy, patchMergeKey } = field;
  const isMerge = patchStrategy === "merge" || patchStrategy === "merge,retainKeys";
  const strategy = isMerge ? "merge" : patchStrategy === "replace" ? "replace" : "";
  return { type, strategy, mergeKey: patchMergeKey ?? "" };
}

function fieldOf(type: TypeSchema, name: string): FieldSchema {
  const struct = type.kind === "json" ? type.object : type;
  if (struct?.kind !== "struct") {
    const kind = goKindOf(type);
    throw unknownError(
      `merging an object in json but data type is not struct, instead is: ${kind}`,
    );
  }
  const field = struct.byJson.get(name) ?? foldedField(struct, name);
  if (field !== undefined) return field;
  const struct_ = bareTypeName(struct.name);
  throw unknownError(
    `unable to find api field in struct ${struct_} for the json field ${JSON.stringify(name)}`,
  );
}

/** Go's second look: names that differ in case only. */
function foldedField(struct: StructSchema, name: string): FieldSchema | undefined {
  const folded = name.toLowerCase();
  return struct.fields.find(({ json }) => json.toLowerCase() === folded);
}

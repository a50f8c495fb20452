/**
 * x-kubernetes-list-type, -map-type and -list-map-keys: how lists and maps are merged.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.
 */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../apimachinery/validation/field.ts";
import { itemsSchema, type Schema } from "./schema.ts";

/** Types and keys that go together. `requireAtomic`: items of sets must be atomic. */
export function validateListType(schema: Schema, requireAtomic: boolean, at: Path): ErrorList {
  const errors: ErrorList = [];
  const type = schema.type ?? "";
  const mapType = schema["x-kubernetes-map-type"];
  const listType = schema["x-kubernetes-list-type"];
  const mustBe = (wanted: string, what: string) => {
    const detail = `must be ${wanted} if ${what} is specified`;
    const path = at.child("type");
    errors.push(type === "" ? required(path, detail) : invalid(path, type, detail));
  };
  if (mapType !== undefined && type !== "object") mustBe("object", "x-kubernetes-map-type");
  if (mapType !== undefined && !["atomic", "granular"].includes(mapType)) {
    errors.push(notSupported(at.child("x-kubernetes-map-type"), mapType, ["atomic", "granular"]));
  }
  if (listType !== undefined && type !== "array") mustBe("array", "x-kubernetes-list-type");
  else if (requireAtomic && listType === "set") errors.push(...validateSetItems(schema, at));
  const listTypes = ["atomic", "set", "map"];
  if (listType !== undefined && !listTypes.includes(listType)) {
    errors.push(notSupported(at.child("x-kubernetes-list-type"), listType, listTypes));
  }
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (keys.length > 0 && listType !== "map") {
    const path = at.child("x-kubernetes-list-type");
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(listType === undefined ? required(path, detail) : invalid(path, listType, detail));
  }
  if (listType === "map") errors.push(...validateMapItems(schema, keys, at));
  return errors;
}

function validateSetItems(schema: Schema, at: Path): ErrorList {
  const items = itemsSchema(schema);
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items?.["x-kubernetes-list-type"];
  if (items?.type === "array" && listType !== undefined && listType !== "atomic") {
    return [invalid(at.child("items", "x-kubernetes-list-type"), listType, detail)];
  }
  if (items?.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    return [invalid(at.child("items", "x-kubernetes-map-type"), listType ?? null, detail)];
  }
  return [];
}

function validateMapItems(schema: Schema, keys: readonly string[], at: Path): ErrorList {
  const errors: ErrorList = [];
  const keysAt = at.child("x-kubernetes-list-map-keys");
  if (keys.length === 0) {
    errors.push(required(keysAt, "must not be empty if x-kubernetes-list-type is map"));
  }
  const items = itemsSchema(schema);
  if (schema.items === undefined) {
    const detail = "must have a schema if x-kubernetes-list-type is map";
    errors.push(required(at.child("items"), detail));
  } else if (items === undefined) {
    const detail = "must only have a single schema if x-kubernetes-list-type is map";
    errors.push(invalid(at.child("items"), schema.items, detail));
  }
  if (items === undefined) return errors;
  if (items.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(at.child("items", "type"), items.type ?? "", detail)];
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const own = items.properties ?? {};
    const property = Object.hasOwn(own, key) ? own[key] : undefined;
    if (property === undefined) {
      errors.push(invalid(keysAt, keys, "entries must all be names of item properties"));
    } else if (property.type === "array" || property.type === "object") {
      const path = at.child("items", "properties").key(key).child("type");
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(path, items.type, detail));
    }
    if (seen.has(key)) errors.push(invalid(keysAt, keys, "must not contain duplicate entries"));
    seen.add(key);
  }
  return errors;
}

/** Keys are always there; items of sets and maps are never null. */
export function validateMapListKeysMapSet(schema: Schema, at: Path): ErrorList {
  const items = itemsSchema(schema);
  const listType = schema["x-kubernetes-list-type"];
  if (items === undefined || (listType !== "set" && listType !== "map")) return [];
  const errors: ErrorList = [];
  if (items.nullable) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(at.child("items", "nullable"), detail));
  }
  if (listType === "set") return errors;
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const own = items.properties ?? {};
    const property = Object.hasOwn(own, key) ? own[key] : undefined;
    if (property === undefined) continue;
    const path = at.child("items", "properties").key(key);
    const lead = "this property is in x-kubernetes-list-map-keys, so it";
    if (!(items.required ?? []).includes(key) && property.default === undefined) {
      const detail = `${lead} must have a default or be a required property`;
      errors.push(required(path.child("default"), detail));
    }
    if (property.nullable) {
      errors.push(forbidden(path.child("nullable"), `${lead} cannot be nullable`));
    }
  }
  return errors;
}

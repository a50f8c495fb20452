/**
 * Values against a schema, in go-openapi's words: what defaults of a custom resource's schema must
 * pass. Upstream: k8s.io/kube-openapi/pkg/validation/validate, and
 * apiextensions-apiserver/pkg/apiserver/validation.
 */
import { isJsonObject, type JsonValue } from "../../apimachinery/runtime/json.ts";
import { semanticDeepEqual } from "../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  invalid,
  notSupported,
  type Path,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "../../apimachinery/validation/field.ts";
import { compilePattern } from "../cel/library/regex.ts";
import { hasFormat } from "./formats.ts";
import { oldItems } from "./list-values.ts";
import { additionalSchema, itemsSchema, propertyOf, type Schema } from "./schema.ts";

/**
 * Errors of `value` at `at`; `name` is the path below it, as go-openapi prints it. What is equal to
 * the `old` value in the same place has none: errors that were there before do not stop an update.
 */
export function validateSchemaValue(
  value: JsonValue,
  schema: Schema,
  at: SchemaPlace,
  name = "",
  old?: JsonValue,
): ErrorList {
  if (value === null && schema.nullable) return [];
  const errors = valueErrors(value, schema, at, name, old);
  const isAsBefore = errors.length > 0 && old !== undefined && semanticDeepEqual(value, old);
  return isAsBefore ? [] : errors;
}

/** Where a value stands: below a path, or in a whole object, at whose root there is no path. */
export type SchemaPlace = Path | undefined;

function placeOf(at: SchemaPlace, name: string): Path | string {
  if (at === undefined) return name;
  return name === "" ? at : at.child(name);
}

function valueErrors(
  value: JsonValue,
  schema: Schema,
  at: SchemaPlace,
  name: string,
  old: JsonValue | undefined,
): ErrorList {
  const place = placeOf(at, name);
  const errors: ErrorList = [];
  const types = schema["x-kubernetes-int-or-string"]
    ? ["integer", "string"]
    : schema.type
      ? [schema.type]
      : [];
  const got = typeOf(value);
  const fits = types.length === 0 || types.some((type) => typeFits(type, got));
  if (!fits) {
    const several = at === undefined ? types.join(",") : `[${types.join(" ")}]`;
    const wanted = types.length === 1 ? types[0] : several;
    const detail = `${name} in body must be of type ${wanted}: ${JSON.stringify(got)}`;
    errors.push(typeInvalid(place, got, detail));
  }
  if (typeof value === "number" || typeof value === "bigint") {
    const odd = at === undefined ? "<nil>" : place;
    errors.push(...validateNumber(value, schema, place, name, odd));
  } else if (typeof value === "string") errors.push(...validateText(value, schema, place, name));
  else if (Array.isArray(value)) errors.push(...validateList(value, schema, at, name, old));
  else if (typeof value === "object" && value !== null) {
    errors.push(...validateObject(value as Record<string, JsonValue>, schema, at, name, old));
  }
  if (schema.enum !== undefined && !schema.enum.some((one) => semanticDeepEqual(one, value))) {
    const texts = schema.enum.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    errors.push(notSupported(place, value, texts));
  }
  return [...errors, ...validateCombinations(value, schema, at, name, old)];
}

/** What fits a 64 bit integer. */
const isInteger = (value: number) => Number.isInteger(value) && Math.abs(value) < 2 ** 63;

function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return isInteger(value) ? "integer" : "number";
  return typeof value === "boolean" ? "boolean" : typeof value;
}

function typeFits(type: string, got: string): boolean {
  return type === got || (type === "number" && got === "integer");
}

/** Errors about the type of a boundary or of the value have no path: they stand at `odd`. */
function validateNumber(
  value: number | bigint,
  schema: Schema,
  at: Path | string,
  name: string,
  odd: Path | string,
): ErrorList {
  const errors: ErrorList = [];
  const wantsInteger = schema.type === "integer";
  const limits = [schema.minimum, schema.maximum, schema.multipleOf];
  if (wantsInteger && typeof value === "number" && !isInteger(value)) {
    const hasNone = limits.every((limit) => limit === undefined);
    if (hasNone && typeof odd !== "string") return errors;
    const detail = `Checked value must be of type integer (default format) in ${name}`;
    return [invalid(odd, "", detail)];
  }
  const isInt32 = wantsInteger && schema.format === "int32" && typeof odd === "string";
  if (isInt32 && (value >= 2 ** 31 || value < -(2 ** 31))) {
    const detail = `Checked value must be of type integer with format int32 in ${name}`;
    return [invalid(odd, "", detail)];
  }
  const bad = (what: string, limit: number | undefined) => {
    if (!wantsInteger || limit === undefined || Number.isInteger(limit)) return false;
    const detail = `${what} must be of type integer (default format) in ${name}`;
    errors.push(invalid(odd, "", detail));
    return true;
  };
  const { multipleOf, maximum, minimum } = schema;
  const number = Number(value);
  if (!bad("MultipleOf value", multipleOf) && multipleOf !== undefined) {
    const ratio = number / multipleOf;
    if (!Number.isInteger(ratio)) {
      errors.push(invalid(at, value, `${name} in body should be a multiple of ${multipleOf}`));
    }
  }
  if (!bad("Maximum boundary value", maximum) && maximum !== undefined) {
    const over = schema.exclusiveMaximum ? number >= maximum : number > maximum;
    const than = schema.exclusiveMaximum ? "less than" : "less than or equal to";
    if (over) errors.push(invalid(at, value, `${name} in body should be ${than} ${maximum}`));
  }
  if (!bad("Minimum boundary value", minimum) && minimum !== undefined) {
    const under = schema.exclusiveMinimum ? number <= minimum : number < minimum;
    const than = schema.exclusiveMinimum ? "greater than" : "greater than or equal to";
    if (under) errors.push(invalid(at, value, `${name} in body should be ${than} ${minimum}`));
  }
  return errors;
}

function validateText(value: string, schema: Schema, at: Path | string, name: string): ErrorList {
  const errors: ErrorList = [];
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    errors.push(tooLong(at, Number(schema.maxLength)));
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    const detail = `${name} in body should be at least ${schema.minLength} chars long`;
    errors.push(invalid(at, value, detail));
  }
  if (schema.pattern && !matches(schema.pattern, value)) {
    errors.push(invalid(at, value, `${name} in body should match '${schema.pattern}'`));
  }
  if (schema.format && !hasFormat(value, schema.format)) {
    const detail = `${name} in body must be of type ${schema.format}: ${JSON.stringify(value)}`;
    errors.push(typeInvalid(at, value, detail));
  }
  return errors;
}

function matches(pattern: string, value: string): boolean {
  const found = compilePattern(pattern);
  return "problem" in found || found.test(value);
}

function validateList(
  value: readonly JsonValue[],
  schema: Schema,
  at: SchemaPlace,
  name: string,
  old: JsonValue | undefined,
): ErrorList {
  const errors: ErrorList = [];
  const place = placeOf(at, name);
  const { minItems, maxItems } = schema;
  if (minItems !== undefined && value.length < minItems) {
    const detail = `${name} in body should have at least ${minItems} items`;
    errors.push(invalid(place, value.length, detail));
  }
  if (maxItems !== undefined && value.length > maxItems) {
    errors.push(tooMany(place, value.length, Number(maxItems)));
  }
  const items = itemsSchema(schema);
  if (items === undefined) return errors;
  const before = oldItems(schema, old);
  for (const [i, item] of value.entries()) {
    errors.push(...validateSchemaValue(item, items, at, `${name}[${i}]`, before?.(item)));
  }
  return errors;
}

function validateObject(
  value: Readonly<Record<string, JsonValue>>,
  schema: Schema,
  at: SchemaPlace,
  name: string,
  old: JsonValue | undefined,
): ErrorList {
  const errors: ErrorList = [];
  const place = placeOf(at, name);
  const below = (key: string) => (name === "" ? key : `${name}.${key}`);
  const count = Object.keys(value).length;
  const { minProperties, maxProperties } = schema;
  if (minProperties !== undefined && count < minProperties) {
    const detail = `${name} in body should have at least ${minProperties} properties`;
    errors.push(invalid(place, count, detail));
  }
  if (maxProperties !== undefined && count > maxProperties) {
    errors.push(tooMany(place, count, Number(maxProperties)));
  }
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) errors.push(required(placeOf(at, below(key))));
  }
  const additional = additionalSchema(schema);
  for (const [key, member] of Object.entries(value)) {
    const property = propertyOf(schema, key) ?? additional;
    if (property !== undefined) {
      const before = isJsonObject(old) && Object.hasOwn(old, key) ? old[key] : undefined;
      errors.push(...validateSchemaValue(member, property, at, below(key), before));
    }
  }
  return errors;
}

function validateCombinations(
  value: JsonValue,
  schema: Schema,
  at: SchemaPlace,
  name: string,
  old: JsonValue | undefined,
): ErrorList {
  const errors: ErrorList = [];
  // Of whole objects, go-openapi gives these errors no path.
  const place = at === undefined ? "<nil>" : placeOf(at, name);
  const of = (one: Schema) => validateSchemaValue(value, one, at, name, old);
  const fail = (what: string) => {
    const lead = `${JSON.stringify(name)} must validate`;
    errors.push(invalid(place, "", `${lead} ${what}`));
  };
  const any = schema.anyOf ?? [];
  if (any.length > 0 && !any.some((one) => of(one).length === 0)) {
    fail("at least one schema (anyOf)");
    errors.push(...any.slice(0, 1).flatMap(of));
  }
  const one = schema.oneOf ?? [];
  const fitting = one.filter((each) => of(each).length === 0).length;
  if (one.length > 0 && fitting !== 1) {
    const found = fitting === 0 ? "Found none valid" : `Found ${fitting} valid alternatives`;
    fail(`one and only one schema (oneOf). ${found}`);
    if (fitting === 0 && at === undefined) errors.push(...one.slice(0, 1).flatMap(of));
  }
  const all = (schema.allOf ?? []).flatMap(of);
  if (all.length > 0) {
    if (at === undefined) errors.push(...all);
    fail("all the schemas (allOf)");
    if (at !== undefined) errors.push(...all);
  }
  if (schema.not !== undefined && of(schema.not).length === 0) {
    const lead = JSON.stringify(name);
    errors.push(invalid(place, "", `${lead} must not validate the schema (not)`));
  }
  return errors;
}

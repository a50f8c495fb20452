/**
 * What makes a schema structural: a type for every value, and value validations that do not decide
 * the shape. Upstream: apiextensions-apiserver/pkg/apiserver/schema/validation.go.
 */
import {
  type ErrorList,
  errorText,
  forbidden,
  invalid,
  type Path,
  required,
} from "../../apimachinery/validation/field.ts";
import { additionalSchema, itemsSchema, type Schema } from "./schema.ts";

type Level = "root" | "item" | "field";

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

/** Errors of a schema that has a structural form, sorted by their text as upstream sorts them. */
export function validateStructural(schema: Schema, at: Path): ErrorList {
  const errors = [...validateInvariants(schema, "root", at), ...validateCompleteness(schema, at)];
  const texts = new Map(errors.map((error) => [error, errorText(error)]));
  return errors.sort((a, b) => {
    const [left, right] = [texts.get(a) ?? "", texts.get(b) ?? ""];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

function validateInvariants(schema: Schema, level: Level, at: Path): ErrorList {
  const errors: ErrorList = [];
  const items = itemsSchema(schema);
  if (schema.type === "array" && items === undefined) {
    errors.push(required(at.child("items"), "must be specified"));
  }
  if (items !== undefined) errors.push(...validateInvariants(items, "item", at.child("items")));
  const properties = schema.properties ?? {};
  for (const [name, property] of Object.entries(properties)) {
    const path = at.child("properties").key(name);
    errors.push(...validateInvariants(property, "field", path));
  }
  const additional = additionalSchema(schema);
  if (schema.additionalProperties !== undefined && level === "root") {
    errors.push(forbidden(at.child("additionalProperties"), "must not be used at the root"));
  }
  if (additional !== undefined) {
    const path = at.child("additionalProperties");
    errors.push(...validateInvariants(additional, "field", path));
  }
  errors.push(...validateExtensions(schema, at));
  const skipAny = isIntOrStringAnyOf(schema.anyOf);
  const skipFirst = isIntOrStringAnyOf(schema.allOf?.[0]?.anyOf);
  errors.push(...validateValues(schema, skipAny, skipFirst, at));
  errors.push(...validateType(schema, level, at));
  const checkMetadata = level === "root" || schema["x-kubernetes-embedded-resource"] === true;
  errors.push(...validateTypeMeta(properties, checkMetadata, at));
  const metadata = Object.hasOwn(properties, "metadata") ? properties["metadata"] : undefined;
  if (metadata !== undefined) {
    const path = at.child("properties").key("metadata");
    errors.push(...validateMetadata(metadata, checkMetadata, level, path));
  }
  const bare =
    schema["x-kubernetes-embedded-resource"] &&
    !schema["x-kubernetes-preserve-unknown-fields"] &&
    Object.keys(properties).length === 0;
  if (bare) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(at.child("properties"), detail));
  }
  return errors;
}

function validateType(schema: Schema, level: Level, at: Path): ErrorList {
  const errors: ErrorList = [];
  const type = schema.type ?? "";
  const path = at.child("type");
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const anyType =
    schema["x-kubernetes-int-or-string"] || schema["x-kubernetes-preserve-unknown-fields"];
  if (embedded && type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(path, detail) : invalid(path, type, detail));
  } else if (type === "" && !anyType) errors.push(required(path, EMPTY_TYPE[level]));
  if (embedded && schema.additionalProperties !== undefined) {
    const detail = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbidden(at.child("additionalProperties"), detail));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(invalid(path, type, "must be object at the root"));
  }
  return errors;
}

function validateTypeMeta(
  properties: Readonly<Record<string, Schema>>,
  check: boolean,
  at: Path,
): ErrorList {
  if (!check) return [];
  return ["kind", "apiVersion"].flatMap((name) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined || property.type === "string") return [];
    const path = at.child("properties").key(name).child("type");
    return [invalid(path, property.type ?? "", "must be string")];
  });
}

/** At the root, metadata's schema may speak of name and generateName only. */
function validateMetadata(metadata: Schema, check: boolean, level: Level, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (check && metadata.type !== "object") {
    errors.push(invalid(at.child("type"), metadata.type ?? "", "must be object"));
  }
  if (level !== "root") return errors;
  const { type: _type, default: _default, properties = {}, ...rest } = metadata;
  const others = Object.keys(properties).filter((name) => !["name", "generateName"].includes(name));
  const isSet = (value: unknown) =>
    value !== undefined &&
    value !== false &&
    value !== "" &&
    !(Array.isArray(value) && value.length === 0);
  if (others.length > 0 || Object.values(rest).some(isSet)) {
    const detail =
      "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(forbidden(at, detail));
  }
  return errors;
}

function validateExtensions(schema: Schema, at: Path): ErrorList {
  if (!schema["x-kubernetes-int-or-string"]) return [];
  const errors: ErrorList = [];
  const detail = "must be false if x-kubernetes-int-or-string is true";
  for (const name of [
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
  ] as const) {
    if (schema[name]) errors.push(invalid(at.child(name), true, detail));
  }
  return errors;
}

/** `anyOf: [{type: integer}, {type: string}]`, which int-or-string schemas may have. */
function isIntOrStringAnyOf(anyOf: readonly Schema[] | undefined): boolean {
  if (anyOf?.length !== 2) return false;
  const only = (schema: Schema | undefined, type: string) =>
    schema !== undefined && schema.type === type && Object.keys(schema).length === 1;
  return only(anyOf[0], "integer") && only(anyOf[1], "string");
}

function validateValues(
  schema: Schema,
  skipAnyOf: boolean,
  skipFirstAllOf: boolean,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, one] of (skipAnyOf ? [] : (schema.anyOf ?? [])).entries()) {
    errors.push(...validateNested(one, false, at.child("anyOf").index(i)));
  }
  for (const [i, one] of (schema.allOf ?? []).entries()) {
    errors.push(...validateNested(one, skipFirstAllOf && i === 0, at.child("allOf").index(i)));
  }
  for (const [i, one] of (schema.oneOf ?? []).entries()) {
    errors.push(...validateNested(one, false, at.child("oneOf").index(i)));
  }
  if (schema.not !== undefined) errors.push(...validateNested(schema.not, false, at.child("not")));
  const problem = schema.pattern ? patternProblem(schema.pattern) : undefined;
  if (problem !== undefined) {
    const detail = `must be a valid regular expression, but isn't: ${problem}`;
    errors.push(invalid(at.child("pattern"), schema.pattern, detail));
  }
  return errors;
}

/** Go's words for the commonest mistakes in a regular expression; undefined: it compiles. */
function patternProblem(pattern: string): string | undefined {
  const lookaround = /\(\?(?:<?[=!])/.exec(pattern);
  if (lookaround !== null) {
    return `error parsing regexp: invalid or unsupported Perl syntax: \`${lookaround[0]}\``;
  }
  const go = pattern.replace(/\(\?P</g, "(?<").replace(/^\(\?[imsU]+\)/, "");
  try {
    new RegExp(go.replace(/\\z/g, "$").replace(/\\A/g, "^"));
    return undefined;
  } catch {
    return goRegexpError(pattern);
  }
}

function goRegexpError(pattern: string): string {
  const lead = "error parsing regexp: ";
  if (/^[*+?]/.test(pattern)) {
    return `${lead}missing argument to repetition operator: \`${pattern[0]}\``;
  }
  const bracket = pattern.lastIndexOf("[");
  if (bracket !== -1 && !pattern.slice(bracket).includes("]")) {
    return `${lead}missing closing ]: \`${pattern.slice(bracket)}\``;
  }
  const opened = pattern.replace(/\\./g, "").split("(").length;
  const closed = pattern.replace(/\\./g, "").split(")").length;
  if (closed > opened) return `${lead}unexpected ): \`${pattern}\``;
  if (opened > closed) return `${lead}missing closing ): \`${pattern}\``;
  if (pattern.endsWith("\\")) return `${lead}trailing backslash at end of expression: \`\``;
  return `${lead}invalid regexp: \`${pattern}\``;
}

const MUST_BE_ABSENT: readonly (readonly [keyof Schema, string])[] = [
  ["type", "must be empty to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

/** Inside allOf, anyOf, oneOf and not, only values are judged. */
function validateNested(schema: Schema, skipAnyOf: boolean, at: Path): ErrorList {
  const errors = validateValues(schema, skipAnyOf, false, at);
  const items = itemsSchema(schema);
  if (items !== undefined) errors.push(...validateNested(items, false, at.child("items")));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateNested(property, false, at.child("properties").key(name)));
  }
  const { additionalProperties: additional } = schema;
  if (additional !== undefined && additional !== false) {
    const detail = "must be undefined to be structural";
    errors.push(forbidden(at.child("additionalProperties"), detail));
  }
  for (const [name, detail] of MUST_BE_ABSENT) {
    const value = schema[name];
    const empty =
      value === undefined ||
      (name !== "default" && (value === "" || value === false)) ||
      (Array.isArray(value) && value.length === 0);
    if (!empty) errors.push(forbidden(at.child(name), detail));
  }
  if (Object.hasOwn(schema.properties ?? {}, "metadata")) {
    const path = at.child("properties").key("metadata");
    errors.push(forbidden(path, "must not be specified in a nested context"));
  }
  return errors;
}

/**
 * Every value that is judged also has a place in the shape.
 * Upstream: pkg/apiserver/schema/complete.go.
 */
function validateCompleteness(schema: Schema, at: Path): ErrorList {
  const errors = completeValues(schema, schema, at);
  const items = itemsSchema(schema);
  if (items !== undefined) errors.push(...validateCompleteness(items, at.child("items")));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateCompleteness(property, at.child("properties").key(name)));
  }
  const additional = additionalSchema(schema);
  if (additional !== undefined) {
    errors.push(...validateCompleteness(additional, at.child("additionalProperties")));
  }
  return errors;
}

function completeValues(values: Schema, shape: Schema, at: Path): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [i, one] of (values[name] ?? []).entries()) {
      errors.push(...completeNested(one, shape, at.child(name).index(i)));
    }
  }
  if (values.not !== undefined) errors.push(...completeNested(values.not, shape, at.child("not")));
  return errors;
}

function completeNested(values: Schema, shape: Schema, at: Path): ErrorList {
  const errors = completeValues(values, shape, at);
  const items = itemsSchema(values);
  const shapeItems = itemsSchema(shape);
  if (items !== undefined && shapeItems === undefined) {
    const place = `${String(at.child("items")).replace(/\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not/g, "")}`;
    errors.push(required(place, `because it is defined in ${at.child("items")}`));
  } else if (items !== undefined && shapeItems !== undefined) {
    errors.push(...completeNested(items, shapeItems, at.child("items")));
  }
  for (const [name, property] of Object.entries(values.properties ?? {})) {
    const path = at.child("properties").key(name);
    const own = shape.properties;
    const place = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
    if (place !== undefined) errors.push(...completeNested(property, place, path));
    else {
      const missing = String(path).replace(/\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not/g, "");
      errors.push(required(missing, `because it is defined in ${path}`));
    }
  }
  return errors;
}

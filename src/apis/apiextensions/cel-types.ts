/**
 * The CEL types of a custom resource's schema, and the checks of its x-kubernetes-validations.
 * Upstream: apiserver/pkg/cel/common/schemas.go; apiextensions-apiserver/pkg/apiserver/schema/cel.
 */
import { type CelCompilation, compileCel, resultProblem, usesVariable } from "../cel/compile.ts";
import {
  BOOL,
  type CelField,
  type CelType,
  DOUBLE,
  DYN,
  INT,
  objectType,
  optionalOf,
  STRING,
} from "../cel/types.ts";
import { additionalSchema, isEmbedded, itemsSchema, type Schema } from "./schema.ts";
import type { ValidationRule } from "./v1/types.ts";

/** The largest request, whose size bounds what a schema leaves open. */
const REQUEST_SIZE_MAX = 3 * 1024 * 1024;
/** Of formats of strings: the longest and the shortest text with its quotes. */
const DATE_SIZE = 12;
const DATETIME_SIZE_MAX = 32;
const DATETIME_SIZE_MIN = 21;
const DURATION_SIZE_MAX = 32;
const DURATION_SIZE_MIN = 3;

/** A type and the fewest bytes that a value of it has as JSON. */
interface Declared {
  readonly type: CelType;
  readonly bytesMin: number;
}

const metadataType = objectType("metadata", { name: STRING, generateName: STRING });
const SCALARS: Readonly<Record<string, Declared>> = {
  boolean: { type: BOOL, bytesMin: 4 },
  integer: { type: INT, bytesMin: 1 },
  number: { type: DOUBLE, bytesMin: 1 },
};

/**
 * The type of a value of `schema`; undefined: expressions do not see it. `resource`: it has
 * apiVersion, kind and metadata. `name` is the type's, from the root's on.
 */
export function celTypeOf(schema: Schema, resource: boolean, name = "self"): CelType | undefined {
  return declared(schema, resource, name)?.type;
}

/** How many values of `schema` a request can hold, by the fewest bytes one has. */
export function countMax(schema: Schema, resource: boolean): number {
  const bytesMin = declared(schema, resource, "self")?.bytesMin ?? 0;
  return Math.floor(REQUEST_SIZE_MAX / (bytesMin + 1));
}

function declared(schema: Schema, resource: boolean, name: string): Declared | undefined {
  if (schema["x-kubernetes-int-or-string"]) {
    return { type: { kind: "dyn", max: textMax(schema, REQUEST_SIZE_MAX - 2) }, bytesMin: 1 };
  }
  if (resource || schema.type === "object") return declaredObject(schema, resource, name);
  switch (schema.type) {
    case "array":
      return declaredList(schema, name);
    case "string":
      return declaredString(schema);
    default:
      return SCALARS[schema.type ?? ""];
  }
}

function declaredList(schema: Schema, name: string): Declared | undefined {
  const items = itemsSchema(schema);
  const elem = items && declared(items, isEmbedded(items), `${name}.@idx`);
  if (elem === undefined) return undefined;
  const open = Math.floor((REQUEST_SIZE_MAX - 2) / (elem.bytesMin + 1));
  const max = bound(schema.maxItems, open);
  const listType = schema["x-kubernetes-list-type"];
  const mapKeys = schema["x-kubernetes-list-map-keys"];
  const type: CelType = {
    kind: "list",
    elem: elem.type,
    max,
    ...(listType === "set" || listType === "map" ? { listType } : {}),
    ...(mapKeys === undefined ? {} : { mapKeys }),
  };
  return { type, bytesMin: 2 };
}

function declaredObject(schema: Schema, resource: boolean, name: string): Declared | undefined {
  const additional = additionalSchema(schema);
  if (additional !== undefined && !resource) {
    const value = declared(additional, isEmbedded(additional), `${name}.@elem`);
    if (value === undefined) return undefined;
    const max = bound(
      schema.maxProperties,
      Math.floor((REQUEST_SIZE_MAX - 2) / (value.bytesMin + 6)),
    );
    return { type: { kind: "map", key: STRING, value: value.type, max }, bytesMin: 2 };
  }
  const fields = new Map<string, CelField>();
  // An object is at least {}; a required property adds its name, quotes, a colon and a comma.
  let bytesMin = 2;
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    const found = declared(child, isEmbedded(child), `${name}.${property}`);
    const escaped = found && escapeProperty(property);
    if (found === undefined || escaped === undefined) continue;
    fields.set(escaped, { type: found.type, property });
    const isRequired = schema.required?.includes(property) && child.default === undefined;
    if (isRequired) bytesMin += Buffer.byteLength(property) + found.bytesMin + 4;
  }
  if (resource) {
    fields.set("apiVersion", { type: STRING, property: "apiVersion" });
    fields.set("kind", { type: STRING, property: "kind" });
    fields.set("metadata", { type: metadataType, property: "metadata" });
  }
  return { type: { kind: "object", name, field: (field) => fields.get(field) }, bytesMin };
}

function bound(declaredMax: number | undefined, open: number): number {
  return declaredMax === undefined ? open : Math.max(0, declaredMax);
}

/** A character has four bytes at most. */
function textMax({ maxLength }: Schema, open: number): number {
  return maxLength === undefined ? open : Math.max(0, maxLength) * 4;
}

function declaredString(schema: Schema): Declared {
  switch (schema.format) {
    case "byte":
      return {
        type: { kind: "bytes", max: bound(schema.maxLength, REQUEST_SIZE_MAX - 2) },
        bytesMin: 2,
      };
    case "duration":
      return { type: { kind: "duration", max: DURATION_SIZE_MAX }, bytesMin: DURATION_SIZE_MIN };
    case "date":
      return { type: { kind: "timestamp", max: DATE_SIZE }, bytesMin: DATE_SIZE };
    case "date-time":
      return { type: { kind: "timestamp", max: DATETIME_SIZE_MAX }, bytesMin: DATETIME_SIZE_MIN };
    default: {
      const values = (schema.enum ?? []).filter((one) => typeof one === "string");
      const longest = Math.max(0, ...values.map((one) => Buffer.byteLength(one)));
      const open = (schema.enum ?? []).length > 0 ? longest : REQUEST_SIZE_MAX - 2;
      return { type: { kind: "string", max: textMax(schema, open) }, bytesMin: 2 };
    }
  }
}

const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ESCAPES: readonly (readonly [RegExp, string])[] = [
  [/__/g, "__underscores__"],
  [/\./g, "__dot__"],
  [/-/g, "__dash__"],
  [/\//g, "__slash__"],
];

/**
 * The name expressions know a property by; undefined: it has none. Upstream: cel/escaping.go.
 */
export function escapeProperty(property: string): string | undefined {
  if (property === "" || !/^[A-Za-z_.\-/]/.test(property)) return undefined;
  if (RESERVED.has(property)) return `__${property}__`;
  let escaped = property;
  for (const [pattern, by] of ESCAPES) escaped = escaped.replace(pattern, by);
  return IDENTIFIER.test(escaped) ? escaped : undefined;
}

/** A rule of a schema, compiled. */
export interface CheckedRule {
  readonly ruleProblem: string | undefined;
  readonly messageProblem: string | undefined;
  /** Whether the rule looks at the old value. */
  readonly usesOldSelf: boolean;
  readonly rule: CelCompilation;
  /** Undefined: the rule has none. */
  readonly message: CelCompilation | undefined;
}

/** Compiles one rule of a schema whose values have type `self`. */
export function checkRule(rule: ValidationRule, self: CelType | undefined): CheckedRule {
  const type = self ?? DYN;
  const variables = new Map([
    ["self", type],
    ["oldSelf", rule.optionalOldSelf ? optionalOf(type) : type],
  ]);
  const environment = { variables, sized: true };
  const compiled = compileCel(rule.rule ?? "", environment);
  const isBool = resultProblem(compiled.type, ["bool"]) === undefined;
  const ruleProblem =
    compiled.problem ?? (isBool ? undefined : "cel expression must evaluate to a bool");
  const text = rule.messageExpression ?? "";
  const message = text.trim() === "" ? undefined : compileCel(text, environment);
  return {
    ruleProblem,
    messageProblem: message && messageProblem(message),
    usesOldSelf: usesVariable(compiled, "oldSelf"),
    rule: compiled,
    message,
  };
}

function messageProblem({ problem, type }: CelCompilation): string | undefined {
  if (problem !== undefined) return `messageExpression ${problem}`;
  const isString = resultProblem(type, ["string"]) === undefined;
  return isString ? undefined : "messageExpression must evaluate to a string";
}

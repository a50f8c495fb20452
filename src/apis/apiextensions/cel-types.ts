/**
 * The CEL types of a custom resource's schema, and the checks of its x-kubernetes-validations.
 * Upstream: apiserver/pkg/cel/common/schemas.go; apiextensions-apiserver/pkg/apiserver/schema/cel.
 */
import { type CelType, celType, compileCel, DYN, resultProblem, UNKNOWN } from "../cel/compile.ts";
import type { CelNode } from "../cel/parser.ts";
import { additionalSchema, itemsSchema, type Schema } from "./schema.ts";
import type { ValidationRule } from "./v1/types.ts";

const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  boolean: "bool",
  integer: "int",
  number: "double",
};
const OPAQUE_FORMATS = ["date", "date-time", "duration"];

const metadataType = objectType("object", {
  name: celType("string"),
  generateName: celType("string"),
});

function objectType(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  const field = (wanted: string) => (Object.hasOwn(fields, wanted) ? fields[wanted] : undefined);
  return { kind: "object", name, field };
}

/** The type of a value of `schema`; `resource`: it has apiVersion, kind and metadata. */
export function celTypeOf(schema: Schema, resource: boolean): CelType {
  if (schema["x-kubernetes-int-or-string"]) return DYN;
  switch (schema.type) {
    case "array": {
      const items = itemsSchema(schema);
      return items === undefined ? DYN : { kind: "list", elem: celTypeOf(items, false) };
    }
    case "object":
      return celObject(schema, resource || schema["x-kubernetes-embedded-resource"] === true);
    case "string":
      if (OPAQUE_FORMATS.includes(schema.format ?? "")) return UNKNOWN;
      return celType(schema.format === "byte" ? "bytes" : "string");
    default: {
      const name = SCALARS[schema.type ?? ""];
      return name === undefined ? DYN : celType(name);
    }
  }
}

function celObject(schema: Schema, resource: boolean): CelType {
  const additional = additionalSchema(schema);
  if (additional !== undefined) {
    return { kind: "map", key: celType("string"), value: celTypeOf(additional, false) };
  }
  const properties = schema.properties ?? {};
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (isOpen && Object.keys(properties).length === 0 && !resource) return DYN;
  const known = new Map<string, CelType>();
  const field = (name: string) => {
    const seen = known.get(name);
    if (seen !== undefined) return seen;
    const type = fieldType(name, properties, resource);
    if (type !== undefined) known.set(name, type);
    return type;
  };
  return { kind: "object", name: "object", field };
}

function fieldType(
  name: string,
  properties: Readonly<Record<string, Schema>>,
  resource: boolean,
): CelType | undefined {
  if (resource && name === "metadata") return metadataType;
  if (resource && (name === "apiVersion" || name === "kind")) return celType("string");
  for (const property of [name, unescapeProperty(name)]) {
    const schema = Object.hasOwn(properties, property) ? properties[property] : undefined;
    if (schema !== undefined) return celTypeOf(schema, false);
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  __underscores__: "__",
  __dot__: ".",
  __dash__: "-",
  __slash__: "/",
};

/** Property names that are no identifiers are written with escapes. Upstream: cel/escaping.go. */
function unescapeProperty(name: string): string {
  const keyword = /^__(.+)__$/.exec(name)?.[1];
  if (keyword !== undefined && !Object.hasOwn(ESCAPES, name)) return keyword;
  return name.replace(/__(?:underscores|dot|dash|slash)__/g, (one) => ESCAPES[one] ?? one);
}

/** What is wrong with a rule and its message expression, and whether it looks at the old value. */
export interface CheckedRule {
  readonly ruleProblem: string | undefined;
  readonly messageProblem: string | undefined;
  readonly usesOldSelf: boolean;
}

/** Compiles one rule of a schema whose values have type `self`. */
export function checkRule(rule: ValidationRule, self: CelType): CheckedRule {
  const oldSelf = rule.optionalOldSelf ? UNKNOWN : self;
  const variables = new Map([
    ["self", self],
    ["oldSelf", oldSelf],
  ]);
  const compiled = compileCel(rule.rule ?? "", { variables });
  const isBool = resultProblem(compiled.type, ["bool"]) === undefined;
  const ruleProblem =
    compiled.problem ?? (isBool ? undefined : "cel expression must evaluate to a bool");
  return {
    ruleProblem,
    messageProblem: messageProblem(rule.messageExpression ?? "", variables),
    usesOldSelf: compiled.tree !== undefined && names(compiled.tree, "oldSelf"),
  };
}

function messageProblem(text: string, variables: ReadonlyMap<string, CelType>): string | undefined {
  if (text.trim() === "") return undefined;
  const { problem, type } = compileCel(text, { variables });
  if (problem !== undefined) return `messageExpression ${problem}`;
  const isString = resultProblem(type, ["string"]) === undefined;
  return isString ? undefined : "messageExpression must evaluate to a string";
}

/** Whether a tree names the variable. */
function names(node: CelNode, variable: string): boolean {
  const any = (nodes: readonly CelNode[]) => nodes.some((one) => names(one, variable));
  switch (node.kind) {
    case "literal":
      return false;
    case "ident":
      return node.name === variable;
    case "select":
      return names(node.operand, variable);
    case "call":
      return any(node.args) || (node.target !== undefined && names(node.target, variable));
    case "list":
      return any(node.items);
    case "map":
      return node.entries.some((entry) => any(entry));
    case "message":
      return any(node.fields.map(([, value]) => value));
  }
}

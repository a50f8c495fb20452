/**
 * JSON schemas of custom resources: their parts, and walks over them.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/{types_jsonschema.go,validation}.
 */
import type { JSONSchemaProps } from "./v1/types.ts";

export type Schema = JSONSchemaProps;

function asSchema(value: unknown): Schema | undefined {
  const isSchema = typeof value === "object" && value !== null && !Array.isArray(value);
  return isSchema ? (value as Schema) : undefined;
}

/** The schema of all items, when `items` is one schema. */
export function itemsSchema(schema: Schema): Schema | undefined {
  return asSchema(schema.items);
}

/** The schemas of single items, when `items` is a list. */
export function itemsSchemas(schema: Schema): readonly Schema[] {
  return Array.isArray(schema.items) ? (schema.items as unknown as Schema[]) : [];
}

/** The schema of other properties, unless it is a plain yes or no. */
export function additionalSchema(schema: Schema): Schema | undefined {
  return asSchema(schema.additionalProperties);
}

/** Every schema directly inside, in no particular order. */
export function childSchemas(schema: Schema): Schema[] {
  const children: Schema[] = [
    ...itemsSchemas(schema),
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}),
    ...Object.values(schema.definitions ?? {}),
  ];
  const single = [
    itemsSchema(schema),
    schema.not,
    additionalSchema(schema),
    asSchema(schema.additionalItems),
    ...Object.values(schema.dependencies ?? {}).map((one) => asSchema(one)),
  ];
  for (const one of single) if (one !== undefined) children.push(one);
  return children;
}

/** Whether the values are objects with apiVersion, kind and metadata. */
export function isEmbedded(schema: Schema): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

/** The schema of a property that `properties` names. */
export function propertyOf({ properties }: Schema, name: string): Schema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** Whether `test` holds for the schema or one inside it. Upstream: SchemaHas. */
export function schemaHas(schema: Schema | undefined, test: (s: Schema) => boolean): boolean {
  if (schema === undefined) return false;
  return test(schema) || childSchemas(schema).some((child) => schemaHas(child, test));
}

/**
 * Why the schema has no structural form; undefined: it has one.
 * Upstream: pkg/apiserver/schema/convert.go, NewStructural.
 */
export function structuralProblem(schema: Schema | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const unsupported = (what: string) => `OpenAPIV3Schema '${what}' is not supported`;
  if (schema.id) return unsupported("id");
  if (schema.$schema) return unsupported("schema");
  if (schema.$ref) return unsupported("$ref");
  if (Object.keys(schema.patternProperties ?? {}).length > 0) {
    return unsupported("patternProperties");
  }
  if (Object.keys(schema.dependencies ?? {}).length > 0) return unsupported("dependencies");
  if (schema.additionalItems !== undefined) return unsupported("additionalItems");
  if (Object.keys(schema.definitions ?? {}).length > 0) return unsupported("definitions");
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  if (itemsSchemas(schema).length > 0) {
    return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  }
  for (const child of childSchemas(schema)) {
    const problem = structuralProblem(child);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A path into a schema: its canonical text and what it leads to, or why it leads nowhere. */
export type FieldPathResult =
  | { readonly path: string; readonly root: string; readonly schema: Schema }
  | { readonly problem: string };

/**
 * Follows `.spec.a['b']` through a schema. Upstream: pkg/apiserver/schema/cel.ValidFieldPath.
 */
export function followFieldPath(
  text: string,
  start: Schema,
  allowArrayNotation: boolean,
): FieldPathResult {
  const tokens = text.match(/'(?:\\.|[^'\\])*'|[.[\]]|[^.[\]]+/g) ?? [];
  let schema: Schema | undefined = start;
  let path = "";
  let root = "";
  const step = (name: string): string | undefined => {
    const properties: Record<string, Schema> | undefined = schema?.properties;
    const nowhere = "does not refer to a valid field";
    const isMap = properties === undefined;
    const next: Schema | undefined = isMap
      ? schema && additionalSchema(schema)
      : Object.hasOwn(properties, name)
        ? properties[name]
        : undefined;
    if (next === undefined) return nowhere;
    path += isMap ? `[${name}]` : path === "" ? name : `.${name}`;
    if (root === "") root = name;
    schema = next;
    return undefined;
  };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? "";
    if (token !== "." && token !== "[") {
      return { problem: `expected [ or . but got: ${token}` };
    }
    if (token === "[" && !allowArrayNotation) return { problem: "array notation is not allowed" };
    const name = tokens[++i];
    if (name === undefined) return { problem: "unexpected end of JSON path" };
    const quoted = /^'.*'$/s.test(name) && name.length >= 2;
    if (token === "[" && !quoted) {
      return { problem: `expected single quoted string but got ${name}` };
    }
    const plain = token === "[" ? name.slice(1, -1).replace(/\\(.)/g, "$1") : name;
    const problem = step(plain);
    if (problem !== undefined) return { problem };
    if (token !== "[") continue;
    const close = tokens[++i];
    if (close === undefined) return { problem: "unexpected end of JSON path" };
    if (close !== "]") return { problem: `expected ] but got ${close}` };
  }
  return { path, root, schema };
}

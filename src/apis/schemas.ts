/**
 * The generated tables as schemas. The tables are read once; a struct is compiled the first time
 * somebody asks for it, and always gives the same object, so that codecs can cache by identity.
 */
import { strict as assert } from "node:assert";
import type { GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import type { FieldSchema, StructSchema, TypeSchema } from "../apimachinery/runtime/type-schema.ts";
import tables from "./generated/types.generated.json" with { type: "json" };
import { type BuiltInResource, type GroupOrder, resourceTables } from "./resources.ts";

export type {
  BuiltInResource,
  BuiltInSubresource,
  GroupOrder,
  PrinterColumn,
} from "./resources.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";

const types: Readonly<Record<string, string>> = tables.types;
const packages: Readonly<Record<string, string>> = tables.packages;
const enums: Readonly<Record<string, readonly string[]>> = tables.enums;

const compiled = new Map<string, StructSchema>();

/** A field's extra facts, as the generator writes them. */
interface Extras {
  readonly d?: unknown;
  readonly ps?: NonNullable<FieldSchema["patchStrategy"]>;
  readonly mk?: string;
  readonly lt?: NonNullable<FieldSchema["listType"]>;
  readonly lk?: readonly string[];
  readonly mt?: string;
  readonly fg?: string;
  readonly fmt?: string;
  /** Of an inlined struct: fields that are required here, though not by the struct itself. */
  readonly rq?: readonly string[];
}

/**
 * The schema of a Go struct, e.g. `k8s.io/api/core/v1.Pod`. An alias gives the aliased struct.
 * Throws when the table has no such struct: names come from code, not from requests.
 */
export function structOf(goName: string): StructSchema {
  const schema = findStruct(goName);
  assert(schema !== undefined, `no struct ${goName} in the types table`);
  return schema;
}

/** As structOf, or undefined when the table has no such struct. */
export function findStruct(goName: string): StructSchema | undefined {
  const known = compiled.get(goName);
  if (known !== undefined) return known;
  const text = Object.hasOwn(types, goName) ? types[goName] : undefined;
  if (text === undefined) return undefined;
  if (text.startsWith("=")) {
    const target = findStruct((text.slice(1).split("|")[0] ?? "").trim());
    if (target !== undefined) compiled.set(goName, target);
    return target;
  }
  return compileStruct(goName, text);
}

/** The struct may hold itself: it is registered before its fields are compiled, lazily. */
function compileStruct(goName: string, text: string): StructSchema {
  const lines = text.split("\n");
  const [openapi, kinds, mapType, unions] = splitColumns(lines[0] ?? "", 4);
  let fields: readonly FieldSchema[] | undefined;
  let byJson: ReadonlyMap<string, FieldSchema> | undefined;
  const schema: StructSchema = {
    kind: "struct",
    name: goName,
    get fields() {
      fields ??= lines.slice(1).flatMap((line) => compileField(line));
      return fields;
    },
    get byJson() {
      byJson ??= new Map(schema.fields.map((field) => [field.json, field]));
      return byJson;
    },
    atomic: mapType === "atomic",
    ...(openapi ? { openapi } : {}),
    ...(kinds ? { kinds: kinds.split(",") } : {}),
    ...(mapType ? { mapType } : {}),
    ...(unions ? { unions: JSON.parse(unions) as unknown[] } : {}),
  };
  compiled.set(goName, schema);
  return schema;
}

/** At most `count` columns: the last one may itself contain the separator. */
function splitColumns(line: string, count: number): string[] {
  const columns: string[] = [];
  let rest = line;
  while (columns.length < count - 1) {
    const bar = rest.indexOf("|");
    if (bar === -1) break;
    columns.push(rest.slice(0, bar));
    rest = rest.slice(bar + 1);
  }
  columns.push(rest);
  return columns;
}

function compileField(line: string): FieldSchema[] {
  const [json = "", go = "", code = "", flags = "", number = "", wire = "", extrasText] =
    splitColumns(line, 7);
  const extras = extrasText === undefined ? {} : (JSON.parse(extrasText) as Extras);
  if (flags.includes("i") && code.startsWith("@")) {
    const through = number === "" ? [] : [Number(number)];
    const isTypeMeta = code === `@${META}.TypeMeta`;
    return structOf(code.slice(1)).fields.map((field) => ({
      ...inlined(field, through, isTypeMeta),
      embedded: [go, ...(field.embedded ?? [])],
      ...(extras.rq?.includes(field.json) === true ? { required: true } : {}),
    }));
  }
  return [
    {
      json,
      go,
      type: typeOf(code),
      pointer: flags.includes("p"),
      omitempty: flags.includes("e"),
      omitzero: flags.includes("z"),
      ...(number === "" ? {} : { number: Number(number), wire }),
      inlined: [],
      required: flags.includes("r"),
      ...extrasOf(extras),
    },
  ];
}

/** kind and apiVersion travel in the protobuf envelope, not in the message. */
function inlined(field: FieldSchema, through: readonly number[], isTypeMeta: boolean): FieldSchema {
  if (isTypeMeta) {
    const { number: _number, wire: _wire, ...rest } = field;
    return rest;
  }
  return { ...field, inlined: [...through, ...field.inlined] };
}

function extrasOf(extras: Extras) {
  return {
    ...(extras.d === undefined ? {} : { default: extras.d }),
    ...(extras.ps === undefined ? {} : { patchStrategy: extras.ps }),
    ...(extras.mk === undefined ? {} : { patchMergeKey: extras.mk }),
    ...(extras.lt === undefined ? {} : { listType: extras.lt }),
    ...(extras.lk === undefined ? {} : { listMapKeys: extras.lk }),
    ...(extras.fg === undefined ? {} : { featureGate: extras.fg }),
    ...(extras.fmt === undefined ? {} : { format: extras.fmt }),
    ...(extras.mt === undefined ? {} : { mapType: extras.mt }),
    ...(extras.mt === "granular" ? { granular: true } : {}),
    atomic: extras.mt === "atomic",
  };
}

const SIMPLE: Readonly<Record<string, TypeSchema>> = {
  s: { kind: "string" },
  b: { kind: "bool" },
  i32: { kind: "int", bits: 32 },
  i64: { kind: "int", bits: 64 },
  u32: { kind: "int", bits: 32, unsigned: true },
  u64: { kind: "int", bits: 64, unsigned: true },
  f32: { kind: "float", bits: 32 },
  f64: { kind: "float", bits: 64 },
  y: { kind: "bytes" },
  q: { kind: "quantity" },
  ios: { kind: "intOrString" },
  t: { kind: "time" },
  mt: { kind: "microTime" },
  d: { kind: "duration" },
  raw: { kind: "raw" },
  fv1: { kind: "fieldsV1" },
};

const typesByCode = new Map<string, TypeSchema>();

function typeOf(code: string): TypeSchema {
  let type = SIMPLE[code] ?? typesByCode.get(code);
  if (type === undefined) {
    type = compileType(code);
    typesByCode.set(code, type);
  }
  return type;
}

function compileType(code: string): TypeSchema {
  if (code.startsWith("@")) return structOf(code.slice(1));
  if (code.startsWith("<")) {
    const end = code.indexOf(">");
    const inner = typeOf(code.slice(end + 1));
    assert(inner.kind === "list" || inner.kind === "map", `${code} names no list or map`);
    return { ...inner, goName: code.slice(1, end) };
  }
  if (code.startsWith("s:")) {
    const goName = code.slice(2);
    const values = enums[goName];
    return { kind: "string", goName, ...(values === undefined ? {} : { enum: values }) };
  }
  if (code.startsWith("[]*"))
    return { kind: "list", elem: typeOf(code.slice(3)), elemPointer: true };
  if (code.startsWith("[w]")) return { kind: "list", elem: typeOf(code.slice(3)), wrapped: true };
  if (code.startsWith("[]")) return { kind: "list", elem: typeOf(code.slice(2)) };
  if (code.startsWith("{")) {
    const end = code.indexOf("}");
    const keyGoName = code.slice(1, end);
    const value = typeOf(code.slice(end + 1));
    return { kind: "map", value, ...(keyGoName === "" ? {} : { keyGoName }) };
  }
  assert(code.startsWith("json:"), `unknown type code ${code}`);
  return jsonType(code.slice(5));
}

function jsonType(goName: string): TypeSchema {
  const or = goName.indexOf("PropsOr");
  if (or === -1) return { kind: "json", goName };
  const propsName = goName.slice(0, or + "Props".length);
  return {
    kind: "json",
    goName,
    get object() {
      return structOf(propsName);
    },
  };
}

/** Kinds of meta/v1 that every group version knows. */
const EVERYWHERE = new Set([
  "CreateOptions",
  "DeleteOptions",
  "GetOptions",
  "ListOptions",
  "PatchOptions",
  "UpdateOptions",
  "WatchEvent",
]);

/** Kinds of meta/v1 that live in the core group's v1. */
const UNVERSIONED = new Set([
  "Status",
  "APIVersions",
  "APIGroup",
  "APIGroupList",
  "APIResourceList",
]);

let packageByGroupVersion: Map<string, string[]> | undefined;

function packagesOf({ group, version }: { group: string; version: string }): readonly string[] {
  if (packageByGroupVersion === undefined) {
    packageByGroupVersion = new Map();
    for (const [name, groupVersion] of Object.entries(packages)) {
      const list = packageByGroupVersion.get(groupVersion) ?? [];
      list.push(name);
      packageByGroupVersion.set(groupVersion, list);
    }
  }
  return packageByGroupVersion.get(`${group}/${version}`) ?? [];
}

/** The struct of a kind, or undefined for kinds that are not built in. */
export function schemaForKind(gvk: GroupVersionKind): StructSchema | undefined {
  for (const name of packagesOf(gvk)) {
    const schema = findStruct(`${name}.${gvk.kind}`);
    if (schema !== undefined && isKind(schema)) return schema;
  }
  const isMeta =
    EVERYWHERE.has(gvk.kind) ||
    (gvk.group === "" && gvk.version === "v1" && UNVERSIONED.has(gvk.kind));
  return isMeta ? findStruct(`${META}.${gvk.kind}`) : undefined;
}

function isKind(schema: StructSchema): boolean {
  return schema.byJson.has("kind") && schema.byJson.has("apiVersion");
}

/** Every kind of the table with its struct, in the table's order. Compiles all of them. */
export function* listKinds(): Generator<{ gvk: GroupVersionKind; schema: StructSchema }> {
  for (const goName of Object.keys(types)) {
    const dot = goName.lastIndexOf(".");
    const groupVersion = packages[goName.slice(0, dot)];
    if (groupVersion === undefined) continue;
    const schema = structOf(goName);
    if (schema.fields[0]?.json !== "kind" || schema.fields[1]?.json !== "apiVersion") continue;
    const slash = groupVersion.lastIndexOf("/");
    const kind = goName.slice(dot + 1);
    if (kind === "TypeMeta") continue;
    const gvk = {
      group: groupVersion.slice(0, slash),
      version: groupVersion.slice(slash + 1),
      kind,
    };
    yield { gvk, schema };
  }
}

/** Every built-in resource: tables A-D of the reference, in its order. */
export function resourceTable(): readonly BuiltInResource[] {
  return resourceTables().resources;
}

/** The groups in the order of discovery, with the priorities of their APIService objects. */
export function groupOrder(): readonly GroupOrder[] {
  return resourceTables().groups;
}

/**
 * The types table: every struct and alias of the facts, with Go's type expressions resolved to short
 * codes. A type is one string (fields split by newlines, columns by `|`), so that loading the table
 * is one JSON.parse of flat strings, and a struct is compiled only when somebody asks for it.
 *
 * Type codes: `s` string (`s:NAME` a string alias), `b` bool, `i32 i64 u32 f32 f64`, `y` bytes,
 * `[]X` list, `[]*X` list of pointers, `[w]X` a list that protobuf wraps in a message (items = 1),
 * `{}X` map, `<NAME>X` a list or map with a Go name of its own, `q` Quantity, `ios` IntOrString, `t` Time, `mt` MicroTime, `d` Duration, `raw`,
 * `fv1`, `json:NAME`, `@NAME` a struct. NAME is an index into `names`' order (base 36).
 */
const META = "k8s.io/apimachinery/pkg/apis/meta/v1";
const RUNTIME = "k8s.io/apimachinery/pkg/runtime";

const HAND_WRITTEN = new Map([
  ["k8s.io/apimachinery/pkg/api/resource.Quantity", "q"],
  ["k8s.io/apimachinery/pkg/util/intstr.IntOrString", "ios"],
  [`${META}.Time`, "t"],
  [`${META}.MicroTime`, "mt"],
  [`${META}.Duration`, "d"],
  [`${META}.FieldsV1`, "fv1"],
  [`${RUNTIME}.RawExtension`, "raw"],
]);
for (const version of ["v1", "v1beta1"]) {
  const pkg = `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/${version}`;
  for (const name of ["JSON", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray"]) {
    HAND_WRITTEN.set(`${pkg}.${name}`, `json:${pkg}.${name}`);
  }
  const orStrings = `${pkg}.JSONSchemaPropsOrStringArray`;
  HAND_WRITTEN.set(orStrings, `json:${orStrings}`);
}

/** Structs without fields, which the facts leave out. */
const EMPTY_STRUCTS = [
  "k8s.io/api/apiserverinternal/v1alpha1.StorageVersionSpec",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.CustomResourceSubresourceStatus",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1.CustomResourceSubresourceStatus",
];

const BUILTIN = new Map([
  ["string", "s"],
  ["bool", "b"],
  ["int", "i64"],
  ["int32", "i32"],
  ["int64", "i64"],
  ["uint8", "u32"],
  ["uint32", "u32"],
  ["uint64", "u64"],
  ["float32", "f32"],
  ["float64", "f64"],
  ["interface{}", "json:interface{}"],
  ["any", "json:interface{}"],
]);

/** Lists that the protobuf form wraps in a message of their own. */
const isWrapped = (name) => name === `${META}.Verbs` || name.endsWith(".ExtraValue");

const OUTSIDE = new Map([
  ["k8s.io/apimachinery/pkg/types.UID", "s:k8s.io/apimachinery/pkg/types.UID"],
  ["k8s.io/apimachinery/pkg/types.NodeName", "s:k8s.io/apimachinery/pkg/types.NodeName"],
  ["k8s.io/apimachinery/pkg/watch.EventType", "s:k8s.io/apimachinery/pkg/watch.EventType"],
]);

const packageOf = (name) => name.slice(0, name.lastIndexOf("."));

export const splitCode = (code) => {
  const match = /^(\[\]\*?|\[w\]|\{[^}]*\})?(.*)$/s.exec(code);
  return { wrapper: match[1] ?? "", rest: match[2] };
};

/** Go type expression → code; undefined when it names a type the table does not have. */
function resolver(types) {
  const resolveNamed = (name) => {
    const special = HAND_WRITTEN.get(name) ?? OUTSIDE.get(name);
    if (special !== undefined) return special;
    const type = types[name];
    if (type === undefined) return undefined;
    if (type.alias === undefined) return `@${name}`;
    const target = resolve(type.alias, { pkg: packageOf(name), imports: type.imports ?? {} });
    if (target === undefined) return undefined;
    if (isWrapped(name)) return `<${name}>${target.replace(/^\[\]/, "[w]")}`;
    if (target.startsWith("[") || target.startsWith("{")) return `<${name}>${target}`;
    return target === "s" || target.startsWith("s:") ? `s:${name}` : target;
  };
  const resolve = (expression, scope) => {
    if (expression === "[]byte") return "y";
    if (expression.startsWith("[]")) {
      const inner = resolve(expression.slice(2), scope);
      if (inner === undefined) return undefined;
      return expression.startsWith("[]*") ? `[]*${inner}` : `[]${inner}`;
    }
    if (expression.startsWith("*")) return resolve(expression.slice(1), scope);
    const map = /^map\[([^\]]+)\](.*)$/s.exec(expression);
    if (map !== null) {
      const value = resolve(map[2], scope);
      const key = resolve(map[1], scope) ?? "s";
      return value && `{${key.startsWith("s:") ? key.slice(2) : ""}}${value}`;
    }
    const builtin = BUILTIN.get(expression);
    if (builtin !== undefined) return builtin;
    const dot = expression.indexOf(".");
    if (dot === -1) return resolveNamed(`${scope.pkg}.${expression}`);
    const imported =
      scope.imports[expression.slice(0, dot)] ?? aliasImport(scope, expression, types);
    return resolveNamed(`${imported}.${expression.slice(dot + 1)}`);
  };
  return resolve;
}

/** Aliases carry no import table: `v1.X` in a beta package is its own group's v1, or core's. */
function aliasImport(scope, expression, types) {
  const [alias, name] = expression.split(".");
  const known = {
    metav1: META,
    resource: "k8s.io/apimachinery/pkg/api/resource",
    runtime: RUNTIME,
  };
  if (known[alias] !== undefined) return known[alias];
  const sibling = scope.pkg.replace(/[^/]+$/, "v1");
  const candidates = [sibling, META, "k8s.io/api/core/v1"];
  return candidates.find((pkg) => `${pkg}.${name}` in types) ?? alias;
}

/** The default as data; `ref(CONSTANT)` is looked up in the OpenAPI definition. */
function defaultOf(field, definition) {
  const text = field.marks?.default;
  if (text === undefined) return undefined;
  if (!text.startsWith("ref(")) return JSON.parse(text);
  return definition?.properties?.[field.json]?.default ?? REFERENCED_DEFAULTS[text];
}
/** Constants that the OpenAPI document leaves out. */
const REFERENCED_DEFAULTS = {
  "ref(AzureDataDiskCachingReadWrite)": "ReadWrite",
  "ref(AzureSharedBlobDisk)": "Shared",
};

function fieldExtras(field, definition) {
  const marks = field.marks ?? {};
  const openapi = field.openapi ?? {};
  const extras = {};
  const value = defaultOf(field, definition);
  if (value !== undefined) extras.d = value;
  else if (marks.default !== undefined)
    console.log(`generate: no default for ${field.go}: ${marks.default}`);
  if (field.patchStrategy) extras.ps = field.patchStrategy;
  if (field.patchMergeKey) extras.mk = field.patchMergeKey;
  const listType = openapi["x-kubernetes-list-type"] ?? marks.listType;
  if (listType) extras.lt = listType;
  const keys = openapi["x-kubernetes-list-map-keys"] ?? marks.listMapKey;
  if (keys) extras.lk = keys;
  const mapType = openapi["x-kubernetes-map-type"] ?? marks.mapType ?? marks.structType;
  if (mapType) extras.mt = mapType;
  if (marks.featureGate) extras.fg = marks.featureGate;
  if (openapi.format) extras.fmt = openapi.format;
  if (field.inherited) extras.rq = field.inherited;
  return extras;
}

function fieldLine(field, code, required, definition) {
  let flags = "";
  if (field.type.startsWith("*")) flags += "p";
  if (field.omitempty) flags += "e";
  if (field.omitzero) flags += "z";
  if (field.inline) flags += "i";
  if (required) flags += "r";
  const extras = fieldExtras(field, definition);
  const columns = [field.json ?? "", field.go, code, flags, field.num ?? "", field.wire ?? ""];
  if (Object.keys(extras).length > 0) columns.push(JSON.stringify(extras));
  return columns.join("|");
}

const PACKAGE_GROUPS = {
  [META]: "meta.k8s.io",
  "k8s.io/apimachinery/pkg/apis/meta/v1beta1": "meta.k8s.io",
  "k8s.io/api/core/v1": "",
  "k8s.io/apimachinery/pkg/runtime": "",
};

/** The API group of each package, from the facts' gvk lists, else by Kubernetes' naming rule. */
function groupsOf(types) {
  const groups = {};
  for (const [name, type] of Object.entries(types)) {
    const pkg = packageOf(name);
    if (pkg in groups) continue;
    const version = pkg.slice(pkg.lastIndexOf("/") + 1);
    if (!/^v\d+((alpha|beta)\d+)?$/.test(version)) continue;
    if (pkg in PACKAGE_GROUPS) groups[pkg] = PACKAGE_GROUPS[pkg];
    else if (type.gvk?.length === 1) groups[pkg] = type.gvk[0].group;
  }
  for (const name of Object.keys(types)) {
    const match =
      /^k8s\.io\/(?:api|kube-aggregator\/pkg\/apis|apiextensions-apiserver\/pkg\/apis)\/([a-z]+)\/(v[^/]+)$/.exec(
        packageOf(name),
      );
    if (match === null || packageOf(name) in groups) continue;
    const sibling = Object.keys(groups).find((pkg) =>
      pkg.startsWith(packageOf(name).replace(/[^/]+$/, "")),
    );
    const bare = ["apps", "autoscaling", "batch", "extensions", "policy"].includes(match[1]);
    groups[packageOf(name)] = sibling ? groups[sibling] : bare ? match[1] : `${match[1]}.k8s.io`;
  }
  return groups;
}

/** WatchEvent, which the facts leave out: it is a kind of every group version. */
function addWatchEvent(types) {
  const options = types[`${META}.DeleteOptions`];
  types[`${META}.WatchEvent`] ??= {
    fields: [
      { go: "Type", type: "string", json: "type", num: 1, wire: "bytes" },
      { go: "Object", type: "runtime.RawExtension", json: "object", num: 2, wire: "bytes" },
    ],
    imports: { runtime: RUNTIME },
    openapi: "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent",
    required: ["type", "object"],
    gvk: options.gvk.map((gvk) => ({ ...gvk, kind: "WatchEvent" })),
  };
}

/** TableRow.cells is a list of any JSON values, which the facts leave out. */
function addCells(types) {
  const name = `${META}.TableRow`;
  const cells = {
    go: "Cells",
    type: "[]interface{}",
    json: "cells",
    marks: { listType: "atomic" },
  };
  if (types[name].fields.some((field) => field.json === "cells")) return;
  types[name] = { ...types[name], fields: [cells, ...types[name].fields] };
}

/**
 * Compiles the facts. `table` is what is committed; `structs` and `resolve` serve the TypeScript
 * writer. Fields that name types outside the table (Go interfaces) are left out.
 */
export function compileTypes(facts, openapi) {
  const types = { ...facts.types };
  for (const name of EMPTY_STRUCTS) types[name] ??= { fields: [] };
  addCells(types);
  addWatchEvent(types);
  const resolve = resolver(types);
  const structs = new Map();
  const text = {};
  const enums = {};
  for (const [name, type] of Object.entries(types)) {
    if (name.includes("/examples/")) continue;
    if (type.alias !== undefined) {
      if (type.enum && type.values) enums[name] = type.values;
      const code = HAND_WRITTEN.has(name)
        ? undefined
        : resolve(type.alias, { pkg: packageOf(name), imports: {} });
      if (code?.startsWith("@"))
        text[name] = `=${code.slice(1)}${type.openapi ? `|${type.openapi}` : ""}`;
      continue;
    }
    if (HAND_WRITTEN.has(name)) continue;
    const scope = { pkg: packageOf(name), imports: type.imports ?? {} };
    const required = new Set(type.required ?? []);
    const fields = [];
    const own = new Set(type.fields.map((field) => field.json));
    // What an inlined struct's fields are required by, where only the outer struct says so.
    const inherited = [...required].filter((name) => !own.has(name));
    for (const field of type.fields) {
      if (field.json === "-") continue;
      const code = resolve(field.type, scope);
      if (code === undefined) {
        console.log(`generate: ${name}.${field.go} has a type outside the table: ${field.type}`);
        continue;
      }
      const inlines = field.inline && inherited.length > 0 && field.go !== "TypeMeta";
      fields.push({
        ...field,
        code,
        required: required.has(field.json),
        inherited: inlines ? inherited : undefined,
      });
    }
    structs.set(name, { name, fields, type });
    const header = [
      type.openapi ?? "",
      (type.gvk ?? []).map((g) => `${g.group}/${g.version}/${g.kind}`).join(","),
    ];
    const definition = openapi.definitions[type.openapi];
    header.push(definition?.["x-kubernetes-map-type"] ?? "");
    if (type.unions) header.push(JSON.stringify(type.unions));
    const lines = fields.map((f) => fieldLine(f, f.code, f.required, definition));
    text[name] = [header.join("|"), ...lines].join("\n");
  }
  const packages = Object.fromEntries(
    Object.entries(groupsOf(types)).map(([pkg, group]) => [
      pkg,
      `${group}/${pkg.slice(pkg.lastIndexOf("/") + 1)}`,
    ]),
  );
  return { table: { packages, enums, types: text }, structs, resolve, types };
}

/**
 * Custom resources in OpenAPI: their operations and definitions, made of the definition's schema.
 * Upstream: apiextensions-apiserver/pkg/controller/openapi/builder/builder.go.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../apimachinery/runtime/json.ts";
import { structOf } from "../../apis/schemas.ts";
import type { Definitions, OpenApiVersion } from "./definitions.ts";

import type { Descriptions } from "./descriptions.ts";
import { type Content, type Operation, operationsOf, type Parameter } from "./operations.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";
/** A kind whose apiVersion and kind are described as everywhere. */
const TEXTS = "io.k8s.api.core.v1.ConfigMap";
const OBJECT_TYPES = ["application/json", "application/yaml"];
const RESOURCE_VERSION = { name: "resourceVersion", in: "query", type: "string" } as const;

/** One version of a custom resource. */
export interface CustomOpenApi {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
  readonly hasScale: boolean;
  /** JSON of its schema; undefined: anything. */
  readonly schema: string | undefined;
  /** `spec.image`, ... */
  readonly selectableFields: readonly string[];
}

export interface CustomParts {
  readonly operations: readonly Operation[];
  /** The reference to a kind of these resources; undefined for any other content. */
  refer(content: Content): JsonObject | undefined;
  /** Definitions of the kinds and their lists, by name. */
  readonly definitions: Readonly<Record<string, JsonObject>>;
}

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const SUB_VERBS = ["get", "patch", "update"];

/** `com.example.stable.v1.CronTab`. */
function nameOf({ group, version }: CustomOpenApi, kind: string): string {
  return [...group.split(".").reverse(), version, kind].join(".");
}

/** What the resources add to a document. `shared` gets the definitions of built-in types. */
export function customParts(
  customs: readonly CustomOpenApi[],
  openApi: OpenApiVersion,
  shared: Definitions,
  descriptions: Descriptions,
): CustomParts {
  const definitions: Record<string, JsonObject> = {};
  const names = new Map<string, string>();
  for (const custom of customs) {
    const { group, version, kind, listKind } = custom;
    names.set(`${group}/${version}/${kind}`, nameOf(custom, kind));
    names.set(`${group}/${version}/${listKind}`, nameOf(custom, listKind));
    const make = { custom, openApi, shared, descriptions };
    definitions[nameOf(custom, kind)] = kindDefinition(make);
    definitions[nameOf(custom, listKind)] = listDefinition(make);
  }
  return {
    operations: customs.flatMap(operationsOfCustom),
    refer(content) {
      if (typeof content === "string") return undefined;
      const name = names.get(`${content.group}/${content.version}/${content.kind}`);
      return name === undefined ? undefined : refTo(openApi, name);
    },
    definitions,
  };
}

function refTo(openApi: OpenApiVersion, name: string): JsonObject {
  return { $ref: `#/${openApi === 2 ? "definitions" : "components/schemas"}/${name}` };
}

function operationsOfCustom(custom: CustomOpenApi): Operation[] {
  const { group, version, plural, kind, listKind, namespaced } = custom;
  const scale = { name: "scale", kind: "Scale", group: "autoscaling", version: "v1" };
  const resource = {
    group,
    version,
    resource: plural,
    kind,
    singular: "",
    shortNames: [],
    categories: [],
    namespaced,
    verbs: VERBS,
    subresources: [
      ...(custom.hasStatus ? [{ name: "status", kind, verbs: SUB_VERBS }] : []),
      ...(custom.hasScale ? [{ ...scale, verbs: SUB_VERBS }] : []),
    ],
    default: true,
    fieldLabels: [],
    columns: [],
  };
  const isList = (content: Content) =>
    typeof content !== "string" && content.kind === `${kind}List` && listKind !== content.kind;
  const renamed = (content: Content): Content =>
    isList(content) ? { group, version, kind: listKind } : content;
  const operations = operationsOf(resource).filter(
    ({ path }) => !path.startsWith(`/apis/${group}/${version}/watch/`),
  );
  const lists = operations.find(({ action }) => action === "list")?.parameters ?? [];
  return operations.map((operation) => ({
    ...withDifferences(operation, lists),
    gvk: { group, version, kind },
    description: operation.description.replace("list or watch", "list"),
    consumes: plainTypes(operation.consumes),
    produces: plainTypes(operation.produces),
    answers: operation.answers
      .filter(({ code }) => operation.method !== "patch" || code === 200)
      .map(({ code, content }) => ({ code, content: renamed(content) })),
  }));
}

/** What upstream's builder of custom resources' operations leaves out or puts in. */
function withDifferences(operation: Operation, lists: readonly Parameter[]): Operation {
  const { action, parameters } = operation;
  if (action === "get") return { ...operation, parameters: [...parameters, RESOURCE_VERSION] };
  if (action !== "deletecollection") return operation;
  const { body: _body, ...rest } = operation;
  return { ...rest, parameters: lists };
}

/** Objects have no protobuf, no strategic merge, and watches no routes of their own. */
function plainTypes(types: readonly string[]): readonly string[] {
  const plain = types.filter((type) => !/protobuf|strategic|stream=/.test(type));
  return plain.includes("*/*") ? OBJECT_TYPES : plain;
}

interface Making {
  readonly custom: CustomOpenApi;
  readonly openApi: OpenApiVersion;
  readonly shared: Definitions;
  readonly descriptions: Descriptions;
}

function typeMetaProperties({ descriptions }: Making): JsonObject {
  const of = (field: string) => ({
    description: descriptions.field(TEXTS, field) ?? "",
    type: "string",
  });
  return { apiVersion: of("apiVersion"), kind: of("kind") };
}

function withReference({ openApi }: Making, reference: JsonObject, description: string) {
  return openApi === 2 ? { description, ...reference } : { description, allOf: [reference] };
}

function kindDefinition(make: Making): JsonObject {
  const { custom, openApi, shared } = make;
  const { schema: text, group, version, kind } = custom;
  const schema = text === undefined ? {} : shownSchema(JSON.parse(text) as JsonObject, make);
  const properties = (schema["properties"] ?? {}) as JsonObject;
  const metadata = shared.refOf(structOf(`${META}.ObjectMeta`));
  const standard =
    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
  const isOpen = openApi === 2 && schema["x-kubernetes-preserve-unknown-fields"] === true;
  // All of it may be anything: version 2 says no more than that it is an object.
  if (isOpen) delete schema["x-kubernetes-preserve-unknown-fields"];
  const typed = isOpen || text === undefined ? {} : { properties: propertiesOf() };
  function propertiesOf(): JsonObject {
    return {
      ...properties,
      ...typeMetaProperties(make),
      metadata: withReference(make, metadata, standard),
    };
  }
  return {
    ...schema,
    type: "object",
    ...typed,
    ...extensions(custom, { group, version, kind }),
  };
}

function extensions({ selectableFields }: CustomOpenApi, gvk: JsonObject): JsonObject {
  const fields = selectableFields.map((fieldPath) => ({ fieldPath }));
  return {
    "x-kubernetes-group-version-kind": [{ ...gvk }],
    ...(fields.length === 0 ? {} : { "x-kubernetes-selectable-fields": fields }),
  };
}

function listDefinition(make: Making): JsonObject {
  const { custom, openApi, shared } = make;
  const { kind, listKind, plural, group, version } = custom;
  const metadata = shared.refOf(structOf(`${META}.ListMeta`));
  const texts =
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
  return {
    description: `${listKind} is a list of ${kind}`,
    type: "object",
    required: ["items"],
    properties: {
      ...typeMetaProperties(make),
      items: {
        description: `List of ${plural}. More info: ${texts}`,
        type: "array",
        items: refTo(openApi, nameOf(custom, kind)),
      },
      metadata: withReference(
        make,
        metadata,
        `Standard list metadata. More info: ${texts}#types-kinds`,
      ),
    },
    ...extensions(custom, { group, version, kind: listKind }),
  };
}

/** What version 2 has no words for. */
const NOT_IN_V2 = ["oneOf", "anyOf", "allOf", "not", "nullable", "default"];

function shownSchema(schema: JsonObject, make: Making): JsonObject {
  const { openApi } = make;
  const shown: JsonObject = {};
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
  for (const [name, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    if (openApi === 2 && NOT_IN_V2.includes(name)) continue;
    // Version 2 says nothing of the type of what may be anything.
    const isTyped = ["type", "properties", "items", "additionalProperties"].includes(name);
    const isAny = isOpen || isIntOrString || schema["nullable"] === true;
    if (openApi === 2 && isTyped && isAny) continue;
    shown[name] = shownMember(name, value, make);
  }
  if (openApi === 3 && isIntOrString && shown["anyOf"] === undefined) {
    shown["anyOf"] = [{ type: "integer" }, { type: "string" }];
  }
  if (schema["x-kubernetes-embedded-resource"] === true) {
    const metadata = make.shared.refOf(structOf(`${META}.ObjectMeta`));
    const own = (shown["properties"] ?? {}) as JsonObject;
    const standard =
      "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
    shown["properties"] = {
      ...own,
      ...typeMetaProperties(make),
      metadata: withReference(make, metadata, standard),
    };
  }
  return shown;
}

function shownMember(name: string, value: JsonValue, make: Making): JsonValue {
  if (name === "properties" && isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, shownSchema(one as JsonObject, make)]),
    );
  }
  const isSchema = ["items", "additionalProperties", "not"].includes(name);
  if (isSchema && isJsonObject(value)) return shownSchema(value, make);
  if (["allOf", "anyOf", "oneOf"].includes(name) && Array.isArray(value)) {
    return value.map((one) => shownSchema(one as JsonObject, make));
  }
  return value;
}

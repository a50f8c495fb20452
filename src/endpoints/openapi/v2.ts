/** The OpenAPI v2 (Swagger 2.0) document. Upstream: kube-openapi/pkg/builder. */
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import type { BuiltInResource } from "../../apis/schemas.ts";
import { structOf } from "../../apis/schemas.ts";
import type { ServedGroup } from "../discovery/resources.ts";
import { type CustomOpenApi, customParts } from "./custom.ts";
import { Definitions } from "./definitions.ts";
import { type Descriptions, noDescriptions } from "./descriptions.ts";
import { structOfKind, versionInfo } from "./kinds.ts";
import { parameterText } from "./operation-texts.ts";
import type { Content, Operation, Parameter } from "./operations.ts";
import { groupTag, operationsOf } from "./operations.ts";
import { shareParameters } from "./shared-parameters.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";
const DISCOVERY_TYPES = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];
const UNAUTHORIZED = { 401: { description: "Unauthorized" } };

export interface OpenApiInput {
  /** The served groups, CRD groups included; only built-in kinds have definitions from the tables. */
  readonly groups: readonly ServedGroup[];
  /** Major and minor alone, `1.36`. */
  readonly version: string;
  readonly descriptions?: Descriptions;
  readonly customs?: readonly CustomOpenApi[];
  /** Paths and definitions of aggregated servers, merged in. */
  readonly extra?: { readonly paths: JsonObject; readonly definitions: JsonObject };
}

/** The whole document as an object. Takes tens of milliseconds: callers cache the bytes. */
export function openApiV2(input: OpenApiInput): JsonObject {
  const descriptions = input.descriptions ?? noDescriptions;
  const definitions = new Definitions(2, descriptions);
  const paths: Record<string, JsonObject> = {};
  for (const operation of builtInOperations(input.groups)) {
    const path = paths[operation.path] ?? {};
    paths[operation.path] = path;
    path[operation.method] = operationObject(operation, { definitions, descriptions });
  }
  const customs = customParts(input.customs ?? [], 2, definitions, descriptions);
  for (const operation of customs.operations) {
    const path = paths[operation.path] ?? {};
    paths[operation.path] = path;
    const texts = { definitions, descriptions, refer: customs.refer };
    path[operation.method] = operationObject(operation, texts);
  }
  for (const path of Object.values(paths)) hoistParameters(path);
  Object.assign(
    paths,
    discoveryPaths(input.groups, definitions),
    otherPaths(definitions),
    input.extra?.paths,
  );
  const parameters = shareParameters(paths);
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: input.version },
    paths: sorted(paths),
    definitions: sorted({
      ...definitions.all(),
      ...customs.definitions,
      ...input.extra?.definitions,
    }),
    parameters: sorted(parameters),
    securityDefinitions: {
      BearerToken: {
        description: "Bearer Token authentication",
        type: "apiKey",
        name: "authorization",
        in: "header",
      },
    },
    security: [{ BearerToken: [] }],
  };
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Operations of the resources that the tables know. */
export function* builtInOperations(groups: readonly ServedGroup[]): Generator<Operation> {
  for (const { group, versions, explicitKinds } of groups) {
    if (explicitKinds === true) continue;
    for (const { version, resources } of versions) {
      for (const resource of resources) {
        yield* operationsOf({ ...(resource as BuiltInResource), group, version });
      }
    }
  }
}

/** The schema of what an operation carries. */
export function contentSchema(content: Content, definitions: Definitions): JsonObject {
  switch (content) {
    case "text":
      return { type: "string" };
    case "Patch":
      return definitions.add("io.k8s.apimachinery.pkg.apis.meta.v1.Patch", { type: "object" });
    case "DeleteOptions":
    case "Status":
    case "WatchEvent":
      return definitions.refOf(structOf(`${META}.${content}`));
    default: {
      const schema = structOfKind(content);
      return schema === undefined ? { type: "object" } : definitions.refOf(schema);
    }
  }
}

const REASONS: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

/** The reason phrase that describes an answer. */
export function reasonOf(code: number): string {
  return REASONS[code] ?? "";
}

/** What operations of one document share. */
export interface Texts {
  readonly definitions: Definitions;
  readonly descriptions: Descriptions;
  /** References to kinds that are not built in. */
  readonly refer?: (content: Content) => JsonObject | undefined;
}

/** The order of members is upstream's: the names of shared parameters come from these bytes. */
function parameterObject(parameter: Parameter, description: string | undefined): JsonObject {
  const { name, in: place, type } = parameter;
  return {
    uniqueItems: true,
    type,
    ...(description === undefined ? {} : { description }),
    name,
    in: place,
    ...(place === "path" ? { required: true } : {}),
  };
}

function operationObject(operation: Operation, texts: Texts): JsonObject {
  const { definitions, descriptions, refer } = texts;
  const schemaOf = (content: Content) => refer?.(content) ?? contentSchema(content, definitions);
  const parameters: JsonObject[] = operation.parameters.map((parameter) =>
    parameterObject(parameter, parameterText(parameter, operation, descriptions)),
  );
  if (operation.body !== undefined) {
    const schema = schemaOf(operation.body);
    const required = operation.bodyRequired === true ? { required: true } : {};
    parameters.push({ name: "body", in: "body", ...required, schema });
    parameters.sort(byName);
  }
  const responses: JsonObject = {};
  for (const { code, content } of operation.answers) {
    const schema = schemaOf(content);
    responses[String(code)] = { description: reasonOf(code), schema };
  }
  return {
    description: operation.description,
    consumes: [...operation.consumes],
    produces: [...operation.produces],
    schemes: ["https"],
    tags: [operation.tag],
    operationId: operation.operationId,
    parameters,
    responses: { ...responses, ...UNAUTHORIZED },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": { ...operation.gvk },
  };
}

function byName(a: JsonObject, b: JsonObject): number {
  return String(a["name"]) < String(b["name"]) ? -1 : 1;
}

/** Parameters that every operation of a path has stand on the path, as kube-openapi writes them. */
function hoistParameters(path: JsonObject): void {
  const operations = Object.values(path) as JsonObject[];
  const lists = operations.map((o) => o["parameters"] as JsonObject[]);
  const isCommon = (parameter: JsonObject) =>
    parameter["in"] !== "body" &&
    lists.every((list) =>
      list.some((p) => p["name"] === parameter["name"] && p["in"] === parameter["in"]),
    );
  const common = (lists[0] ?? []).filter(isCommon);
  for (const operation of operations) {
    const own = (operation["parameters"] as JsonObject[]).filter((p) => !isCommonName(common, p));
    if (own.length > 0) operation["parameters"] = own;
    else delete operation["parameters"];
  }
  if (common.length > 0) path["parameters"] = common;
}

function isCommonName(common: readonly JsonObject[], parameter: JsonObject): boolean {
  return common.some((p) => p["name"] === parameter["name"] && p["in"] === parameter["in"]);
}

/** A path with one GET, and what it answers. */
export interface Simple {
  readonly path: string;
  readonly description: string;
  readonly operationId: string;
  readonly tag: string;
  readonly types: readonly string[];
  /** The schema of the answer; what it refers to joins the document's definitions. */
  readonly refer: (definitions: Definitions) => JsonObject;
}

function simplePath(simple: Simple, definitions: Definitions): JsonObject {
  const { operationId, tag, types, refer, description } = simple;
  return {
    get: {
      description,
      consumes: [...types],
      produces: [...types],
      schemes: ["https"],
      tags: [tag],
      operationId,
      responses: { 200: { description: "OK", schema: refer(definitions) }, ...UNAUTHORIZED },
    },
  };
}

const title = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** What discovery's paths answer, for both document versions. */
export function discoveryOperations(groups: readonly ServedGroup[]): Simple[] {
  const ref = (name: string) => (definitions: Definitions) =>
    definitions.refOf(structOf(`${META}.${name}`));
  const found: Simple[] = [
    {
      path: "/apis/",
      description: "get available API versions",
      operationId: "getAPIVersions",
      tag: "apis",
      types: DISCOVERY_TYPES,
      refer: ref("APIGroupList"),
    },
  ];
  for (const { group, versions } of groups) {
    const tag = groupTag(group);
    const root = group === "" ? "/api" : `/apis/${group}`;
    found.push({
      path: `${root}/`,
      description: group === "" ? "get available API versions" : "get information of a group",
      operationId: group === "" ? "getCoreAPIVersions" : `get${title(tag)}APIGroup`,
      tag,
      types: DISCOVERY_TYPES,
      refer: ref(group === "" ? "APIVersions" : "APIGroup"),
    });
    for (const { version } of versions) {
      found.push({
        path: `${root}/${version}/`,
        description: "get available resources",
        operationId: `get${title(tag)}${title(version)}APIResources`,
        tag: `${tag}_${version}`,
        types: DISCOVERY_TYPES,
        refer: ref("APIResourceList"),
      });
    }
  }
  return found;
}

function discoveryPaths(groups: readonly ServedGroup[], definitions: Definitions) {
  const list = discoveryOperations(groups);
  return Object.fromEntries(list.map((simple) => [simple.path, simplePath(simple, definitions)]));
}

/** `/version/` and the paths of the service account issuer. */
export function otherOperations(): Simple[] {
  const text = () => ({ type: "string" });
  return [
    {
      path: "/version/",
      description: "get the version information for this server",
      operationId: "getCodeVersion",
      tag: "version",
      types: ["application/json"],
      refer: (definitions) => definitions.add("io.k8s.apimachinery.pkg.version.Info", versionInfo),
    },
    {
      path: "/.well-known/openid-configuration/",
      description:
        "get service account issuer OpenID configuration, " +
        "also known as the 'OIDC discovery doc'",
      operationId: "getServiceAccountIssuerOpenIDConfiguration",
      tag: "WellKnown",
      types: ["application/json"],
      refer: text,
    },
    {
      path: "/openid/v1/jwks/",
      description:
        "get service account issuer OpenID JSON Web Key Set " +
        "(contains public token verification keys)",
      operationId: "getServiceAccountIssuerOpenIDKeyset",
      tag: "openid",
      types: ["application/jwk-set+json"],
      refer: text,
    },
  ];
}

function otherPaths(definitions: Definitions) {
  return Object.fromEntries(
    otherOperations().map((simple) => {
      const path = simplePath(simple, definitions);
      if (simple.path !== "/version/") delete (path["get"] as JsonObject)["consumes"];
      return [simple.path, path];
    }),
  );
}

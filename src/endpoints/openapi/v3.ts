/**
 * The OpenAPI v3 documents: one per group version, and the index that names them with their hashes.
 * Upstream: kube-openapi/pkg/builder3, pkg/handler3.
 */
import type { JsonObject, JsonValue } from "../../apimachinery/runtime/json.ts";
import type { ServedGroup } from "../discovery/resources.ts";
import { type CustomOpenApi, customParts } from "./custom.ts";
import { CUSTOM_SCHEME, Definitions } from "./definitions.ts";
import { type Descriptions, noDescriptions } from "./descriptions.ts";
import { parameterText } from "./operation-texts.ts";
import type { Content, Operation, Parameter } from "./operations.ts";
import {
  builtInOperations,
  contentSchema,
  discoveryOperations,
  type OpenApiInput,
  otherOperations,
  reasonOf,
  type Simple,
  type Texts,
} from "./v2.ts";

const UNAUTHORIZED = { 401: { description: "Unauthorized" } };

/** The keys of the index, `api/v1` and `apis/apps/v1` among them, for the served groups. */
export function openApiV3Paths(groups: readonly ServedGroup[]): string[] {
  const documents = [
    ".well-known/openid-configuration",
    "api",
    "apis",
    "openid/v1/jwks",
    "version",
  ];
  for (const { group, versions } of groups) {
    const root = group === "" ? "api" : `apis/${group}`;
    if (group !== "") documents.push(root);
    for (const { version } of versions) documents.push(`${root}/${version}`);
  }
  return documents.sort();
}

/** One document, or undefined when the index has no such path. */
export function openApiV3(input: OpenApiInput, path: string): JsonObject | undefined {
  const root = `/${path}/`;
  const all = [...discoveryOperations(input.groups), ...otherOperations()];
  const simple = all.find((candidate) => candidate.path === root);
  if (simple === undefined) return undefined;
  const descriptions = input.descriptions ?? noDescriptions;
  const groupVersion = path.replace(/^apis?\//, "");
  const definitions = new Definitions(3, descriptions, groupVersion);
  return document(input, { root, simple, definitions, descriptions });
}

function document(
  input: OpenApiInput,
  { root, simple, definitions, descriptions }: Texts & { root: string; simple: Simple },
): JsonObject {
  const paths: Record<string, JsonObject> = { [root]: simplePath(simple, definitions) };
  if (/^\/apis?\/(?:[^/]+\/)?v[^/]+\/$/.test(root)) {
    for (const operation of builtInOperations(groupsAt(input.groups, root))) {
      const path = paths[operation.path] ?? {};
      paths[operation.path] = path;
      path[operation.method] = operationObject(operation, { definitions, descriptions });
    }
  }
  const schemas = definitions.all();
  return {
    ...assembled(input.version, "Kubernetes", paths),
    components: {
      ...(Object.keys(schemas).length === 0 ? {} : { schemas }),
      securitySchemes: {
        BearerToken: {
          type: "apiKey",
          description: "Bearer Token authentication",
          name: "authorization",
          in: "header",
        },
      },
    },
  };
}

/** The document of a group version whose resources are all custom. */
export function customOpenApiV3(
  customs: readonly CustomOpenApi[],
  descriptions: Descriptions,
): JsonObject {
  const definitions = new Definitions(3, descriptions, CUSTOM_SCHEME);
  const parts = customParts(customs, 3, definitions, descriptions);
  const paths: Record<string, JsonObject> = {};
  const texts = { definitions, descriptions, refer: parts.refer };
  for (const operation of parts.operations) {
    const path = paths[operation.path] ?? {};
    paths[operation.path] = path;
    path[operation.method] = operationObject(operation, texts);
  }
  const schemas = { ...definitions.all(), ...parts.definitions };
  return { ...assembled("v0.1.0", "Kubernetes CRD Swagger", paths), components: { schemas } };
}

function assembled(
  version: string,
  title: string,
  paths: Readonly<Record<string, JsonObject>>,
): JsonObject {
  for (const path of Object.values(paths)) hoistParameters(path);
  return {
    openapi: "3.0.0",
    info: { title, version },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** The one group version at `/api/v1/` or `/apis/<group>/<version>/`. */
function groupsAt(groups: readonly ServedGroup[], root: string): ServedGroup[] {
  return groups.flatMap((group) => {
    const prefix = group.group === "" ? "/api" : `/apis/${group.group}`;
    const versions = group.versions.filter(({ version }) => `${prefix}/${version}/` === root);
    return versions.length === 0 ? [] : [{ ...group, versions }];
  });
}

function parameterObject(parameter: Parameter, description: string | undefined): JsonObject {
  const { name, in: place, type } = parameter;
  return {
    name,
    in: place,
    ...(description === undefined ? {} : { description }),
    ...(place === "path" ? { required: true } : {}),
    schema: { type, uniqueItems: true },
  };
}

function contentObject(types: readonly string[], schema: JsonValue): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function operationObject(operation: Operation, texts: Texts): JsonObject {
  const { definitions, descriptions, refer } = texts;
  const schemaOf = (content: Content) => refer?.(content) ?? contentSchema(content, definitions);
  const responses: JsonObject = {};
  for (const { code, content } of operation.answers) {
    const schema = schemaOf(content);
    responses[String(code)] = {
      description: reasonOf(code),
      content: contentObject(operation.produces, schema),
    };
  }
  const { body } = operation;
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    parameters: operation.parameters.map((parameter) =>
      parameterObject(parameter, parameterText(parameter, operation, descriptions)),
    ),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: contentObject(operation.consumes, schemaOf(body)),
            ...(operation.bodyRequired === true ? { required: true } : {}),
          },
        }),
    responses: { ...responses, ...UNAUTHORIZED },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": { ...operation.gvk },
  };
}

function simplePath(
  { operationId, tag, types, refer, description }: Simple,
  definitions: Definitions,
): JsonObject {
  const content = contentObject(types, refer(definitions));
  return {
    get: {
      tags: [tag],
      description,
      operationId,
      responses: { 200: { description: "OK", content }, ...UNAUTHORIZED },
    },
  };
}

/** Parameters that every operation of a path has stand on the path. */
function hoistParameters(path: JsonObject): void {
  const operations = Object.values(path) as JsonObject[];
  const lists = operations.map((o) => (o["parameters"] ?? []) as JsonObject[]);
  const has = (list: readonly JsonObject[], parameter: JsonObject) =>
    list.some((p) => p["name"] === parameter["name"] && p["in"] === parameter["in"]);
  const common = (lists[0] ?? []).filter((parameter) =>
    lists.every((list) => has(list, parameter)),
  );
  operations.forEach((operation, i) => {
    const own = (lists[i] ?? []).filter((parameter) => !has(common, parameter));
    if (own.length > 0) operation["parameters"] = own;
    else delete operation["parameters"];
  });
  if (common.length > 0) path["parameters"] = common;
}

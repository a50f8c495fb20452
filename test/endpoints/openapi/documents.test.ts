import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import protobufjs from "protobufjs";
import type { JsonObject, JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { builtInGroups } from "../../../src/endpoints/discovery/resources.ts";
import { descriptionsOf } from "../../../src/endpoints/openapi/descriptions.ts";
import { OpenApiService } from "../../../src/endpoints/openapi/service.ts";
import { openApiV2 } from "../../../src/endpoints/openapi/v2.ts";
import { openApiV3, openApiV3Paths } from "../../../src/endpoints/openapi/v3.ts";
import { sharedPath } from "../../apimachinery/runtime/shared.ts";

const input = { groups: builtInGroups(), version: "1.36" };

function references(value: JsonValue | undefined, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found);
  else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === "$ref" && typeof item === "string") found.add(item);
      else references(item, found);
    }
  }
  return found;
}

test("every reference of version 2 has its definition, and operation ids are unique", () => {
  const document = openApiV2(input);
  const definitions = document["definitions"] as JsonObject;
  const parameters = document["parameters"] as JsonObject;
  for (const ref of references(document)) {
    const [, part = "", name = ""] = ref.split("/");
    assert(name in (part === "parameters" ? parameters : definitions), ref);
  }
  const ids: unknown[] = [];
  for (const path of Object.values(document["paths"] as Record<string, JsonObject>)) {
    for (const operation of Object.values(path)) {
      if (!Array.isArray(operation)) ids.push((operation as JsonObject)["operationId"]);
    }
  }
  assert.equal(new Set(ids).size, ids.length);
});

test("every document of version 3 holds exactly what it refers to", () => {
  for (const path of openApiV3Paths(input.groups)) {
    const document = openApiV3(input, path);
    assert(document !== undefined, path);
    const schemas = ((document["components"] as JsonObject)["schemas"] ?? {}) as JsonObject;
    const referred = [...references(document)].map((ref) =>
      ref.slice("#/components/schemas/".length),
    );
    assert.deepEqual(referred.sort(), Object.keys(schemas).sort(), path);
  }
  assert.equal(openApiV3(input, "apis/nope/v1"), undefined);
});

test("version 2 shares what no kind makes special, by upstream's names", () => {
  const document = openApiV2(input);
  const meta = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1";
  const parameters = document["parameters"] as JsonObject;
  assert.deepEqual(parameters["body-2Y1dVQaQ"], {
    name: "body",
    in: "body",
    schema: { $ref: `${meta}.DeleteOptions` },
  });
  assert.deepEqual(parameters["body-78PwaGsr"], {
    name: "body",
    in: "body",
    required: true,
    schema: { $ref: `${meta}.Patch` },
  });
  const path = (document["paths"] as JsonObject)["/api/v1/namespaces/{namespace}/pods"];
  const create = (path as JsonObject)["post"] as JsonObject;
  const own = (create["parameters"] as JsonObject[]).map((one) => one["name"] ?? "shared");
  assert.deepEqual(own, ["body", "dryRun", "shared", "fieldValidation"]);
});

test("operations say what they do", () => {
  const paths = openApiV2(input)["paths"] as Record<string, Record<string, JsonObject>>;
  const text = (path: string, method: string) => paths[path]?.[method]?.["description"];
  const pod = "/api/v1/namespaces/{namespace}/pods/{name}";
  assert.equal(text(pod, "get"), "read the specified Pod");
  assert.equal(text(`${pod}/status`, "patch"), "partially update status of the specified Pod");
  assert.equal(text(`${pod}/eviction`, "post"), "create eviction of a Pod");
  assert.equal(text(`${pod}/exec`, "get"), "connect GET requests to exec of Pod");
  assert.equal(text("/api/v1/namespaces/{namespace}/endpoints", "post"), "create Endpoints");
  assert.equal(text("/api/v1/componentstatuses", "get"), "list objects of kind ComponentStatus");
});

test("version 3 lists kinds that every group has for its own group and the core alone", () => {
  const document = openApiV3(input, "apis/apps/v1") ?? {};
  const schemas = (document["components"] as JsonObject)["schemas"] as Record<string, JsonObject>;
  const name = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
  assert.deepEqual(schemas[name]?.["x-kubernetes-group-version-kind"], [
    { group: "", kind: "DeleteOptions", version: "v1" },
    { group: "apps", kind: "DeleteOptions", version: "v1" },
  ]);
  assert.deepEqual(document["info"], { title: "Kubernetes", version: "1.36" });
  assert.equal(document["security"], undefined);
});

test("version 3 has defaults and enums", () => {
  const document = openApiV3(input, "api/v1") ?? {};
  const schemas = (document["components"] as JsonObject)["schemas"] as Record<string, JsonObject>;
  const port = schemas["io.k8s.api.core.v1.ServicePort"]?.["properties"] as Record<
    string,
    JsonObject
  >;
  assert.deepEqual(port["protocol"], {
    description: 'Possible enum values:\n - `"SCTP"`\n - `"TCP"`\n - `"UDP"`',
    type: "string",
    enum: ["SCTP", "TCP", "UDP"],
    default: "TCP",
  });
  assert.deepEqual(port["port"], { format: "int32", type: "integer", default: 0 });
});

test("descriptions are taken where a table has them", () => {
  const name = "io.k8s.api.core.v1.ConfigMap";
  const descriptions = descriptionsOf({ [name]: { "": "A map.", data: "The data." } });
  const definitions = openApiV2({ ...input, descriptions })["definitions"] as Record<
    string,
    JsonObject
  >;
  assert.equal(definitions[name]?.["description"], "A map.");
  const properties = definitions[name]?.["properties"] as Record<string, JsonObject> | undefined;
  assert.equal(properties?.["data"]?.["description"], "The data.");
});

test("the service keeps bytes, and its index names their hashes", async () => {
  const service = new OpenApiService(input);
  const index = JSON.parse(service.v3Index().toString()) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const document = await service.v3("apis/apps/v1", "json");
  assert(document !== undefined);
  const url = `/openapi/v3/apis/apps/v1?hash=${document.hash}`;
  assert.equal(index.paths["apis/apps/v1"]?.serverRelativeURL, url);
  assert.equal(await service.v3("apis/apps/v1", "json"), document);
  assert.equal(await service.v3("nope", "protobuf"), undefined);
});

test("gnostic's form: the first fields of the document read back", async () => {
  const service = new OpenApiService({ ...input, groups: input.groups.slice(0, 2) });
  const { body } = await service.v2("protobuf");
  const reader = protobufjs.Reader.create(body);
  const texts: string[] = [];
  const numbers = new Set<number>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    numbers.add(tag >>> 3);
    if (tag >>> 3 === 1) texts.push(reader.string());
    else reader.skipType(tag & 7);
  }
  assert.deepEqual(texts, ["2.0"]);
  assert.deepEqual(
    [...numbers].sort((a, b) => a - b),
    [1, 2, 8, 9, 10, 12, 13],
  );
});

const facts = sharedPath("facts/openapi-v2-1.36.json");
describe("upstream's document, every API on", { skip: facts === undefined }, () => {
  if (facts === undefined) return;
  const upstream = JSON.parse(readFileSync(facts, "utf8")) as Record<string, JsonObject>;
  const ours = openApiV2({ groups: builtInGroups(() => true), version: "1.36" });
  const shared = { ...upstream["parameters"], ...(ours["parameters"] as JsonObject) };

  /**
   * Without texts, the alpha encoding and enums, which that document lacks; shared parameters
   * spelled out, parameters in one order.
   */
  const normal = (value: JsonValue | undefined): JsonValue | undefined => {
    if (Array.isArray(value)) {
      const kept = value.filter((item) => !/^application\/.*cbor/.test(String(item)));
      return kept.map((item) => normal(item) ?? null);
    }
    if (typeof value !== "object" || value === null) return value;
    const ref = value["$ref"];
    if (typeof ref === "string" && ref.startsWith("#/parameters/"))
      return normal(shared[ref.slice(13)]);
    const result: JsonObject = {};
    for (const [key, item] of Object.entries(value)) {
      if (key === "description" && typeof item === "string") continue;
      if (key === "enum" && Array.isArray(item)) continue;
      const inner = normal(item);
      result[key] = key === "parameters" && Array.isArray(inner) ? inner.sort(byText) : inner;
    }
    return result;
  };
  const byText = (a: JsonValue, b: JsonValue) => {
    const name = (value: JsonValue) =>
      `${(value as JsonObject)["name"]} ${(value as JsonObject)["in"]}`;
    return name(a) < name(b) ? -1 : 1;
  };
  const differences = (part: string) => {
    const [mine, theirs] = [ours[part] as JsonObject, upstream[part] as JsonObject];
    return [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].filter((key) => {
      try {
        assert.deepEqual(normal(mine[key]), normal(theirs[key]));
        return false;
      } catch {
        return true;
      }
    });
  };

  test("paths are the same, except the log files' that we do not serve", () => {
    assert.deepEqual(differences("paths").sort(), ["/logs/", "/logs/{logpath}"]);
  });

  test("definitions are the same, except an alias of an alpha type", () => {
    assert.deepEqual(differences("definitions").sort(), [
      "io.k8s.api.admissionregistration.v1alpha1.MatchCondition",
      "io.k8s.api.admissionregistration.v1alpha1.MutatingAdmissionPolicySpec",
    ]);
  });
});

import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { JsonObject } from "../../../src/apimachinery/runtime/json.ts";
import { noDescriptions } from "../../../src/endpoints/openapi/descriptions.ts";
import { customOpenApiV3 } from "../../../src/endpoints/openapi/v3.ts";

const spec = { type: "object", properties: { port: { "x-kubernetes-int-or-string": true } } };
const custom = {
  ...{ group: "example.com", version: "v1", kind: "Widget", listKind: "WidgetList" },
  ...{ plural: "widgets", namespaced: true, hasStatus: true, hasScale: true },
  schema: JSON.stringify({ type: "object", properties: { spec } }),
  selectableFields: [".spec.port"],
};

test("a document of custom resources is its own server's", () => {
  const document = customOpenApiV3([custom], noDescriptions);
  assert.deepEqual(document["info"], { title: "Kubernetes CRD Swagger", version: "v0.1.0" });
  const components = document["components"] as Record<string, Record<string, JsonObject>>;
  assert.deepEqual(Object.keys(components), ["schemas"]);
  const schemas = components["schemas"] ?? {};
  const widget = schemas["com.example.v1.Widget"] as { properties: Record<string, JsonObject> };
  assert.deepEqual(widget.properties["spec"], {
    type: "object",
    properties: {
      port: {
        "x-kubernetes-int-or-string": true,
        anyOf: [{ type: "integer" }, { type: "string" }],
      },
    },
  });
  const options = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"] ?? {};
  const kinds = options["x-kubernetes-group-version-kind"] as JsonObject[];
  const groups = new Set(kinds.map(({ group }) => group));
  assert.ok(groups.has("apps") && groups.has("") && !groups.has("apiextensions.k8s.io"));
});

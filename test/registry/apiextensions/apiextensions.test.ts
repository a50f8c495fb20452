import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { fromV1beta1, toV1beta1 } from "../../../src/apis/apiextensions/v1/conversion.ts";
import { briefly, changed, contextOf, decoded, registrationOf } from "../verdicts.ts";

const crds = registrationOf("apiextensions.k8s.io", "customresourcedefinitions");
const ROOT = "spec.validation.openAPIV3Schema";
const SCHEMA = "spec.versions[0].schema.openAPIV3Schema";
const crd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "tests.a.example" },
  spec: {
    group: "a.example",
    scope: "Namespaced",
    names: { plural: "tests", kind: "Test" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { a: { type: "integer" } } } },
          },
        },
      },
    ],
  },
};

function errorsOf(plain: object, old?: object): string[] {
  const stored = (one: object): KubeObject => toV1beta1(decoded(crds, one));
  const object = stored(plain);
  const context = contextOf(object);
  if (old === undefined) {
    crds.strategy.prepareForCreate?.(context, object);
    return briefly(crds.strategy.validate(context, object));
  }
  const before = stored(old);
  crds.strategy.prepareForCreate?.(context, before);
  crds.strategy.prepareForUpdate?.(context, object, before);
  return briefly(crds.strategy.validateUpdate(context, object, before));
}

const at = (path: string) => `${SCHEMA}.properties.spec${path}`;
const inSpec = `${ROOT}.properties[spec]`;
const rows: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
  ["a definition", {}, []],
  ["another name", { "metadata.name": "x.a.example" }, ["Invalid metadata.name"]],
  ["a group without a dot", { "spec.group": "a" }, ["Invalid metadata.name", "Invalid spec.group"]],
  ["a scope", { "spec.scope": "x" }, ["NotSupported spec.scope"]],
  [
    "no storage version",
    { "spec.versions[0].storage": false },
    ["Invalid spec.versions", "Invalid status.storedVersions"],
  ],
  [
    "no schema",
    { "spec.versions[0].schema": undefined },
    ["Required spec.versions[0].schema.openAPIV3Schema"],
  ],
  ["a kind that is its list's", { "spec.names.listKind": "Test" }, ["Invalid spec.names.listKind"]],
  ["no type", { [at(".properties.a")]: {} }, [`Required ${inSpec}.properties[a].type`]],
  [
    "items without a schema",
    { [at(".properties.a")]: { type: "array" } },
    [`Required ${inSpec}.properties[a].items`],
  ],
  [
    "a reference",
    { [at(".properties.a.$ref")]: "#/x" },
    [`Forbidden ${inSpec}.properties[a].$ref`],
  ],
  ["a nullable root", { [`${SCHEMA}.nullable`]: true }, [`Forbidden ${ROOT}.nullable`]],
  [
    "a type in a combination",
    { [at(".anyOf")]: [{ type: "object" }] },
    [`Forbidden ${inSpec}.anyOf[0].type`],
  ],
  [
    "a property only in a combination",
    { [at(".allOf")]: [{ properties: { z: { minimum: 1 } } }] },
    [`Required ${inSpec}.properties[z]`],
  ],
  [
    "integer or string",
    {
      [at(".properties.a")]: {
        "x-kubernetes-int-or-string": true,
        anyOf: [{ type: "integer" }, { type: "string" }],
      },
    },
    [],
  ],
  [
    "metadata's schema",
    {
      [`${SCHEMA}.properties.metadata`]: {
        type: "object",
        properties: { labels: { type: "object" } },
      },
    },
    [`Forbidden ${ROOT}.properties[metadata]`],
  ],
  [
    "metadata's name",
    {
      [`${SCHEMA}.properties.metadata`]: {
        type: "object",
        properties: { name: { type: "string", pattern: "^a" } },
      },
    },
    [],
  ],
  [
    "a default that does not fit",
    { [at(".properties.a.default")]: "x" },
    [`TypeInvalid ${inSpec}.properties[a].default`],
  ],
  ["a default with unknown fields", { [at(".default")]: { z: 1 } }, [`Invalid ${inSpec}.default`]],
  [
    "a map without keys",
    {
      [at(".properties.a")]: {
        type: "array",
        items: { type: "object" },
        "x-kubernetes-list-type": "map",
      },
    },
    [`Required ${inSpec}.properties[a].x-kubernetes-list-map-keys`],
  ],
  [
    "a map's key that may be absent",
    {
      [at(".properties.a")]: {
        type: "array",
        items: { type: "object", properties: { k: { type: "string" } } },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
      },
    },
    [`Required ${inSpec}.properties[a].items.properties[k].default`],
  ],
  ["a rule", { [at(".x-kubernetes-validations")]: [{ rule: "self.a > 1 && oldSelf.a < 3" }] }, []],
  [
    "a rule of an unknown field",
    { [at(".x-kubernetes-validations")]: [{ rule: "self.b > 1" }] },
    [`Invalid ${inSpec}.x-kubernetes-validations[0].rule`],
  ],
  [
    "a rule that is no bool",
    { [at(".x-kubernetes-validations")]: [{ rule: "self.a" }] },
    [`Invalid ${inSpec}.x-kubernetes-validations[0].rule`],
  ],
  [
    "a default with members that nothing describes",
    {
      [at(".properties.a")]: {
        type: "object",
        additionalProperties: true,
        default: { k: { x: 1 } },
      },
    },
    [`Invalid ${inSpec}.properties[a].default`],
  ],
  [
    "the old value of a set's item",
    {
      [at(".properties.a")]: {
        type: "array",
        maxItems: 9,
        items: {
          type: "string",
          maxLength: 9,
          "x-kubernetes-validations": [{ rule: "self == oldSelf" }],
        },
      },
    },
    [`Invalid ${inSpec}.properties[a].items.x-kubernetes-validations[0].rule`],
  ],
  [
    "a rule's reason and path",
    { [at(".x-kubernetes-validations")]: [{ rule: "true", reason: "x", fieldPath: ".z" }] },
    [
      `NotSupported ${inSpec}.x-kubernetes-validations[0].reason`,
      `Invalid ${inSpec}.x-kubernetes-validations[0].fieldPath`,
    ],
  ],
  ["a selectable field", { "spec.versions[0].selectableFields": [{ jsonPath: ".spec.a" }] }, []],
  [
    "a selectable object",
    { "spec.versions[0].selectableFields": [{ jsonPath: ".spec" }] },
    ["Invalid spec.selectableFields[0].jsonPath"],
  ],
  [
    "a scale",
    {
      "spec.versions[0].subresources": {
        scale: { specReplicasPath: ".status.r", statusReplicasPath: "x" },
      },
    },
    [
      "Invalid spec.subresources.scale.specReplicasPath",
      "Invalid spec.subresources.scale.statusReplicasPath",
    ],
  ],
  [
    "a webhook without versions",
    {
      "spec.conversion": { strategy: "Webhook", webhook: { clientConfig: { url: "https://a/b" } } },
    },
    ["Required spec.conversion.conversionReviewVersions"],
  ],
  [
    "a webhook's authorities that are none",
    {
      "spec.conversion": {
        strategy: "Webhook",
        webhook: {
          clientConfig: { url: "https://a/b", caBundle: "AAAA" },
          conversionReviewVersions: ["v1"],
        },
      },
    },
    ["Invalid spec.conversion.webhookClientConfig.caBundle"],
  ],
  [
    "a warning of a version in use",
    { "spec.versions[0].deprecationWarning": "x" },
    ["Invalid spec.versions[0].deprecationWarning"],
  ],
  [
    "a group of Kubernetes",
    { "metadata.name": "tests.x.k8s.io", "spec.group": "x.k8s.io" },
    ["Required metadata.annotations[api-approved.kubernetes.io]"],
  ],
  [
    "unknown fields kept",
    { "spec.preserveUnknownFields": true },
    ["Invalid spec.preserveUnknownFields"],
  ],
];
for (const [name, changes, errors] of rows) {
  test(`create customresourcedefinitions: ${name}`, () => {
    assert.deepEqual(errorsOf(changed(crd, changes)), errors);
  });
}

test("update customresourcedefinitions: what is immutable", () => {
  assert.deepEqual(errorsOf(changed(crd, { "spec.names.plural": "other" }), crd), [
    "Invalid spec.names.plural",
  ]);
});

test("update customresourcedefinitions: a stored version may not go", () => {
  const next = changed(crd, { "spec.versions[0].name": "v2" });
  assert.deepEqual(errorsOf(next, crd), ["Invalid status.storedVersions[0]"]);
});

test("v1 through v1beta1 and back is what it was", () => {
  const second = { ...crd.spec.versions[0], name: "v2", storage: false };
  const column = { name: "A", type: "integer", jsonPath: ".spec.a" };
  const plain = changed(crd, {
    "spec.versions[1]": second,
    "spec.versions[0].additionalPrinterColumns": [column],
    "spec.versions[1].additionalPrinterColumns": [column],
    "spec.versions[0].subresources": { status: {} },
    "spec.conversion": {
      strategy: "Webhook",
      webhook: { clientConfig: { url: "https://a/b" }, conversionReviewVersions: ["v1"] },
    },
  });
  const object = decoded(crds, plain);
  assert.deepEqual(fromV1beta1(toV1beta1(object)), object);
});

test("unknown formats are told", () => {
  const object = toV1beta1(
    decoded(crds, changed(crd, { [at(".properties.a")]: { type: "string", format: "x" } })),
  );
  assert.deepEqual(crds.strategy.warningsOnCreate?.(contextOf(object), object), [
    'unrecognized format "x"',
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { fromV1beta1, toV1beta1 } from "../../src/apis/apiextensions/v1/conversion.ts";

const names = { plural: "cats", kind: "Cat" };
const schema = { openAPIV3Schema: { type: "object" } };
const otherSchema = { openAPIV3Schema: { type: "object", description: "other" } };
const status = { status: {} };
const clientConfig = { url: "https://example.com/convert" };

const crd = (version: string, spec: object) =>
  ({
    kind: "CustomResourceDefinition",
    apiVersion: `apiextensions.k8s.io/${version}`,
    metadata: { name: "cats.example.com" },
    spec: { group: "example.com", names, scope: "Namespaced", ...spec },
  }) as KubeObject;

/** What a client sends and what etcd holds of it, as kube-apiserver 1.36 writes it. */
const cases: readonly (readonly [what: string, v1: object, v1beta1: object])[] = [
  [
    "one version: everything stands at the top",
    {
      versions: [
        {
          ...{ name: "v1", served: true, storage: true, schema, subresources: status },
          additionalPrinterColumns: [{ name: "Age", type: "date", jsonPath: ".metadata.x" }],
          selectableFields: [{ jsonPath: ".spec.color" }],
        },
      ],
    },
    {
      preserveUnknownFields: false,
      version: "v1",
      validation: schema,
      subresources: status,
      additionalPrinterColumns: [{ name: "Age", type: "date", JSONPath: ".metadata.x" }],
      selectableFields: [{ jsonPath: ".spec.color" }],
      versions: [{ name: "v1", served: true, storage: true }],
    },
  ],
  [
    "versions that differ keep what differs",
    {
      versions: [
        { name: "v2", served: true, storage: true, schema, subresources: status },
        { name: "v1", served: true, storage: false, schema: otherSchema, subresources: status },
      ],
    },
    {
      preserveUnknownFields: false,
      version: "v2",
      subresources: status,
      versions: [
        { name: "v2", served: true, storage: true, schema },
        { name: "v1", served: true, storage: false, schema: otherSchema },
      ],
    },
  ],
  [
    "a webhook's configuration is flat",
    {
      versions: [{ name: "v1", served: true, storage: true, schema }],
      conversion: {
        strategy: "Webhook",
        webhook: { clientConfig, conversionReviewVersions: ["v1"] },
      },
    },
    {
      preserveUnknownFields: false,
      version: "v1",
      validation: schema,
      versions: [{ name: "v1", served: true, storage: true }],
      conversion: {
        strategy: "Webhook",
        webhookClientConfig: clientConfig,
        conversionReviewVersions: ["v1"],
      },
    },
  ],
  [
    "preserveUnknownFields is written out",
    {
      preserveUnknownFields: true,
      versions: [{ name: "v1", served: true, storage: true }],
      conversion: { strategy: "None" },
    },
    {
      preserveUnknownFields: true,
      version: "v1",
      versions: [{ name: "v1", served: true, storage: true }],
      conversion: { strategy: "None" },
    },
  ],
];

for (const [what, v1, v1beta1] of cases) {
  test(`to the store and back: ${what}`, () => {
    assert.deepEqual(toV1beta1(crd("v1", v1)), crd("v1beta1", v1beta1));
    assert.deepEqual(fromV1beta1(crd("v1beta1", v1beta1)), crd("v1", v1));
  });
}

test("what clients of v1beta1 stored: one name and no versions", () => {
  const old = crd("v1beta1", { version: "v1alpha1", validation: schema });
  const versions = [{ name: "v1alpha1", served: true, storage: true, schema }];
  assert.deepEqual(fromV1beta1(old), crd("v1", { versions }));
});

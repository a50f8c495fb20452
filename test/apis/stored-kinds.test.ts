/** What the store may hold of each kind, and what becomes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { apiVersionOf } from "../../src/apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../../src/apimachinery/runtime/json.ts";
import { resourceTables } from "../../src/apis/resources.ts";
import { schemaForKind } from "../../src/apis/schemas.ts";
import { storedKind } from "../../src/apis/stored-kinds.ts";
import { registrations } from "../../src/registry/registrations.ts";
import { Random, structValue } from "../native/random-objects.ts";

test("defaults are those of the registry, version by version", () => {
  const random = new Random(7);
  let compared = 0;
  for (const table of resourceTables().resources) {
    if (table.storage === undefined) continue;
    const { group, version, kind, resource } = table;
    const one = registrations.find((of) => of.group === group && of.resource === resource);
    const schema = schemaForKind(table);
    if (one === undefined || schema === undefined) continue;
    // Its defaults are filled in when it is converted, see the conversion's own test.
    if (kind === "CustomResourceDefinition") continue;
    const apiVersion = apiVersionOf(table);
    for (let round = 0; round < 10; round++) {
      const object: JsonObject = { ...structValue(schema, random, 0), apiVersion, kind };
      const wanted = structuredClone(object) as unknown as KubeObject;
      one.defaults[version]?.(wanted);
      const known = storedKind(apiVersion, kind);
      const got = known?.modernize(structuredClone(object), apiVersion);
      assert.deepEqual(got, wanted, `${apiVersion} ${kind}`);
      compared++;
    }
  }
  assert.ok(compared > 500, `${compared}`);
});

const OLD: readonly [
  apiVersion: string,
  storage: string,
  object: JsonObject,
  wanted: JsonObject,
][] = [
  [
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "flowcontrol.apiserver.k8s.io/v1",
    { kind: "FlowSchema", spec: { priorityLevelConfiguration: { name: "a" } } },
    { spec: { priorityLevelConfiguration: { name: "a" }, matchingPrecedence: 1000 } },
  ],
  [
    "events.k8s.io/v1beta1",
    "v1",
    { kind: "Event", note: "n", regarding: { name: "p" } },
    { message: "n", involvedObject: { name: "p" } },
  ],
  [
    "autoscaling/v1",
    "autoscaling/v2",
    {
      kind: "HorizontalPodAutoscaler",
      spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
    },
    {
      spec: {
        maxReplicas: 3,
        minReplicas: 1,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
          },
        ],
      },
    },
  ],
];

test("objects of former versions become those of the storage version", () => {
  for (const [apiVersion, storage, object, wanted] of OLD) {
    const kind = object["kind"] as string;
    const got = storedKind(apiVersion, kind)?.modernize(structuredClone(object), storage);
    assert.deepEqual(got, { ...wanted, apiVersion: storage, kind });
  }
  assert.equal(storedKind("extensions/v1beta1", "Ingress"), undefined);
  assert.equal(storedKind("v2", "Pod"), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { limitRanger } from "../../../src/admission/plugins/limit-ranger.ts";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { FakeCluster, podOf, run } from "../fakes.ts";

type Item = Record<string, unknown>;

function pluginWith(...limits: Item[]) {
  const cluster = new FakeCluster();
  cluster.add("limitranges", { metadata: { name: "l", namespace: "ns" }, spec: { limits } });
  return limitRanger(cluster, { gate: () => true });
}
const limited = (cpu: string, request = cpu) => ({
  resources: { limits: { cpu }, requests: { cpu: request } },
});
const refused = (text: string) => `pods "p" is forbidden: ${text}`;

test("containers get what they do not say, and the pod says so", async () => {
  const plugin = pluginWith({
    type: "Container",
    default: { memory: "1Gi", cpu: "1" },
    defaultRequest: { cpu: "100m" },
  });
  const pod = podOf([{}, limited("2")], { initContainers: [{ name: "i", image: "x" }] });
  const { object } = await run(plugin, { object: pod });
  const { spec, metadata } = object as KubeObject & { spec: Record<string, Item[]> };
  assert.deepEqual(spec["containers"]?.[0]?.["resources"], {
    limits: { memory: "1Gi", cpu: "1" },
    requests: { cpu: "100m" },
  });
  assert.deepEqual(spec["containers"]?.[1]?.["resources"], {
    limits: { cpu: "2", memory: "1Gi" },
    requests: { cpu: "2" },
  });
  assert.equal(
    metadata?.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu request for container c1; cpu, memory limit for container c1; memory limit for container c2; cpu request for init container i; cpu, memory limit for init container i",
  );
});

const verdicts: readonly [string, Item, KubeObject, string][] = [
  [
    "in between",
    { type: "Container", min: { cpu: "1" }, max: { cpu: "2" } },
    podOf([limited("2", "1")]),
    "",
  ],
  [
    "limit above max",
    { type: "Container", max: { cpu: "1" } },
    podOf([limited("2")]),
    refused("maximum cpu usage per Container is 1, but limit is 2"),
  ],
  [
    "no limit",
    { type: "Container", max: { cpu: "1" } },
    podOf([{}]),
    refused("maximum cpu usage per Container is 1.  No limit is specified"),
  ],
  [
    "request below min",
    { type: "Container", min: { cpu: "1500m" } },
    podOf([limited("2", "1")]),
    refused("minimum cpu usage per Container is 1500m, but request is 1"),
  ],
  [
    "both, in brackets",
    { type: "Container", min: { memory: "1Mi" }, max: { cpu: "1" } },
    podOf([limited("2")]),
    refused(
      "[minimum memory usage per Container is 1Mi.  No request is specified, maximum cpu usage per Container is 1, but limit is 2]",
    ),
  ],
  [
    "the same of two containers, once",
    { type: "Container", max: { cpu: "1" } },
    podOf([limited("2"), limited("2")]),
    refused("maximum cpu usage per Container is 1, but limit is 2"),
  ],
  [
    "ratio",
    { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
    podOf([limited("3", "1")]),
    refused("cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000"),
  ],
  [
    "ratio without a request",
    { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
    podOf([{}]),
    refused(
      "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ),
  ],
  [
    "the pod's sum",
    { type: "Pod", max: { cpu: "3" } },
    podOf([limited("2"), limited("2")]),
    refused("maximum cpu usage per Pod is 3, but limit is 4"),
  ],
  [
    "an init container counts alone",
    { type: "Pod", max: { cpu: "3" } },
    podOf([limited("2")], { initContainers: [{ name: "i", ...limited("3") }] }),
    "",
  ],
  [
    "a sidecar counts with the others",
    { type: "Pod", max: { cpu: "4" } },
    podOf([limited("2")], {
      initContainers: [{ name: "i", restartPolicy: "Always", ...limited("3") }],
    }),
    refused("maximum cpu usage per Pod is 4, but limit is 5"),
  ],
  [
    "pod-level resources win",
    { type: "Pod", max: { cpu: "3" } },
    podOf([limited("2"), limited("2")], { resources: limited("3").resources }),
    "",
  ],
  ["another type", { type: "PersistentVolumeClaim", max: { storage: "1" } }, podOf([{}]), ""],
];
for (const [name, item, object, message] of verdicts) {
  test(`pods: ${name}`, async () => {
    assert.equal((await run(pluginWith(item), { object })).message, message);
  });
}

test("claims: only requests count", async () => {
  const plugin = pluginWith({
    type: "PersistentVolumeClaim",
    min: { storage: "1Gi" },
    max: { storage: "2Gi" },
  });
  const claim = (storage?: string) => ({
    plural: "persistentvolumeclaims",
    object: {
      metadata: { name: "c", namespace: "ns" },
      spec: { resources: storage === undefined ? {} : { requests: { storage } } },
    },
  });
  const refusedClaim = (text: string) => `persistentvolumeclaims "c" is forbidden: ${text}`;
  assert.equal((await run(plugin, claim("1Gi"))).message, "");
  assert.equal(
    (await run(plugin, claim("3Gi"))).message,
    refusedClaim("maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"),
  );
  assert.equal(
    (await run(plugin, claim("1Mi"))).message,
    refusedClaim("minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi"),
  );
  assert.equal(
    (await run(plugin, claim())).message,
    refusedClaim(
      "[minimum storage usage per PersistentVolumeClaim is 1Gi.  No request is specified, maximum storage usage per PersistentVolumeClaim is 2Gi.  No request is specified]",
    ),
  );
});

test("a plain update of a pod is let be; a resize is judged; what is going away is not", async () => {
  const plugin = pluginWith({ type: "Container", max: { cpu: "1" } });
  const object = podOf([limited("2")]);
  const update = { operation: "UPDATE" as const, object, oldObject: podOf([limited("1")]) };
  assert.equal((await run(plugin, update)).message, "");
  assert.notEqual((await run(plugin, { ...update, subresource: "resize" })).message, "");
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  const oldObject = { metadata: { name: "p", deletionTimestamp } };
  assert.equal((await run(plugin, { ...update, subresource: "resize", oldObject })).message, "");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../src/apis/core/v1/types.ts";
import {
  briefly,
  changed,
  contextOf,
  createErrors,
  decoded,
  registrationOf,
  testCreate,
  testUpdate,
  updateErrors,
} from "../verdicts.ts";

const pods = registrationOf("", "pods");
const base = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "n", resourceVersion: "1", uid: "u" },
  spec: {
    serviceAccountName: "default",
    containers: [
      { name: "c", image: "i:1", resources: { requests: { cpu: "1" }, limits: { cpu: "2" } } },
    ],
    tolerations: [{ key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 10 }],
  },
};

testCreate(pods, base, [
  ["as it stands", {}],
  ["no containers", { "spec.containers": [] }, ["Required spec.containers"]],
  ["no image", { "spec.containers[0].image": "" }, ["Required spec.containers[0].image"]],
  [
    "spaces in the image",
    { "spec.containers[0].image": " i" },
    ["Invalid spec.containers[0].image"],
  ],
  ["unknown restart", { "spec.restartPolicy": "x" }, ["NotSupported spec.restartPolicy"]],
  ["unknown DNS policy", { "spec.dnsPolicy": "x" }, ["NotSupported spec.dnsPolicy"]],
  ["name servers missing", { "spec.dnsPolicy": "None" }, ["Required spec.dnsConfig"]],
  [
    "ephemeral containers",
    { "spec.ephemeralContainers": [{ name: "e", image: "i" }] },
    ["Forbidden spec.ephemeralContainers"],
  ],
  [
    "a node beside gates",
    { "spec.nodeName": "a", "spec.schedulingGates": [{ name: "g" }] },
    ["Forbidden spec.nodeName"],
  ],
  [
    "requests above limits",
    { "spec.containers[0].resources.requests": { cpu: "3" } },
    ["Invalid spec.containers[0].resources.requests"],
  ],
  [
    "the same name twice",
    {
      "spec.initContainers": [{ name: "c", image: "i" }],
      "spec.containers[1]": { name: "c", image: "i" },
    },
    ["Duplicate spec.containers[1].name", "Duplicate spec.initContainers[0].name"],
  ],
  [
    "a mount of no volume",
    { "spec.containers[0].volumeMounts": [{ name: "v", mountPath: "/v" }] },
    ["NotFound spec.containers[0].volumeMounts[0].name"],
  ],
  [
    "a volume of two kinds",
    { "spec.volumes": [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] },
    ["Forbidden spec.volumes[0].hostPath"],
  ],
  [
    "two handlers",
    { "spec.containers[0].livenessProbe": { exec: { command: ["a"] }, tcpSocket: { port: 1 } } },
    ["Forbidden spec.containers[0].livenessProbe.tcpSocket"],
  ],
  [
    "privilege without escalation",
    { "spec.containers[0].securityContext": { privileged: true, allowPrivilegeEscalation: false } },
    ["Invalid spec.containers[0].securityContext"],
  ],
  [
    "a windows pod with users of linux",
    { "spec.os": { name: "windows" }, "spec.securityContext": { runAsUser: 1 } },
    ["Forbidden spec.securityContext.runAsUser"],
  ],
  [
    "an operator with the wrong values",
    {
      "spec.affinity": {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "k", operator: "Gt", values: [] }] }],
          },
        },
      },
    },
    [
      "Required spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution" +
        ".nodeSelectorTerms[0].matchExpressions[0].values",
    ],
  ],
]);

testUpdate(pods, base, [
  ["nothing", {}],
  ["image", { "spec.containers[0].image": "i:2" }],
  [
    "no image",
    { "spec.containers[0].image": "" },
    ["Required spec.containers[0].image", "Required spec.containers[0].image"],
  ],
  ["labels", { "metadata.labels": { a: "b" } }],
  ["a deadline", { "spec.activeDeadlineSeconds": 5 }],
  ["another toleration", { "spec.tolerations[1]": { key: "l", operator: "Exists" } }],
  ["a shorter toleration", { "spec.tolerations[0].tolerationSeconds": 5 }],
  ["no toleration", { "spec.tolerations": [] }, ["Forbidden spec.tolerations"]],
  ["a node selector", { "spec.nodeSelector": { a: "b" } }, ["Forbidden spec"]],
  [
    "another container",
    { "spec.containers[1]": { name: "d", image: "i" } },
    ["Forbidden spec.containers"],
  ],
  [
    "a gate",
    { "spec.schedulingGates": [{ name: "g" }] },
    ["Forbidden spec.schedulingGates[0].name"],
  ],
  ["resources", { "spec.containers[0].resources.requests.cpu": "2" }, ["Forbidden spec"]],
]);
testUpdate(pods, changed(base, { "spec.activeDeadlineSeconds": 5 }), [
  ["an earlier deadline", { "spec.activeDeadlineSeconds": 3 }],
  ["a later deadline", { "spec.activeDeadlineSeconds": 8 }, ["Invalid spec.activeDeadlineSeconds"]],
  [
    "no deadline",
    { "spec.activeDeadlineSeconds": undefined },
    ["Invalid spec.activeDeadlineSeconds"],
  ],
]);
const gated = changed(base, {
  "spec.schedulingGates": [{ name: "a" }, { name: "b" }],
  "spec.nodeSelector": { x: "y" },
});
testUpdate(pods, gated, [
  ["a gate fewer", { "spec.schedulingGates": [{ name: "b" }] }],
  ["selectors that are added", { "spec.nodeSelector.z": "1" }],
  ["selectors that change", { "spec.nodeSelector": { x: "1" } }, ["Invalid spec.nodeSelector"]],
]);

test("a forbidden update shows what differs", () => {
  const [error] = updateErrors(pods, changed(base, { "spec.hostname": "h" }), base);
  assert.match(
    error?.detail ?? "",
    /@@ -\d+,7 \+\d+,7 @@\n(?: .*\n)*- "Hostname": "",\n\+ "Hostname": "h",\n/,
  );
});

const running = changed(base, {
  "spec.nodeName": "node",
  status: { phase: "Running", qosClass: "Burstable", conditions: [] },
});
testUpdate(
  pods,
  running,
  [
    ["nothing", {}],
    ["another class", { "status.qosClass": "BestEffort" }, ["Invalid status.qosClass"]],
    ["no class: it stays", { "status.qosClass": undefined }],
    ["no address", { "status.podIPs": [{ ip: "x" }] }, ["Invalid status.podIPs[0]"]],
    [
      "two addresses of a family",
      { "status.podIPs": [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] },
      ["Invalid status.podIPs"],
    ],
  ],
  { subresource: "status" },
);
testUpdate(
  pods,
  running,
  [
    ["a debugger", { "spec.ephemeralContainers": [{ name: "e", image: "i" }] }],
    [
      "a debugger without an image",
      { "spec.ephemeralContainers": [{ name: "e" }] },
      ["Required spec.ephemeralContainers[0].image"],
    ],
    [
      "a debugger with resources",
      {
        "spec.ephemeralContainers": [
          { name: "e", image: "i", resources: { limits: { cpu: "1" } } },
        ],
      },
      ["Forbidden spec.ephemeralContainers[0].resources"],
    ],
  ],
  { subresource: "ephemeralcontainers" },
);
testUpdate(
  pods,
  changed(running, { "spec.ephemeralContainers": [{ name: "e", image: "i" }] }),
  [
    ["removed", { "spec.ephemeralContainers": [] }, ["Forbidden spec.ephemeralContainers"]],
    [
      "changed",
      { "spec.ephemeralContainers[0].image": "j" },
      ["Forbidden spec.ephemeralContainers"],
    ],
  ],
  { subresource: "ephemeralcontainers" },
);
testUpdate(
  pods,
  running,
  [
    ["more", { "spec.containers[0].resources.limits.cpu": "3" }],
    ["an image is not taken", { "spec.containers[0].image": "i:9" }],
    [
      "no resources",
      { "spec.containers[0].resources": {} },
      [
        "Invalid spec",
        "Forbidden spec.containers[0].resources.requests",
        "Forbidden spec.containers[0].resources.limits",
      ],
    ],
  ],
  { subresource: "resize" },
);

test("a new pod has a phase, a class, a generation, and why it waits", () => {
  const pod = decoded(pods, changed(gated, { status: { phase: "Running" } })) as Pod;
  pods.strategy.prepareForCreate?.(contextOf(base), pod as never);
  assert.equal(pod.status?.phase, "Pending");
  assert.equal(pod.status?.qosClass, "Burstable");
  assert.equal(pod.metadata?.generation, 1);
  assert.equal(pod.status?.conditions?.[0]?.reason, "SchedulingGated");
});

test("selectors get the values of the pod's labels", () => {
  const term = {
    labelSelector: { matchLabels: { app: "a" } },
    matchLabelKeys: ["hash"],
    mismatchLabelKeys: ["tenant"],
    topologyKey: "zone",
  };
  const plain = changed(base, {
    "metadata.labels": { hash: "1", tenant: "t" },
    "spec.affinity": {
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    },
  });
  assert.deepEqual(briefly(createErrors(pods, plain)), []);
  const pod = decoded(pods, plain) as Pod;
  pods.strategy.prepareForCreate?.(contextOf(plain as typeof base), pod as never);
  const terms = pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  assert.deepEqual(terms?.[0]?.labelSelector?.matchExpressions, [
    { key: "hash", operator: "In", values: ["1"] },
    { key: "tenant", operator: "NotIn", values: ["t"] },
  ]);
});

test("warnings", () => {
  const plain = changed(base, {
    "metadata.name": "p.q",
    "spec.nodeSelector": { "beta.kubernetes.io/os": "linux" },
    "spec.containers[0].env": [
      { name: "A", value: "1" },
      { name: "A", value: "2" },
    ],
    "spec.containers[0].ports": [
      { name: "x", containerPort: 80, hostIP: "127.0.0.1" },
      { name: "y", containerPort: 80 },
    ],
    "spec.volumes": [
      {
        name: "v",
        configMap: {
          name: "m",
          items: [
            { key: "a", path: "p" },
            { key: "b", path: "p/q" },
          ],
        },
      },
    ],
    "spec.imagePullSecrets": [{ name: "" }],
  });
  const pod = decoded(pods, plain);
  const found = pods.strategy.warningsOnCreate?.(contextOf(pod), pod);
  assert.deepEqual(found?.slice(1), [
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    'volume "v" (ConfigMap "m"): overlapping paths: "p/q" with "p"',
    'spec.imagePullSecrets[0].name: invalid empty name ""',
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    "spec.containers[0].ports[0]: hostIP set without hostPort: " +
      "{Name:x HostPort:0 ContainerPort:80 Protocol:TCP HostIP:127.0.0.1}",
    "spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]",
  ]);
});

const seconds: [string, object, number | undefined, number][] = [
  ["not scheduled", {}, undefined, 0],
  [
    "the pod's own",
    { "spec.nodeName": "a", "spec.terminationGracePeriodSeconds": 7 },
    undefined,
    7,
  ],
  ["asked for", { "spec.nodeName": "a" }, 3, 3],
  ["negative", { "spec.nodeName": "a" }, -3, 1],
  ["done", { "spec.nodeName": "a", status: { phase: "Failed" } }, 3, 0],
];
for (const [name, changes, asked, wanted] of seconds) {
  test(`grace of a pod: ${name}`, () => {
    const pod = decoded(pods, changed(base, changes as Record<string, unknown>));
    assert.equal(pods.strategy.gracefulDeleteSeconds?.(pod, asked), wanted);
  });
}

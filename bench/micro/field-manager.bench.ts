// Question: do patch and apply stay within their share of a write (150 us for a 4 KB pod with three
// managers), and near-linear for large objects?
// Method: the median of rounds in one process, after warm-up. Read ratios between rows of one run.
import type { JsonObject } from "../../src/apimachinery/runtime/json.ts";
import { schemaForKind } from "../../src/apis/schemas.ts";
import { createFieldManager, excludeFields } from "../../src/endpoints/fieldmanager/index.ts";
import { applyJsonPatch } from "../../src/endpoints/patch/json-patch.ts";
import { applyMergePatch } from "../../src/endpoints/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "../../src/endpoints/patch/strategic-merge-patch/index.ts";

type KubeObject = JsonObject & { metadata: JsonObject };

function measure(name: string, callsPerRound: number, run: () => unknown): void {
  for (let i = 0; i < callsPerRound * 3; i++) run();
  const rounds: number[] = [];
  for (let round = 0; round < 15; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < callsPerRound; i++) run();
    rounds.push(Number(process.hrtime.bigint() - start) / callsPerRound / 1000);
  }
  rounds.sort((a, b) => a - b);
  const [low = 0, median = 0] = [rounds[1], rounds[7]];
  console.log(`${name.padEnd(58)} ${median.toFixed(1).padStart(10)} us  (low ${low.toFixed(1)})`);
}

function managerOf(group: string, version: string, kind: string) {
  const gvk = { group, version, kind };
  const schema = schemaForKind(gvk);
  if (schema === undefined) throw new Error(kind);
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const resetFields = new Map([[apiVersion, excludeFields(["status"])]]);
  return { schema, manager: createFieldManager({ gvk, schema, subresource: "", resetFields }) };
}

function container(name: string, envCount: number): JsonObject {
  const env = Array.from({ length: envCount }, (_, i) => ({ name: `E${i}`, value: `value-${i}` }));
  return {
    name,
    image: `registry.example/${name}:1.2.3`,
    imagePullPolicy: "IfNotPresent",
    env,
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    livenessProbe: { httpGet: { path: "/healthz", port: 8080, scheme: "HTTP" }, periodSeconds: 10 },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  };
}

function pod(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "web-0",
      namespace: "default",
      uid: "6d6e1d6c-7a65-4f3a-b9b5-7a5d4b6c1c11",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { app: "web", tier: "front", "pod-template-hash": "abc" },
      annotations: { a: "1", b: "2", c: "3" },
    },
    spec: {
      containers: [container("app", 12), container("sidecar", 6)],
      volumes: [{ name: "data", emptyDir: {} }],
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      serviceAccountName: "default",
      nodeName: "node-1",
      schedulerName: "default-scheduler",
      terminationGracePeriodSeconds: 30,
      tolerations: [
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
      ],
    },
    status: {
      phase: "Running",
      podIP: "10.0.0.5",
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      })),
    },
  };
}

function ownedPod(): KubeObject {
  const { manager, schema } = managerOf("", "v1", "Pod");
  const gvk = { group: "", version: "v1", kind: "Pod" };
  const resetFields = new Map([["v1", excludeFields(["spec"])]]);
  const status = createFieldManager({ gvk, schema, subresource: "status", resetFields });
  const { status: _status, ...bare } = pod();
  let live = manager.update(undefined, bare, "kube-controller-manager") as KubeObject;
  const full = { ...pod(), metadata: live.metadata };
  live = status.update(live, full, "kubelet") as KubeObject;
  return manager.apply(live, config("1"), "applier", true).object as KubeObject;
}

function config(value: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-0", namespace: "default", labels: { app: "web", owner: value } },
    spec: {
      containers: [
        {
          name: "app",
          image: "registry.example/app:1.2.3",
          env: Array.from({ length: 12 }, (_, i) => ({ name: `E${i}`, value: `value-${i}` })),
        },
      ],
    },
  };
}

function pods(): void {
  const { manager, schema } = managerOf("", "v1", "Pod");
  const live = ownedPod();
  const bytes = JSON.stringify({
    ...live,
    metadata: { ...live.metadata, managedFields: 0 },
  }).length;
  console.log(
    `pod: ${bytes} bytes, ${JSON.stringify(live.metadata["managedFields"]).length} of owners`,
  );
  const { status: _status, ...bare } = pod();
  measure("pod create: owners", 300, () => manager.update(undefined, bare, "kubectl"));
  const next = structuredClone(live) as KubeObject;
  next.metadata["labels"] = { app: "web", tier: "front", "pod-template-hash": "abd" };
  measure("pod update: owners", 300, () => manager.update(live, next, "kubectl"));
  const same = structuredClone(live) as KubeObject;
  measure("pod update without change: owners", 300, () => manager.update(live, same, "kubectl"));
  const again = config("1");
  measure("pod apply, same", 300, () => manager.apply(live, again, "applier", false));
  let turn = 0;
  const [two, three] = [config("2"), config("3")];
  measure("pod apply, one label changes", 300, () => {
    turn += 1;
    return manager.apply(live, turn % 2 === 0 ? two : three, "applier", false);
  });
  const { containers: _dropped, ...rest } = config("1")["spec"] as JsonObject;
  const less = { ...config("1"), spec: rest };
  measure("pod apply, fields pruned", 300, () => manager.apply(live, less, "applier", false));
  const merge = '{"metadata":{"labels":{"tier":"back"}}}';
  measure("pod merge patch", 300, () => applyMergePatch(live, merge, "Warn"));
  const json = '[{"op":"replace","path":"/metadata/labels/tier","value":"back"}]';
  measure("pod JSON patch", 300, () => applyJsonPatch(live, json, "Warn"));
  const strategic = '{"spec":{"containers":[{"name":"app","image":"x:2"}]}}';
  measure("pod strategic merge patch", 300, () =>
    applyStrategicMergePatch(live, strategic, schema, "Warn"),
  );
}

function configMap(entries: number, bytesEach: number): KubeObject {
  const data = Object.fromEntries(
    Array.from({ length: entries }, (_, i) => [`key-${i}`, "x".repeat(bytesEach)]),
  );
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "big", namespace: "default" },
    data,
  };
}

function configMaps(): void {
  const { manager } = managerOf("", "v1", "ConfigMap");
  for (const [entries, bytesEach] of [
    [50, 20],
    [500, 20],
    [5000, 20],
    [100, 10_000],
  ] as const) {
    const first = configMap(entries, bytesEach);
    const live = manager.update(undefined, first, "one") as KubeObject;
    live.metadata["uid"] = "u";
    const next = structuredClone(live) as KubeObject;
    (next["data"] as JsonObject)["key-7"] = "changed";
    const calls = entries > 1000 ? 5 : 50;
    const what = `ConfigMap of ${entries} x ${bytesEach} bytes`;
    measure(`${what}: update`, calls, () => manager.update(live, next, "two"));
    measure(`${what}: apply`, calls, () => manager.apply(live, first, "three", true));
  }
  for (const count of [5, 50, 500]) {
    let live = manager.update(undefined, configMap(20, 10), "one") as KubeObject;
    live.metadata["uid"] = "u";
    for (let i = 0; i < count; i++) {
      live = manager.apply(live, configMap(20, 10), `m${i}`, true).object as KubeObject;
    }
    const next = structuredClone(live) as KubeObject;
    (next["data"] as JsonObject)["key-7"] = "changed";
    measure(`ConfigMap of ${count} appliers: update`, 10, () => manager.update(live, next, "two"));
  }
}

pods();
configMaps();

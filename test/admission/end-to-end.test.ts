/** Plugins behind a whole API: one process, the in-memory store. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { request } from "node:https";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const PORT = 21760;
const START_MS_MAX = 60_000;
const root = fileURLToPath(new URL("../..", import.meta.url));
const enabled = [
  "AlwaysPullImages",
  "NamespaceAutoProvision",
  "NodeRestriction",
  "DenyServiceExternalIPs",
  "ExtendedResourceToleration",
  "OwnerReferencesPermissionEnforcement",
];

interface Answer {
  readonly code: number;
  readonly warnings: readonly string[];
  readonly body: Record<string, never> & {
    readonly message?: string;
    readonly metadata?: { readonly name: string; readonly annotations?: Record<string, string> };
    readonly spec?: Record<string, never>;
    readonly status?: { readonly used?: Record<string, string> };
  };
}

function call(method: string, path: string, object?: unknown): Promise<Answer> {
  const isPatch = method === "PATCH";
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port: PORT,
        path,
        method,
        rejectUnauthorized: false,
        headers: {
          Authorization: "Bearer admin-token",
          "Content-Type": isPatch ? "application/merge-patch+json" : "application/json",
        },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString("utf8");
        });
        response.on("end", () => {
          const { warning = [] } = response.headersDistinct;
          const body = JSON.parse(text) as Answer["body"];
          resolve({ code: response.statusCode ?? 0, warnings: warning, body });
        });
      },
    );
    sent.on("error", reject);
    sent.end(object === undefined ? undefined : JSON.stringify(object));
  });
}

const at = (namespace: string, plural: string) => `/api/v1/namespaces/${namespace}/${plural}`;

async function newNamespace(name: string, labels: Record<string, string> = {}) {
  const kind = { apiVersion: "v1", kind: "Namespace" };
  const made = await call("POST", "/api/v1/namespaces", { ...kind, metadata: { name, labels } });
  assert.equal(made.code, 201, made.body.message);
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await call("POST", at(name, "serviceaccounts"), account);
}
const pod = (name: string, container: object = {}, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "x", ...container }], ...spec },
});

let server: ChildProcess;
before(async () => {
  const file = "test/tools/dev-server.ts";
  server = spawn(process.execPath, ["--import", "tsx", file, String(PORT), enabled.join(",")], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the server did not start")), START_MS_MAX);
    server.once("exit", () => reject(new Error("the server ended")));
    server.stdout?.once("data", () => {
      clearTimeout(timer);
      resolve();
    });
  });
});
after(() => {
  server.removeAllListeners("exit");
  server.kill();
});

test("fifty pods at once against a quota of ten", async () => {
  await newNamespace("quota");
  const hard = { pods: "10", "requests.cpu": "100" };
  const quota = {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "q" },
    spec: { hard },
  };
  assert.equal((await call("POST", at("quota", "resourcequotas"), quota)).code, 201);
  const status = { hard, used: { pods: "0", "requests.cpu": "0" } };
  await call("PATCH", `${at("quota", "resourcequotas")}/q/status`, { status });
  const silent = await call("POST", at("quota", "pods"), pod("silent"));
  assert.equal(
    silent.body.message,
    'pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: c',
  );
  const asking = { resources: { requests: { cpu: "100m" } } };
  const dry = await call("POST", `${at("quota", "pods")}?dryRun=All`, pod("dry", asking));
  assert.equal(dry.code, 201);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => call("POST", at("quota", "pods"), pod(`p${i}`, asking))),
  );
  assert.equal(answers.filter(({ code }) => code === 201).length, 10);
  const refused = answers.filter(({ code }) => code === 403);
  assert.equal(refused.length, 40);
  assert.match(
    refused[0]?.body.message ?? "",
    /exceeded quota: q, requested: pods=1, used: pods=10/,
  );
  const { body } = await call("GET", `${at("quota", "resourcequotas")}/q`);
  assert.deepEqual(body.status?.used, { pods: "10", "requests.cpu": "1" });
});

test("limits are filled in and kept", async () => {
  await newNamespace("limits");
  const limits = [{ type: "Container", default: { cpu: "1" }, max: { cpu: "2" } }];
  const range = { apiVersion: "v1", kind: "LimitRange", metadata: { name: "l" }, spec: { limits } };
  await call("POST", at("limits", "limitranges"), range);
  const { body } = await call("POST", at("limits", "pods"), pod("p"));
  assert.equal(
    body.metadata?.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
  );
  const greedy = await call(
    "POST",
    at("limits", "pods"),
    pod("greedy", { resources: { limits: { cpu: "3" } } }),
  );
  assert.equal(
    greedy.body.message,
    'pods "greedy" is forbidden: maximum cpu usage per Container is 2, but limit is 3',
  );
});

test("pod security: enforced on pods, told of workloads, checked on namespaces", async () => {
  await newNamespace("secure", { "pod-security.kubernetes.io/enforce": "baseline" });
  const bad = await call("POST", at("secure", "pods"), pod("p", {}, { hostPID: true }));
  assert.equal(
    bad.body.message,
    'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  );
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec: pod("x", {}, { hostPID: true }).spec };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { selector: { matchLabels: labels }, template },
  };
  const made = await call("POST", "/apis/apps/v1/namespaces/secure/deployments", deployment);
  assert.equal(made.code, 201, made.body.message);
  assert.deepEqual(made.warnings, [
    '299 - "would violate PodSecurity \\"baseline:latest\\": host namespaces (hostPID=true)"',
  ]);
  assert.equal((await call("POST", at("secure", "pods"), pod("good"))).code, 201);
  const stricter = { metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } } };
  const patched = await call("PATCH", "/api/v1/namespaces/secure", stricter);
  assert.equal(patched.warnings.length, 2);
  assert.match(patched.warnings[1] ?? "", /good: allowPrivilegeEscalation != false, unrestricted/);
  const wrong = { metadata: { labels: { "pod-security.kubernetes.io/enforce": "x" } } };
  assert.equal((await call("PATCH", "/api/v1/namespaces/secure", wrong)).code, 422);
});

test("plugins that flags turn on", async () => {
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } };
  assert.equal((await call("POST", at("made-up", "configmaps"), map)).code, 201);
  const { body } = await call("GET", "/api/v1/namespaces/made-up");
  assert.equal(body.metadata?.name, "made-up");
  await newNamespace("flags");
  const lazy = pod("p", {
    imagePullPolicy: "Never",
    resources: { limits: { "example.com/gpu": "1" } },
  });
  const made = await call("POST", at("flags", "pods"), lazy);
  assert.equal(made.code, 201, made.body.message);
  const spec = made.body.spec as unknown as {
    readonly containers: { imagePullPolicy: string }[];
    readonly tolerations: { key: string }[];
  };
  assert.equal(spec.containers[0]?.imagePullPolicy, "Always");
  assert.ok(spec.tolerations.some(({ key }) => key === "example.com/gpu"));
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s" },
    spec: { ports: [{ port: 1 }], externalIPs: ["1.2.3.4"] },
  };
  assert.equal(
    (await call("POST", at("flags", "services"), service)).body.message,
    'services "s" is forbidden: Use of external IPs is denied by admission control',
  );
  const owner = { apiVersion: "x/v1", kind: "X", name: "x", uid: "1", blockOwnerDeletion: true };
  const owned = { ...map, metadata: { name: "o", ownerReferences: [owner] } };
  assert.match(
    (await call("POST", at("flags", "configmaps"), owned)).body.message ?? "",
    /cannot find RESTMapping for APIVersion x\/v1 Kind X/,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type PodSecurityOptions,
  podSecurity,
} from "../../../src/admission/plugins/pod-security.ts";
import { LATEST } from "../../../src/admission/pod-security/policy.ts";
import { type AnyObject, FakeCluster, podOf, run } from "../fakes.ts";

const P = "pod-security.kubernetes.io/";

function world(labels: Record<string, string>, options: PodSecurityOptions = {}) {
  const cluster = new FakeCluster();
  const own = Object.fromEntries(Object.entries(labels).map(([key, value]) => [P + key, value]));
  cluster.add("namespaces", { metadata: { name: "ns", labels: own } });
  return { cluster, plugin: podSecurity(cluster, options) };
}

test("everything that restricted minds, in its order", async () => {
  const { plugin } = world({ enforce: "restricted" });
  const { message, annotations } = await run(plugin, { object: podOf([{}]) });
  assert.equal(
    message,
    'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c1" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c1" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c1" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c1" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
  assert.deepEqual(annotations, { [`${P}enforce-policy`]: "restricted:latest" });
});

test("audit is noted, warn is warned of, both under their own level", async () => {
  const { plugin } = world({
    enforce: "privileged",
    audit: "baseline",
    warn: "restricted",
    "warn-version": "v1.0",
  });
  const object = podOf([{ securityContext: { privileged: true } }]);
  const { message, annotations, warnings } = await run(plugin, { object });
  assert.equal(message, "");
  const baseline = 'privileged (container "c1" must not set securityContext.privileged=true)';
  assert.deepEqual(annotations, {
    [`${P}enforce-policy`]: "privileged:latest",
    [`${P}audit-violations`]: `would violate PodSecurity "baseline:latest": ${baseline}`,
  });
  assert.deepEqual(warnings, [
    `would violate PodSecurity "restricted:v1.0": ${baseline}, runAsNonRoot != true (pod or container "c1" must set securityContext.runAsNonRoot=true)`,
  ]);
});

test("enforcing more than warning warns workloads of the enforced level", async () => {
  const { plugin } = world({ enforce: "baseline" });
  const template = { spec: podOf([{ ports: [{ hostPort: 80 }, { hostPort: 443 }] }])["spec"] };
  const object = { metadata: { name: "d", namespace: "ns" }, spec: { template } };
  const { message, warnings } = await run(plugin, { group: "apps", plural: "deployments", object });
  assert.equal(message, "");
  assert.deepEqual(warnings, [
    'would violate PodSecurity "baseline:latest": hostPort (container "c1" uses hostPorts 443, 80)',
  ]);
  const cronJob = { metadata: object.metadata, spec: { jobTemplate: { spec: { template } } } };
  const given = { group: "batch", plural: "cronjobs", object: cronJob };
  assert.deepEqual((await run(plugin, given)).warnings, warnings);
});

test("exemptions", async () => {
  const exemptions = { usernames: ["root"], runtimeClasses: ["kata"], namespaces: ["free"] };
  const { plugin, cluster } = world({ enforce: "restricted" }, { exemptions });
  const user = { name: "root", uid: "", groups: [], extra: {} };
  const byUser = await run(plugin, { object: podOf([{}]), user });
  assert.deepEqual([byUser.message, byUser.annotations], ["", { [`${P}exempt`]: "user" }]);
  const byClass = await run(plugin, { object: podOf([{}], { runtimeClassName: "kata" }) });
  assert.deepEqual(
    [byClass.message, byClass.annotations],
    ["", { [`${P}exempt`]: "runtimeClass" }],
  );
  cluster.add("namespaces", { metadata: { name: "free" } });
  const object = { ...podOf([{}]), metadata: { name: "p", namespace: "free" } };
  const byNamespace = await run(plugin, { object });
  assert.deepEqual(byNamespace.annotations, { [`${P}exempt`]: "namespace" });
  const labels = { [`${P}enforce`]: "restricted" };
  const namespace = { metadata: { name: "free", labels } };
  const { warnings } = await run(plugin, { plural: "namespaces", object: namespace });
  assert.deepEqual(warnings, [
    'namespace "free" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored',
  ]);
});

test("the configured default holds where labels say nothing", async () => {
  const baseline = { level: "baseline", version: 20 } as const;
  const defaults = { enforce: baseline, audit: baseline, warn: { ...baseline, version: LATEST } };
  const { plugin } = world({}, { defaults });
  const object = podOf([{}], { hostNetwork: true, hostPID: true });
  assert.equal(
    (await run(plugin, { object })).message,
    'pods "p" is forbidden: violates PodSecurity "baseline:v1.20": host namespaces (hostNetwork=true, hostPID=true)',
  );
});

test("namespaces: labels must be sound, but wrong ones may stay", async () => {
  const { plugin } = world({});
  const namespace = (labels: Record<string, string>) => ({ metadata: { name: "n", labels } });
  const wrong = namespace({ [`${P}enforce`]: "x", [`${P}warn-version`]: "1.2" });
  const created = await run(plugin, { plural: "namespaces", object: wrong });
  assert.equal(created.error?.reason, "Invalid");
  assert.equal(
    created.message,
    'Namespace "n" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"]',
  );
  const update = { plural: "namespaces", operation: "UPDATE" as const, oldObject: wrong };
  assert.equal((await run(plugin, { ...update, object: wrong })).message, "");
});

test("a stricter level on a namespace names the pods that break it, grouped", async () => {
  const { plugin, cluster } = world({});
  const add = (name: string, spec: Record<string, unknown>, uid?: string) =>
    cluster.add("pods", {
      metadata: {
        name,
        namespace: "ns",
        ...(uid === undefined
          ? {}
          : {
              ownerReferences: [{ apiVersion: "v1", kind: "X", name: "x", uid, controller: true }],
            }),
      },
      spec,
    });
  add("b", { hostNetwork: true });
  add("a", { hostNetwork: true });
  add("c", { hostNetwork: true });
  add("d", { hostPID: true, containers: [{ name: "c", securityContext: { privileged: true } }] });
  add("e", {});
  const at = (level: string) => ({ metadata: { name: "ns", labels: { [`${P}enforce`]: level } } });
  const update = (from: string, to: string) =>
    run(plugin, {
      plural: "namespaces",
      operation: "UPDATE",
      object: at(to),
      oldObject: at(from),
    });
  assert.deepEqual((await update("privileged", "baseline")).warnings, [
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    "a (and 2 other pods): host namespaces",
    "d: host namespaces, privileged",
  ]);
  assert.deepEqual((await update("restricted", "baseline")).warnings, []);
  assert.deepEqual((await update("baseline", "privileged")).warnings, []);
});

test("an update of a pod is judged when an image or a container comes", async () => {
  const { plugin } = world({ enforce: "baseline" });
  const bad = (image: string, more: AnyObject = {}) =>
    podOf([{ image, securityContext: { privileged: true } }], more);
  const update = (object: AnyObject, oldObject: AnyObject, subresource = "") =>
    run(plugin, { operation: "UPDATE", object, oldObject, subresource });
  assert.equal((await update(bad("x"), bad("x"))).message, "");
  assert.match((await update(bad("y"), bad("x"))).message, /violates/);
  const debug = bad("x", { ephemeralContainers: [{ name: "e", image: "x" }] });
  assert.match((await update(debug, bad("x"), "ephemeralcontainers")).message, /violates/);
  assert.equal((await update(bad("y"), bad("x"), "status")).message, "");
});

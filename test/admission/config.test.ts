import assert from "node:assert/strict";
import { test } from "node:test";
import { loadAdmissionConfig } from "../../src/admission/config.ts";
import { AdmissionConfigError } from "../../src/admission/config-types.ts";
import { LATEST } from "../../src/admission/pod-security/policy.ts";

const HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n";

function load(text: string, files: Record<string, string> = {}) {
  return loadAdmissionConfig("/etc/k/config.yaml", (path) => {
    if (path === "/etc/k/config.yaml") return text;
    const own = files[path];
    if (own === undefined) throw new Error(`ENOENT ${path}`);
    return own;
  });
}

test("settings inline and in files of their own, relative to the first", () => {
  const text = `${HEAD}plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: { enforce: baseline, enforce-version: v1.30, warn: restricted }
    exemptions: { namespaces: [kube-system], usernames: [root] }
- name: EventRateLimit
  path: events.yaml
- name: ResourceQuota
  path: /abs/quota.json
- name: Unknown
  configuration: { a: b }
`;
  const config = load(text, {
    "/etc/k/events.yaml":
      "apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\nlimits: [{type: Server, qps: 10, burst: 20}]",
    "/abs/quota.json": JSON.stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "ResourceQuotaConfiguration",
      limitedResources: [{ resource: "pods", matchContains: ["pods"] }],
    }),
  });
  assert.deepEqual(config, {
    podSecurity: {
      defaults: {
        enforce: { level: "baseline", version: 30 },
        audit: { level: "privileged", version: LATEST },
        warn: { level: "restricted", version: LATEST },
      },
      exemptions: { usernames: ["root"], runtimeClasses: [], namespaces: ["kube-system"] },
    },
    eventRateLimit: [{ type: "Server", qps: 10, burst: 20, cacheSize: 0 }],
    limitedResources: [
      { resource: "pods", apiGroup: "", matchContains: ["pods"], matchScopes: [] },
    ],
  });
});

test("the two old files without a version", () => {
  assert.deepEqual(load("podNodeSelectorPluginConfig:\n  clusterDefaultNodeSelector: a=b\n"), {
    podNodeSelector: { clusterDefaultNodeSelector: "a=b" },
  });
  assert.deepEqual(
    load("imagePolicy: {kubeConfigFile: /k, allowTTL: 50, denyTTL: -1}").imagePolicy,
    {
      kubeConfigFile: "/k",
      defaultAllow: false,
      retryBackoffMs: 500,
      allowTtlMs: 50_000,
      denyTtlMs: 0,
    },
  );
});

const podSecurity = (rest: string) => `${HEAD}plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    ${rest}
`;
const wrong: readonly [string, RegExp][] = [
  ["[1]", /must be an object/],
  ["a: {", /config.yaml/],
  ["apiVersion: v1\nkind: Pod", /no kind "v1 Pod"/],
  [`${HEAD}plugins: {}`, /plugins: must be a list/],
  [
    podSecurity("defaults: { enforce: x }"),
    /defaults.enforce: Invalid value: "x": must be one of privileged, baseline, restricted/,
  ],
  [podSecurity("defaults: { warn-version: 1.2.3 }"), /defaults.warn-version: Invalid value/],
  [podSecurity("exemptions: { namespaces: [A] }"), /exemptions.namespaces\[0\]/],
  [podSecurity("exemptions: { usernames: [a, a] }"), /exemptions.usernames\[1\]/],
  [
    `${HEAD}plugins: [{name: EventRateLimit, configuration: {apiVersion: eventratelimit.admission.k8s.io/v1alpha1, kind: Configuration, limits: [{type: X, qps: 1, burst: 1}]}}]`,
    /limits\[0\].type: Unsupported value/,
  ],
  ["imagePolicy: {kubeConfigFile: /k, allowTTL: 5000}", /image policy webhook allow cache/],
  ["imagePolicy: {}", /kubeConfigFile: Required value/],
];
for (const [text, says] of wrong) {
  test(`refused: ${says.source}`, () => {
    assert.throws(
      () => load(text),
      (error) => error instanceof AdmissionConfigError && says.test(error.message),
    );
  });
}

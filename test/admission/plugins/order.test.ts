import assert from "node:assert/strict";
import { test } from "node:test";
import { pluginNames } from "../../../src/admission/plugins/plugin-names.ts";
import { createPlugins, orderedPlugins } from "../../../src/admission/plugins/plugins.ts";
import { FakeCluster } from "../fakes.ts";

/** Upstream's AllOrderedPlugins of v1.36. */
const ORDER = [
  "AlwaysAdmit",
  "NamespaceAutoProvision",
  "NamespaceLifecycle",
  "NamespaceExists",
  "LimitPodHardAntiAffinityTopology",
  "LimitRanger",
  "ServiceAccount",
  "NodeRestriction",
  "TaintNodesByCondition",
  "AlwaysPullImages",
  "ImagePolicyWebhook",
  "PodSecurity",
  "PodNodeSelector",
  "Priority",
  "DefaultTolerationSeconds",
  "PodTolerationRestriction",
  "EventRateLimit",
  "ExtendedResourceToleration",
  "DefaultStorageClass",
  "StorageObjectInUseProtection",
  "PodGroupProtection",
  "OwnerReferencesPermissionEnforcement",
  "PersistentVolumeClaimResize",
  "RuntimeClass",
  "CertificateApproval",
  "CertificateSigning",
  "ClusterTrustBundleAttest",
  "CertificateSubjectRestriction",
  "DefaultIngressClass",
  "DenyServiceExternalIPs",
  "PodTopologyLabels",
  "PodGroupWorkloadExists",
  "NodeDeclaredFeatureValidator",
  "JobValidation",
  "PodResizeValidator",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionWebhook",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionWebhook",
  "ResourceQuota",
  "AlwaysDeny",
];
const OFF = [
  "AlwaysAdmit",
  "NamespaceAutoProvision",
  "NamespaceExists",
  "LimitPodHardAntiAffinityTopology",
  "NodeRestriction",
  "AlwaysPullImages",
  "ImagePolicyWebhook",
  "PodNodeSelector",
  "PodTolerationRestriction",
  "EventRateLimit",
  "ExtendedResourceToleration",
  "OwnerReferencesPermissionEnforcement",
  "DenyServiceExternalIPs",
  "AlwaysDeny",
];

const cluster = new FakeCluster();

function namesOf(enabled: readonly string[], disabled: readonly string[], gates = true) {
  const dependencies = {
    listers: cluster,
    writer: cluster,
    gate: () => gates,
    mayUser: async () => ({ allowed: true, reason: "" }),
    tolerationSeconds: { notReady: 300, unreachable: 300 },
    maySigner: async () => true,
    organizationsOf: () => [],
    commonNameOf: () => "",
    resourcesOfKind: () => [],
    reviewImages: async () => ({}),
    config: {
      imagePolicy: {
        kubeConfigFile: "/x",
        allowTtlMs: 1,
        denyTtlMs: 1,
        retryBackoffMs: 1,
        defaultAllow: false,
      },
    },
  };
  return createPlugins(dependencies, { enabled, disabled }).map(({ name }) => name);
}

test("the order is upstream's", () => {
  assert.deepEqual(orderedPlugins, ORDER);
  assert.deepEqual(pluginNames, ORDER);
});

test("without flags, upstream's defaults that are there run", () => {
  const names = namesOf([], []);
  assert.ok(names.every((name) => ORDER.includes(name) && !OFF.includes(name)));
  assert.deepEqual(
    names,
    ORDER.filter((name) => names.includes(name)),
  );
  for (const name of ["LimitRanger", "PodSecurity", "ResourceQuota", "PodResizeValidator"]) {
    assert.ok(names.includes(name), name);
  }
});

test("flags turn plugins on and off; their order on the command line does not count", () => {
  const names = namesOf(["AlwaysDeny", "NodeRestriction", "AlwaysPullImages"], ["PodSecurity"]);
  assert.deepEqual(
    names,
    ORDER.filter((name) => names.includes(name)),
  );
  assert.ok(names.includes("NodeRestriction") && names.at(-1) === "AlwaysDeny");
  assert.ok(!names.includes("PodSecurity"));
});

test("every plugin that is off by default is there when it is asked for", () => {
  const names = namesOf(OFF, []);
  assert.deepEqual(
    OFF.filter((name) => !names.includes(name)),
    [],
  );
});

test("a gate that is off keeps its plugin off", () => {
  const names = namesOf(["NodeDeclaredFeatureValidator"], [], false);
  assert.ok(!names.includes("NodeDeclaredFeatureValidator"));
  assert.ok(!names.includes("ClusterTrustBundleAttest"));
});

/** How often each kind's update tells of bad metadata: as often as a kube-apiserver of v1.36 does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { validateUpdatedMetadata } from "../../src/registry/generic/metadata-rules.ts";
import { registrationOf } from "./verdicts.ts";

type Row = readonly [kind: string, label: number, finalizer: number, malformed: number];

/** Causes for a bad label, a finalizer without a domain, and a finalizer that is no name. */
const ROWS: readonly Row[] = [
  ["pods.", 4, 2, 4],
  ["pods./status", 3, 1, 2],
  ["configmaps.", 4, 2, 4],
  ["namespaces.", 4, 2, 4],
  ["services.", 3, 1, 2],
  ["limitranges.", 3, 1, 3],
  ["resourcequotas.", 3, 1, 2],
  ["replicationcontrollers.", 3, 1, 2],
  ["replicationcontrollers./status", 3, 1, 2],
  ["statefulsets.apps", 3, 1, 2],
  ["controllerrevisions.apps", 4, 2, 4],
  ["jobs.batch", 4, 2, 4],
  ["cronjobs.batch", 3, 1, 2],
  ["cronjobs.batch/status", 2, 0, 1],
  ["endpointslices.discovery.k8s.io", 3, 1, 3],
  ["ingresses.networking.k8s.io", 4, 2, 4],
  ["roles.rbac.authorization.k8s.io", 4, 2, 4],
  ["runtimeclasses.node.k8s.io", 4, 0, 2],
  ["leases.coordination.k8s.io", 3, 0, 1],
  ["poddisruptionbudgets.policy", 2, 0, 1],
  ["flowschemas.flowcontrol.apiserver.k8s.io", 3, 1, 3],
  ["validatingadmissionpolicies.admissionregistration.k8s.io", 3, 0, 2],
  ["apiservices.apiregistration.k8s.io", 4, 0, 2],
  ["certificatesigningrequests.certificates.k8s.io", 4, 2, 4],
  ["certificatesigningrequests.certificates.k8s.io/status", 4, 2, 4],
  ["volumeattachments.storage.k8s.io", 3, 1, 3],
  ["storageclasses.storage.k8s.io", 4, 2, 4],
];

const stored = { name: "a", namespace: "", uid: "u", resourceVersion: "1" };
const WRONG = [{ labels: { a: "b " } }, { finalizers: ["x"] }, { finalizers: ["a b"] }];

for (const [kind, ...counts] of ROWS) {
  test(`bad metadata of ${kind}`, () => {
    const [name = "", subresource] = kind.split("/");
    const [resource = "", ...group] = name.split(".");
    const { strategy } = registrationOf(group.join("."), resource);
    const rules = subresource === undefined ? strategy : strategy.subresources?.[subresource];
    assert.ok(rules);
    const served = {
      gvr: { group: group.join("."), version: "v1", resource },
      namespaced: false,
      protobuf: true,
      strategy,
    };
    const found = WRONG.map(
      (wrong) => validateUpdatedMetadata(served, rules, { ...stored, ...wrong }, stored).length,
    );
    assert.deepEqual(found, counts);
  });
}

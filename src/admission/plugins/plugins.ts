/**
 * The plugins of this server, in upstream's fixed order, and which of them are on.
 * Upstream: pkg/kubeapiserver/options/plugins.go.
 */
import type { AdmissionPlugin, Listers, MayUser, ObjectWriter } from "../plugin.ts";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  type MaySigner,
} from "./certificates.ts";
import { defaultTolerationSeconds, type TolerationSeconds } from "./default-toleration-seconds.ts";
import { defaultIngressClass, defaultStorageClass } from "./defaults-by-class.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import { podSecurity } from "./pod-security.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { priority } from "./priority.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClass } from "./runtime-class.ts";
import { serviceAccountPlugin } from "./service-account.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export interface PluginDependencies {
  readonly listers: Listers;
  readonly writer: ObjectWriter;
  readonly mayUser: MayUser;
  readonly gate: (name: string) => boolean;
  readonly tolerationSeconds: TolerationSeconds;
  readonly maySigner: MaySigner;
  readonly organizationsOf: (certificateRequest: string) => readonly string[];
  /** Checks that no flag turns off: RBAC escalation. They run after all mutating plugins. */
  readonly always?: readonly AdmissionPlugin[];
}
export interface PluginSelection {
  /** `--enable-admission-plugins` and `--disable-admission-plugins`. */
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

interface PluginEntry {
  readonly name: string;
  readonly onByDefault: boolean;
  readonly gate?: string;
  /** Undefined: known, and not there yet; docs/COMPATIBILITY.md lists these. */
  readonly make?: (dependencies: PluginDependencies) => AdmissionPlugin;
}

const erased = (plugin: unknown) => plugin as AdmissionPlugin;
const on = (name: string, make?: (d: PluginDependencies) => unknown): PluginEntry => ({
  name,
  onByDefault: true,
  ...(make === undefined ? {} : { make: (d: PluginDependencies) => erased(make(d)) }),
});
const off = (name: string, make?: (d: PluginDependencies) => unknown): PluginEntry => ({
  ...on(name, make),
  onByDefault: false,
});

const entries: readonly PluginEntry[] = [
  off("AlwaysAdmit"),
  off("NamespaceAutoProvision"),
  on("NamespaceLifecycle", ({ listers }) => namespaceLifecycle(listers)),
  off("NamespaceExists"),
  off("LimitPodHardAntiAffinityTopology"),
  on("LimitRanger", ({ listers, gate }) => limitRanger(listers, { gate })),
  on("ServiceAccount", ({ listers }) => serviceAccountPlugin(listers)),
  off("NodeRestriction"),
  on("TaintNodesByCondition", () => taintNodesByCondition),
  off("AlwaysPullImages"),
  off("ImagePolicyWebhook"),
  on("PodSecurity", ({ listers }) => podSecurity(listers)),
  off("PodNodeSelector"),
  on("Priority", ({ listers }) => priority(listers)),
  on("DefaultTolerationSeconds", (d) => defaultTolerationSeconds(d.tolerationSeconds)),
  off("PodTolerationRestriction"),
  off("EventRateLimit"),
  off("ExtendedResourceToleration"),
  on("DefaultStorageClass", ({ listers }) => defaultStorageClass(listers)),
  on("StorageObjectInUseProtection", () => storageObjectInUseProtection),
  { ...on("PodGroupProtection"), gate: "GenericWorkload" },
  off("OwnerReferencesPermissionEnforcement"),
  on("PersistentVolumeClaimResize", ({ listers }) => persistentVolumeClaimResize(listers)),
  on("RuntimeClass", ({ listers }) => runtimeClass(listers)),
  on("CertificateApproval", ({ maySigner }) => certificateApproval(maySigner)),
  on("CertificateSigning", ({ maySigner }) => certificateSigning(maySigner)),
  { ...on("ClusterTrustBundleAttest"), gate: "ClusterTrustBundle" },
  on("CertificateSubjectRestriction", (d) => certificateSubjectRestriction(d.organizationsOf)),
  on("DefaultIngressClass", ({ listers }) => defaultIngressClass(listers)),
  off("DenyServiceExternalIPs"),
  {
    ...on("PodTopologyLabels", ({ listers }) => podTopologyLabels(listers)),
    gate: "PodTopologyLabelsAdmission",
  },
  { ...on("PodGroupWorkloadExists"), gate: "GenericWorkload" },
  { ...on("NodeDeclaredFeatureValidator"), gate: "NodeDeclaredFeatures" },
  { ...on("JobValidation"), gate: "GenericWorkload" },
  on("PodResizeValidator"),
  on("MutatingAdmissionPolicy"),
  on("MutatingAdmissionWebhook"),
  on("ValidatingAdmissionPolicy"),
  on("ValidatingAdmissionWebhook"),
  on("ResourceQuota", ({ listers, writer, gate }) => resourceQuota(listers, writer, { gate })),
  off("AlwaysDeny"),
];

export const pluginNames: readonly string[] = entries.map(({ name }) => name);

/** The plugins that are on, ready to run. Names were checked when the flags were parsed. */
export function createPlugins(
  dependencies: PluginDependencies,
  { enabled, disabled }: PluginSelection,
): readonly AdmissionPlugin[] {
  const plugins: AdmissionPlugin[] = [];
  for (const { name, onByDefault, gate, make } of entries) {
    const isOn = (onByDefault || enabled.includes(name)) && !disabled.includes(name);
    if (!isOn || make === undefined) continue;
    if (gate !== undefined && !dependencies.gate(gate)) continue;
    plugins.push(make(dependencies));
  }
  plugins.push(...(dependencies.always ?? []));
  return plugins;
}

/**
 * The plugins of this server, in upstream's fixed order, and which of them are on.
 * Upstream: pkg/kubeapiserver/options/plugins.go.
 */

import { AdmissionConfigError, type PluginConfigs } from "../config-types.ts";
import { mutatingAdmissionPolicy } from "../dynamic/mutating-policy.ts";
import { mutatingAdmissionWebhook } from "../dynamic/mutating-webhook.ts";
import { validatingAdmissionPolicy } from "../dynamic/validating-policy.ts";
import {
  type DynamicDependencies,
  validatingAdmissionWebhook,
} from "../dynamic/validating-webhook.ts";
import type { AdmissionPlugin, Listers, MayUser, ObjectWriter } from "../plugin.ts";
import { alwaysAdmit, alwaysDeny } from "./always.ts";
import { alwaysPullImages } from "./always-pull-images.ts";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  type MaySigner,
} from "./certificates.ts";
import { clusterTrustBundleAttest } from "./cluster-trust-bundle-attest.ts";
import { defaultTolerationSeconds, type TolerationSeconds } from "./default-toleration-seconds.ts";
import { defaultIngressClass, defaultStorageClass } from "./defaults-by-class.ts";
import { denyServiceExternalIps } from "./deny-service-external-ips.ts";
import { eventRateLimit } from "./event-rate-limit.ts";
import { extendedResourceToleration } from "./extended-resource-toleration.ts";
import { imagePolicyWebhook } from "./image-policy-webhook.ts";
import { limitPodHardAntiAffinityTopology } from "./limit-pod-hard-anti-affinity-topology.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceAutoProvision } from "./namespace-auto-provision.ts";
import { namespaceExists } from "./namespace-exists.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeDeclaredFeatureValidator } from "./node-declared-feature-validator.ts";
import { nodeRestriction } from "./node-restriction.ts";
import {
  ownerReferencesPermissionEnforcement,
  type ResourcesOfKind,
} from "./owner-references-permission-enforcement.ts";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import { podNodeSelector } from "./pod-node-selector.ts";
import { podResizeValidator } from "./pod-resize-validator.ts";
import { podSecurity } from "./pod-security.ts";
import { podTolerationRestriction } from "./pod-toleration-restriction.ts";
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
  /** CN of a PEM certificate request; undefined when it can not be read. */
  readonly commonNameOf: (certificateRequest: string) => string | undefined;
  /** Every resource that serves a kind, for owners that are named by kind. */
  readonly resourcesOfKind: ResourcesOfKind;
  /** Posts an ImageReview to the backend of ImagePolicyWebhook's configuration. */
  readonly reviewImages?: (body: string) => Promise<unknown>;
  /** Of `--admission-control-config-file`. */
  readonly config?: PluginConfigs;
  /** For webhooks and policies. */
  readonly dynamic?: DynamicDependencies;
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
  readonly make?: (dependencies: PluginDependencies) => AdmissionPlugin | undefined;
}

const erased = (plugin: unknown) => plugin as AdmissionPlugin | undefined;
const on = (name: string, make?: (d: PluginDependencies) => unknown): PluginEntry => ({
  name,
  onByDefault: true,
  ...(make === undefined ? {} : { make: (d: PluginDependencies) => erased(make(d)) }),
});
const off = (name: string, make?: (d: PluginDependencies) => unknown): PluginEntry => ({
  ...on(name, make),
  onByDefault: false,
});

const quota = ({ listers, writer, gate, config }: PluginDependencies) => {
  const limitedResources = config?.limitedResources ?? [];
  return resourceQuota(listers, writer, { gate, limitedResources });
};
/** Without a backend the plugin could only refuse everything: the server does not start. */
const imagePolicy = ({ config, reviewImages }: PluginDependencies) => {
  if (config?.imagePolicy === undefined || reviewImages === undefined) {
    throw new AdmissionConfigError("ImagePolicyWebhook: no configuration was given for it");
  }
  return imagePolicyWebhook({ ...config.imagePolicy, review: reviewImages });
};

/** What asks webhooks or runs expressions; tests of other plugins go without. */
const dynamic = (make: (of: DynamicDependencies) => AdmissionPlugin) => (of: PluginDependencies) =>
  of.dynamic && make(of.dynamic);

const entries: readonly PluginEntry[] = [
  off("AlwaysAdmit", () => alwaysAdmit),
  off("NamespaceAutoProvision", (d) => namespaceAutoProvision(d.listers, d.writer)),
  on("NamespaceLifecycle", ({ listers }) => namespaceLifecycle(listers)),
  off("NamespaceExists", ({ listers }) => namespaceExists(listers)),
  off("LimitPodHardAntiAffinityTopology", () => limitPodHardAntiAffinityTopology),
  on("LimitRanger", ({ listers, gate }) => limitRanger(listers, { gate })),
  on("ServiceAccount", ({ listers }) => serviceAccountPlugin(listers)),
  off("NodeRestriction", (d) => nodeRestriction(d)),
  on("TaintNodesByCondition", () => taintNodesByCondition),
  off("AlwaysPullImages", () => alwaysPullImages),
  off("ImagePolicyWebhook", imagePolicy),
  on("PodSecurity", ({ listers, config }) => podSecurity(listers, config?.podSecurity)),
  off("PodNodeSelector", (d) => podNodeSelector(d.listers, d.config?.podNodeSelector)),
  on("Priority", ({ listers }) => priority(listers)),
  on("DefaultTolerationSeconds", (d) => defaultTolerationSeconds(d.tolerationSeconds)),
  off("PodTolerationRestriction", (d) =>
    podTolerationRestriction(d.listers, d.gate, d.config?.podTolerationRestriction),
  ),
  off("EventRateLimit", ({ config }) => eventRateLimit(config?.eventRateLimit ?? [])),
  off("ExtendedResourceToleration", () => extendedResourceToleration),
  on("DefaultStorageClass", ({ listers }) => defaultStorageClass(listers)),
  on("StorageObjectInUseProtection", () => storageObjectInUseProtection),
  { ...on("PodGroupProtection"), gate: "GenericWorkload" },
  off("OwnerReferencesPermissionEnforcement", (d) =>
    ownerReferencesPermissionEnforcement(d.mayUser, d.resourcesOfKind),
  ),
  on("PersistentVolumeClaimResize", ({ listers }) => persistentVolumeClaimResize(listers)),
  on("RuntimeClass", ({ listers }) => runtimeClass(listers)),
  on("CertificateApproval", ({ maySigner }) => certificateApproval(maySigner)),
  on("CertificateSigning", ({ maySigner }) => certificateSigning(maySigner)),
  {
    ...on("ClusterTrustBundleAttest", ({ maySigner }) => clusterTrustBundleAttest(maySigner)),
    gate: "ClusterTrustBundle",
  },
  on("CertificateSubjectRestriction", (d) => certificateSubjectRestriction(d.organizationsOf)),
  on("DefaultIngressClass", ({ listers }) => defaultIngressClass(listers)),
  off("DenyServiceExternalIPs", () => denyServiceExternalIps),
  {
    ...on("PodTopologyLabels", ({ listers }) => podTopologyLabels(listers)),
    gate: "PodTopologyLabelsAdmission",
  },
  { ...on("PodGroupWorkloadExists"), gate: "GenericWorkload" },
  {
    ...on("NodeDeclaredFeatureValidator", (d) => nodeDeclaredFeatureValidator(d.listers)),
    gate: "NodeDeclaredFeatures",
  },
  { ...on("JobValidation"), gate: "GenericWorkload" },
  on("PodResizeValidator", ({ listers }) => podResizeValidator(listers)),
  on("MutatingAdmissionPolicy", dynamic(mutatingAdmissionPolicy)),
  on("MutatingAdmissionWebhook", dynamic(mutatingAdmissionWebhook)),
  on("ValidatingAdmissionPolicy", dynamic(validatingAdmissionPolicy)),
  on("ValidatingAdmissionWebhook", dynamic(validatingAdmissionWebhook)),
  on("ResourceQuota", quota),
  off("AlwaysDeny", () => alwaysDeny),
];

/** In the order in which they run; plugin-names.ts has the same, for who only needs names. */
export const orderedPlugins: readonly string[] = entries.map(({ name }) => name);

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
    const plugin = make(dependencies);
    if (plugin !== undefined) plugins.push(plugin);
  }
  plugins.push(...(dependencies.always ?? []));
  return plugins;
}

/**
 * What the store may hold of built-in kinds, in whatever version a server once wrote it, and how it
 * becomes what a present server would have written: defaults of its version, then the storage
 * version's shape. Upstream: the scheme's decoder, which does this on every read.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import {
  apiVersionOf,
  type GroupVersionKind,
  parseApiVersion,
} from "../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import type { StructSchema } from "../apimachinery/runtime/type-schema.ts";
import * as admission from "./admissionregistration/v1/defaults.ts";
import { toV1beta1 } from "./apiextensions/v1/conversion.ts";
import { setCustomResourceDefinitionDefaults } from "./apiextensions/v1/defaults.ts";
import { setAPIServiceDefaults } from "./apiregistration/v1/defaults.ts";
import * as apps from "./apps/v1/defaults.ts";
import { toV2 } from "./autoscaling/v1/conversion.ts";
import * as autoscalingV1 from "./autoscaling/v1/defaults.ts";
import * as autoscalingV2 from "./autoscaling/v2/defaults.ts";
import { setDefaultsCronJob, setDefaultsJob } from "./batch/v1/defaults.ts";
import { setEndpointsDefaults } from "./core/v1/defaults/endpoints.ts";
import { setLimitRangeDefaults } from "./core/v1/defaults/limitrange.ts";
import { setNamespaceDefaults } from "./core/v1/defaults/namespace.ts";
import { setNodeDefaults } from "./core/v1/defaults/node.ts";
import { setPersistentVolumeDefaults } from "./core/v1/defaults/persistentvolume.ts";
import { setPersistentVolumeClaimDefaults } from "./core/v1/defaults/persistentvolumeclaim.ts";
import { setDefaultsPod } from "./core/v1/defaults/pod.ts";
import {
  setDefaultsPodTemplate,
  setDefaultsReplicationController,
} from "./core/v1/defaults/replicationcontroller.ts";
import { setSecretDefaults } from "./core/v1/defaults/secret.ts";
import { setServiceDefaults } from "./core/v1/defaults/service.ts";
import { setEndpointSliceDefaults } from "./discovery/v1/defaults/endpointslice.ts";
import { toCoreEvent } from "./events/v1/conversion.ts";
import {
  setFlowSchemaDefaults,
  setPriorityLevelConfigurationDefaults,
} from "./flowcontrol/v1/defaults.ts";
import {
  setIngressClassDefaults,
  setNetworkPolicyDefaults,
} from "./networking/v1/defaults/networking.ts";
import { setClusterRoleBindingDefaults, setRoleBindingDefaults } from "./rbac/v1/defaults.ts";
import * as resource from "./resource/v1/defaults.ts";
import { claimToV1, sliceToV1, templateToV1 } from "./resource/v1beta1/conversion.ts";
import * as resourceV1beta1 from "./resource/v1beta1/defaults.ts";
import { resourceTables } from "./resources.ts";
import { setPriorityClassDefaults } from "./scheduling/v1/defaults.ts";
import { schemaForKind } from "./schemas.ts";
import { setCSIDriverDefaults, setStorageClassDefaults } from "./storage/v1/defaults.ts";

/** Each function knows the type of the objects it gets; the table does not. */
type Defaulter = (object: never) => void;

/** Seconds. */
const DAY = 24 * 60 * 60;
const POOLS = 100;

/** By apiVersion and kind. A kind that is not here has no defaults. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, Defaulter>>>> = {
  v1: {
    Endpoints: setEndpointsDefaults,
    LimitRange: setLimitRangeDefaults,
    Namespace: setNamespaceDefaults,
    Node: setNodeDefaults,
    PersistentVolume: setPersistentVolumeDefaults,
    PersistentVolumeClaim: setPersistentVolumeClaimDefaults,
    Pod: setDefaultsPod,
    PodTemplate: setDefaultsPodTemplate,
    ReplicationController: setDefaultsReplicationController,
    Secret: setSecretDefaults,
    Service: setServiceDefaults,
  },
  "apps/v1": {
    DaemonSet: apps.setDefaultsDaemonSet,
    Deployment: apps.setDefaultsDeployment,
    ReplicaSet: apps.setDefaultsReplicaSet,
    StatefulSet: apps.setDefaultsStatefulSet,
  },
  "batch/v1": { CronJob: setDefaultsCronJob, Job: setDefaultsJob },
  "autoscaling/v1": {
    HorizontalPodAutoscaler: autoscalingV1.setHorizontalPodAutoscalerDefaults,
  },
  "autoscaling/v2": {
    HorizontalPodAutoscaler: autoscalingV2.setHorizontalPodAutoscalerDefaults,
  },
  "networking.k8s.io/v1": {
    IngressClass: setIngressClassDefaults,
    NetworkPolicy: setNetworkPolicyDefaults,
  },
  "discovery.k8s.io/v1": { EndpointSlice: setEndpointSliceDefaults },
  "rbac.authorization.k8s.io/v1": {
    ClusterRoleBinding: setClusterRoleBindingDefaults,
    RoleBinding: setRoleBindingDefaults,
  },
  "scheduling.k8s.io/v1": { PriorityClass: setPriorityClassDefaults },
  "storage.k8s.io/v1": { CSIDriver: setCSIDriverDefaults, StorageClass: setStorageClassDefaults },
  "flowcontrol.apiserver.k8s.io/v1": {
    FlowSchema: setFlowSchemaDefaults,
    PriorityLevelConfiguration: setPriorityLevelConfigurationDefaults,
  },
  "apiextensions.k8s.io/v1": { CustomResourceDefinition: setCustomResourceDefinitionDefaults },
  "apiregistration.k8s.io/v1": { APIService: setAPIServiceDefaults },
  "admissionregistration.k8s.io/v1": {
    MutatingAdmissionPolicy: admission.setMutatingAdmissionPolicyDefaults,
    MutatingAdmissionPolicyBinding: admission.setBindingDefaults,
    MutatingWebhookConfiguration: admission.setMutatingWebhookConfigurationDefaults,
    ValidatingAdmissionPolicy: admission.setValidatingAdmissionPolicyDefaults,
    ValidatingAdmissionPolicyBinding: admission.setBindingDefaults,
    ValidatingWebhookConfiguration: admission.setValidatingWebhookConfigurationDefaults,
  },
  "admissionregistration.k8s.io/v1beta1": {
    MutatingAdmissionPolicy: admission.setMutatingAdmissionPolicyDefaults,
    MutatingAdmissionPolicyBinding: admission.setBindingDefaults,
  },
  "admissionregistration.k8s.io/v1alpha1": {
    MutatingAdmissionPolicy: admission.setMutatingAdmissionPolicyDefaults,
    MutatingAdmissionPolicyBinding: admission.setAlphaBindingDefaults,
  },
  "certificates.k8s.io/v1beta1": {
    PodCertificateRequest(request: { spec?: { maxExpirationSeconds?: number } }) {
      request.spec ??= {};
      request.spec.maxExpirationSeconds ??= DAY;
    },
  },
  ...Object.fromEntries(
    ["v1", "v1beta2"].map((version) => [
      `resource.k8s.io/${version}`,
      {
        DeviceTaintRule: setTaintRuleDefaults,
        ResourceClaim: resource.setResourceClaimDefaults,
        ResourceClaimTemplate: resource.setResourceClaimTemplateDefaults,
        ResourceSlice: resource.setResourceSliceDefaults,
      },
    ]),
  ),
  "resource.k8s.io/v1beta1": {
    ResourceClaim: (claim: { spec?: SpecOfClaim }) => {
      resourceV1beta1.setClaimSpecDefaults(claim.spec);
    },
    ResourceClaimTemplate: (template: { spec?: { spec?: SpecOfClaim } }) => {
      resourceV1beta1.setClaimSpecDefaults(template.spec?.spec);
    },
    ResourceSlice: resourceV1beta1.setResourceSliceDefaults,
  },
  "resource.k8s.io/v1alpha3": {
    DeviceTaintRule: setTaintRuleDefaults,
    ResourcePoolStatusRequest(request: { spec?: { limit?: number } }) {
      request.spec ??= {};
      request.spec.limit ??= POOLS;
    },
  },
};

type SpecOfClaim = Parameters<typeof resourceV1beta1.setClaimSpecDefaults>[0];

function setTaintRuleDefaults(rule: { spec?: { taint?: { timeAdded?: string | undefined } } }) {
  if (rule.spec?.taint !== undefined) resource.setTaintDefaults(rule.spec.taint);
}

/** Where more than apiVersion differs from the storage version, by apiVersion and kind. */
const CONVERSIONS: Readonly<Record<string, (object: KubeObject) => KubeObject>> = {
  "apiextensions.k8s.io/v1 CustomResourceDefinition": toV1beta1,
  "autoscaling/v1 HorizontalPodAutoscaler": toV2,
  "events.k8s.io/v1 Event": toCoreEvent,
  "resource.k8s.io/v1beta1 ResourceClaim": claimToV1,
  "resource.k8s.io/v1beta1 ResourceClaimTemplate": templateToV1,
  "resource.k8s.io/v1beta1 ResourceSlice": sliceToV1,
};

/** Kinds of versions that are served no more, whose fields, numbers and defaults are as in v1. */
const FORMER: Readonly<Record<string, readonly string[]>> = {
  "admissionregistration.k8s.io/v1beta1": [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
  ],
  "apiregistration.k8s.io/v1beta1": ["APIService"],
  "apps/v1beta2": ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
  "batch/v1beta1": ["CronJob"],
  "coordination.k8s.io/v1beta1": ["Lease"],
  "discovery.k8s.io/v1beta1": ["EndpointSlice"],
  "events.k8s.io/v1beta1": ["Event"],
  "flowcontrol.apiserver.k8s.io/v1beta1": ["FlowSchema", "PriorityLevelConfiguration"],
  "flowcontrol.apiserver.k8s.io/v1beta2": ["FlowSchema", "PriorityLevelConfiguration"],
  "flowcontrol.apiserver.k8s.io/v1beta3": ["FlowSchema", "PriorityLevelConfiguration"],
  "networking.k8s.io/v1beta1": ["IngressClass"],
  "node.k8s.io/v1beta1": ["RuntimeClass"],
  "policy/v1beta1": ["PodDisruptionBudget"],
  "rbac.authorization.k8s.io/v1beta1": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
  "scheduling.k8s.io/v1beta1": ["PriorityClass"],
  "storage.k8s.io/v1beta1": [
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "StorageClass",
    "VolumeAttachment",
  ],
};

/** One version of a kind as the store may hold it. */
export interface StoredKind {
  readonly schema: StructSchema;
  /** Adds its defaults in place, and returns the object in the shape of `apiVersion`. */
  modernize(object: JsonObject, apiVersion: string): JsonObject;
}

/** Undefined for what no server of this version can read. */
export function storedKind(apiVersion: string, kind: string): StoredKind | undefined {
  const isFormer = FORMER[apiVersion]?.includes(kind) === true;
  const version = isFormer ? apiVersion.replace(/\/.*/, "/v1") : apiVersion;
  const schema = schemaOf(version, kind);
  if (schema === undefined || !isKnown(version, kind)) return undefined;
  return {
    schema,
    modernize(object, storage) {
      setDefaults(version, kind, object);
      const typed = object as unknown as KubeObject;
      const convert = version === storage ? undefined : CONVERSIONS[`${version} ${kind}`];
      const converted = convert?.(typed) ?? typed;
      if (version !== storage) setDefaults(storage, kind, converted);
      return { ...converted, apiVersion: storage, kind } as unknown as JsonObject;
    },
  };
}

/** The tables have former types too, which nothing here converts. */
function isKnown(apiVersion: string, kind: string): boolean {
  const isOne = (version: GroupVersionKind | undefined): boolean =>
    version !== undefined && apiVersionOf(version) === apiVersion && version.kind === kind;
  return resourceTables().resources.some((one) => isOne(one) || isOne(one.storage));
}

function schemaOf(apiVersion: string, kind: string): StructSchema | undefined {
  const version = parseApiVersion(apiVersion);
  return version === undefined ? undefined : schemaForKind({ ...version, kind });
}

function setDefaults(apiVersion: string, kind: string, object: object): void {
  DEFAULTS[apiVersion]?.[kind]?.(object as never);
}

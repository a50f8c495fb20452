/** What a pod needs, by name. Upstream: pkg/api/v1/pod VisitPodSecretNames and its relatives. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Container, PersistentVolume, Pod, Volume } from "../../apis/core/v1/types.ts";

export type VertexType =
  | "secret"
  | "configmap"
  | "persistentvolumeclaim"
  | "serviceaccount"
  | "resourceclaim"
  | "pod";

export type NodePod = Omit<Pod, "metadata"> & KubeObject;
export type NodeVolume = Omit<PersistentVolume, "metadata"> & KubeObject;

/** `secret:ns/name`. */
export function vertexKey(type: VertexType, namespace: string, name: string): string {
  return `${type}:${namespace}/${name}`;
}

const MIRROR = "kubernetes.io/config.mirror";

/** Everything the kubelet that runs this pod may read because of it, the pod itself included. */
export function referencesOf(pod: NodePod): readonly string[] {
  const { namespace = "", name = "", annotations = {} } = pod.metadata ?? {};
  const keys = new Set([vertexKey("pod", namespace, name)]);
  // A mirror pod is made by the kubelet itself: it must not widen what that kubelet may read.
  if (annotations[MIRROR] !== undefined) return [...keys];
  const add = (type: VertexType, reference: string | undefined) => {
    if (reference) keys.add(vertexKey(type, namespace, reference));
  };
  const { spec = {}, status = {} } = pod;
  add("serviceaccount", spec.serviceAccountName);
  for (const { name: secret } of spec.imagePullSecrets ?? []) add("secret", secret);
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const container of containers) addContainer(container as Container, add);
  for (const volume of spec.volumes ?? []) addVolume(volume, name, add);
  for (const claim of spec.resourceClaims ?? []) add("resourceclaim", claim.resourceClaimName);
  for (const claim of status.resourceClaimStatuses ?? []) {
    add("resourceclaim", claim.resourceClaimName);
  }
  add("resourceclaim", status.extendedResourceClaimStatus?.resourceClaimName);
  return [...keys];
}

type Add = (type: VertexType, name: string | undefined) => void;

function addContainer({ env = [], envFrom = [] }: Container, add: Add): void {
  for (const { valueFrom } of env) {
    add("secret", valueFrom?.secretKeyRef?.name);
    add("configmap", valueFrom?.configMapKeyRef?.name);
  }
  for (const { secretRef, configMapRef } of envFrom) {
    add("secret", secretRef?.name);
    add("configmap", configMapRef?.name);
  }
}

function addVolume(volume: Volume, podName: string, add: Add): void {
  add("secret", volume.secret?.secretName);
  add("secret", volume.azureFile?.secretName);
  add("secret", volume.cephfs?.secretRef?.name);
  add("secret", volume.cinder?.secretRef?.name);
  add("secret", volume.flexVolume?.secretRef?.name);
  add("secret", volume.rbd?.secretRef?.name);
  add("secret", volume.scaleIO?.secretRef?.name);
  add("secret", volume.iscsi?.secretRef?.name);
  add("secret", volume.storageos?.secretRef?.name);
  add("secret", volume.csi?.nodePublishSecretRef?.name);
  add("configmap", volume.configMap?.name);
  add("persistentvolumeclaim", volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral !== undefined) add("persistentvolumeclaim", `${podName}-${volume.name}`);
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add("secret", secret?.name);
    add("configmap", configMap?.name);
  }
}

/** The secrets a bound volume needs where it is used: those of the plugin, not of its controller. */
export function volumeSecretsOf({ spec = {} }: NodeVolume): readonly string[] {
  const ofClaim = spec.claimRef?.namespace ?? "";
  const keys = new Set<string>();
  const add = (reference: { namespace?: string | undefined; name?: string | undefined } = {}) => {
    if (!reference.name) return;
    keys.add(vertexKey("secret", reference.namespace || ofClaim, reference.name));
  };
  const { azureFile, csi } = spec;
  if (azureFile !== undefined) {
    add({ namespace: azureFile.secretNamespace, name: azureFile.secretName });
  }
  add(spec.cephfs?.secretRef);
  add(spec.cinder?.secretRef);
  add(spec.flexVolume?.secretRef);
  add(spec.rbd?.secretRef);
  add(spec.scaleIO?.secretRef);
  add(spec.iscsi?.secretRef);
  add(spec.storageos?.secretRef);
  add(csi?.controllerPublishSecretRef);
  add(csi?.nodePublishSecretRef);
  add(csi?.nodeStageSecretRef);
  add(csi?.controllerExpandSecretRef);
  add(csi?.nodeExpandSecretRef);
  return [...keys];
}

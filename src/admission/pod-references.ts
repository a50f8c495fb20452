/** Which other objects a pod refers to. Upstream: pkg/api/pod/util.go VisitPodSecretNames. */
import type { Container, EphemeralContainer, PodSpec } from "../apis/core/v1/types.ts";
import type { DeepReadonly } from "./plugin.ts";

type AnyContainer = DeepReadonly<Container> | DeepReadonly<EphemeralContainer>;

function containersOf(spec: DeepReadonly<PodSpec>): readonly AnyContainer[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec;
  return [...initContainers, ...containers, ...ephemeralContainers];
}

/** Whether a pod refers to any secret: in its environment, to pull images, or in a volume. */
export function namesSecrets(spec: DeepReadonly<PodSpec>): boolean {
  const inContainers = containersOf(spec).some(
    ({ env, envFrom }) =>
      (envFrom ?? []).some(({ secretRef }) => secretRef !== undefined) ||
      (env ?? []).some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined),
  );
  if (inContainers || (spec.imagePullSecrets ?? []).length > 0) return true;
  return (spec.volumes ?? []).some((volume) => {
    const sources = volume.projected?.sources ?? [];
    // Drivers with a secret of their own say so under one of two names.
    const drivers = [
      volume.azureFile?.secretName,
      volume.cephfs?.secretRef,
      volume.cinder?.secretRef,
      volume.flexVolume?.secretRef,
      volume.rbd?.secretRef,
      volume.scaleIO?.secretRef,
      volume.iscsi?.secretRef,
      volume.storageos?.secretRef,
      volume.csi?.nodePublishSecretRef,
    ];
    return (
      volume.secret !== undefined ||
      sources.some(({ secret }) => secret !== undefined) ||
      drivers.some((driver) => driver !== undefined)
    );
  });
}

/** Whether a pod refers to any config map. */
export function namesConfigMaps(spec: DeepReadonly<PodSpec>): boolean {
  const inContainers = containersOf(spec).some(
    ({ env, envFrom }) =>
      (envFrom ?? []).some(({ configMapRef }) => configMapRef !== undefined) ||
      (env ?? []).some(({ valueFrom }) => valueFrom?.configMapKeyRef !== undefined),
  );
  if (inContainers) return true;
  return (spec.volumes ?? []).some(
    ({ configMap, projected }) =>
      configMap !== undefined || (projected?.sources ?? []).some((one) => one.configMap),
  );
}

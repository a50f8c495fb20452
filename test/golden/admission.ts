/** What the default admission plugins did to the recorded objects, as far as it shows. */
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";

interface PodLike extends KubeObject {
  spec?: {
    serviceAccountName?: string;
    serviceAccount?: string;
    priority?: number;
    priorityClassName?: string;
    preemptionPolicy?: string;
    tolerations?: Toleration[];
  };
}
interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}
interface NodeLike extends KubeObject {
  spec?: { taints?: object[] };
}

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};

/** Changes `object` in place. */
export function imitateAdmission(resource: string, object: KubeObject): void {
  const finalizer = FINALIZERS[resource];
  if (finalizer !== undefined) {
    object.metadata ??= {};
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  }
  if (resource === "pods") admitPod(object as PodLike);
  if (resource === "nodes") admitNode(object as NodeLike);
}

function admitNode(node: NodeLike): void {
  node.spec ??= {};
  const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };
  node.spec.taints = [...(node.spec.taints ?? []), taint];
}

function admitPod(pod: PodLike): void {
  pod.spec ??= {};
  const { spec } = pod;
  spec.serviceAccountName ||= "default";
  spec.serviceAccount = spec.serviceAccountName;
  spec.priority ??= 0;
  spec.preemptionPolicy ??= "PreemptLowerPriority";
  for (const name of ["not-ready", "unreachable"]) {
    const key = `node.kubernetes.io/${name}`;
    const isTolerated = (spec.tolerations ?? []).some(
      (one) => (one.key === key || !one.key) && (one.effect === "NoExecute" || !one.effect),
    );
    if (isTolerated) continue;
    const toleration = {
      key,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 300,
    };
    spec.tolerations = [...(spec.tolerations ?? []), toleration];
  }
}

/**
 * A claim without a storage class and an ingress without a class get the cluster's default.
 * Upstream: plugin/pkg/admission/storage/storageclass/setdefault, network/defaultingressclass.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { GroupResource } from "../../apimachinery/runtime/gvk.ts";
import type { PersistentVolumeClaim } from "../../apis/core/v1/types.ts";
import type { Ingress } from "../../apis/networking/v1/types.ts";
import { isResource } from "../errors.ts";
import type { AdmissionPlugin, Listers } from "../plugin.ts";

const STORAGE_CLASSES = { group: "storage.k8s.io", resource: "storageclasses" };
const INGRESS_CLASSES = { group: "networking.k8s.io", resource: "ingressclasses" };
const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";
const LEGACY_INGRESS_CLASS = "kubernetes.io/ingress.class";

export function defaultStorageClass(listers: Listers): AdmissionPlugin<PersistentVolumeClaim> {
  return {
    name: "DefaultStorageClass",

    handles(attributes) {
      return (
        attributes.operation === "CREATE" && isResource(attributes, "", "persistentvolumeclaims")
      );
    },

    async admit({ object }) {
      const hasLegacy = object.metadata?.annotations?.[BETA_CLASS] !== undefined;
      if (object.spec?.storageClassName !== undefined || hasLegacy) return;
      const name = await defaultClass(listers, STORAGE_CLASSES, [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
      ]);
      if (name !== undefined) object.spec = { ...object.spec, storageClassName: name };
    },
  };
}

export function defaultIngressClass(listers: Listers): AdmissionPlugin<Ingress> {
  return {
    name: "DefaultIngressClass",

    handles(attributes) {
      const isIngress = isResource(attributes, "networking.k8s.io", "ingresses");
      return attributes.operation === "CREATE" && isIngress;
    },

    async admit({ object }) {
      const hasLegacy = object.metadata?.annotations?.[LEGACY_INGRESS_CLASS] !== undefined;
      if (object.spec?.ingressClassName !== undefined || hasLegacy) return;
      const annotation = "ingressclass.kubernetes.io/is-default-class";
      const name = await defaultClass(listers, INGRESS_CLASSES, [annotation]);
      if (name !== undefined) object.spec = { ...object.spec, ingressClassName: name };
    },
  };
}

/** The newest class that says it is the default; of several as new, the first by name. */
async function defaultClass(
  listers: Listers,
  of: GroupResource,
  annotations: readonly string[],
): Promise<string | undefined> {
  const classes = await listers.list<KubeObject>(of, "");
  const defaults = classes.filter(({ metadata }) =>
    annotations.some((annotation) => metadata?.annotations?.[annotation] === "true"),
  );
  const age = ({ metadata }: KubeObject) => metadata?.creationTimestamp ?? "";
  const name = ({ metadata }: KubeObject) => metadata?.name ?? "";
  const [first] = [...defaults].sort(
    (a, b) => -compare(age(a), age(b)) || compare(name(a), name(b)),
  );
  return first === undefined ? undefined : name(first);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

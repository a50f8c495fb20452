/**
 * A bound pod is not changed into one that its node has not the features for.
 * Upstream: plugin/pkg/admission/nodedeclaredfeatures, component-helpers/nodedeclaredfeatures.
 */
import { isDeepStrictEqual } from "node:util";
import { compareQuantity } from "../../apimachinery/quantity.ts";
import type { Node, Pod, PodSpec } from "../../apis/core/v1/types.ts";
import { quantityFrom } from "../../apis/validation/common.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, DeepReadonly, Listers } from "../plugin.ts";

const NODES = { group: "", resource: "nodes" };

type Spec = DeepReadonly<PodSpec>;

/** Features of nodes, each with what of a change to a pod needs it. */
const features: readonly {
  readonly name: string;
  isNeeded(pod: Spec, old: Spec, oldPod: DeepReadonly<Pod>): boolean;
}[] = [
  {
    name: "GuaranteedQoSPodCPUResize",
    isNeeded: (pod, old, { status }) =>
      status?.qosClass === "Guaranteed" &&
      (old.containers ?? []).some(({ resources }, i) => {
        const next = quantityFrom(pod.containers?.[i]?.resources?.requests?.["cpu"]);
        return compareQuantity(quantityFrom(resources?.requests?.["cpu"]), next) !== 0;
      }),
  },
  {
    name: "InPlacePodLevelResourcesVerticalScaling",
    isNeeded: (pod, old) => !isDeepStrictEqual(pod.resources, old.resources),
  },
];

export function nodeDeclaredFeatureValidator(listers: Listers): AdmissionPlugin {
  return {
    name: "NodeDeclaredFeatureValidator",

    handles({ operation, resource, subresource }) {
      if (operation !== "UPDATE" || resource.group !== "" || resource.resource !== "pods") {
        return false;
      }
      return subresource === "" || subresource === "resize";
    },

    async validate(attributes) {
      const pod = attributes.object as DeepReadonly<Pod>;
      const old = (attributes.oldObject ?? {}) as DeepReadonly<Pod>;
      const nodeName = pod.spec?.nodeName ?? "";
      // The generation moves with the spec, after this: so the spec itself is compared.
      if (nodeName === "" || isDeepStrictEqual(pod.spec, old.spec)) return;
      const needed = features
        .filter(({ isNeeded }) => isNeeded(pod.spec ?? {}, old.spec ?? {}, old))
        .map(({ name }) => name);
      if (needed.length === 0) return;
      const node = await listers.get<Node>(NODES, "", nodeName);
      const quoted = JSON.stringify(nodeName);
      if (node === undefined) throw deny(attributes, `node ${quoted} not found`);
      const declared = node.status?.declaredFeatures ?? [];
      const missing = needed.filter((name) => !declared.includes(name));
      if (missing.length === 0) return;
      throw deny(
        attributes,
        `pod update requires features ${missing.join(", ")} which are not available on node ${quoted}`,
      );
    },
  };
}

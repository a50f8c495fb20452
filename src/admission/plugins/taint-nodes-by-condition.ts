/**
 * A new node takes no pods until its controller has looked at it.
 * Upstream: plugin/pkg/admission/nodetaint.
 */
import type { Node } from "../../apis/core/v1/types.ts";
import { isResource } from "../errors.ts";
import type { AdmissionPlugin } from "../plugin.ts";

const NOT_READY = "node.kubernetes.io/not-ready";

export const taintNodesByCondition: AdmissionPlugin<Node> = {
  name: "TaintNodesByCondition",

  handles(attributes) {
    return attributes.operation === "CREATE" && isResource(attributes, "", "nodes");
  },

  admit({ object }) {
    object.spec ??= {};
    const taints = object.spec.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY && effect === "NoSchedule")) return;
    object.spec.taints = [...taints, { key: NOT_READY, effect: "NoSchedule" }];
  },
};

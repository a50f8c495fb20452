/**
 * One pod must not keep all others off a whole zone: hard anti-affinity is by node only.
 * Upstream: plugin/pkg/admission/antiaffinity.
 */
import type { Pod } from "../../apis/core/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, DeepReadonly } from "../plugin.ts";

const HOSTNAME = "kubernetes.io/hostname";

export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: "LimitPodHardAntiAffinityTopology",

  handles(attributes) {
    const { operation } = attributes;
    return (operation === "CREATE" || operation === "UPDATE") && isResource(attributes, "", "pods");
  },

  validate(attributes) {
    const { spec } = attributes.object as DeepReadonly<Pod>;
    const terms =
      spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const wide = terms.find(({ topologyKey }) => topologyKey !== HOSTNAME);
    if (wide === undefined) return;
    throw deny(
      attributes,
      `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wide.topologyKey ?? ""} but only key ${HOSTNAME} is allowed`,
    );
  },
};

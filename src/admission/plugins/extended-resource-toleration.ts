/**
 * Nodes with special devices are tainted by the device's name; who asks for one is let in.
 * Upstream: plugin/pkg/admission/extendedresourcetoleration.
 */
import type { Pod } from "../../apis/core/v1/types.ts";
import { isExtendedResourceName } from "../../apis/core/v1/validation/resource-names.ts";
import { isResource } from "../errors.ts";
import type { AdmissionPlugin } from "../plugin.ts";

export const extendedResourceToleration: AdmissionPlugin = {
  name: "ExtendedResourceToleration",

  handles(attributes) {
    const { operation } = attributes;
    return (operation === "CREATE" || operation === "UPDATE") && isResource(attributes, "", "pods");
  },

  admit({ object }) {
    const { spec } = object as Pod;
    if (spec === undefined) return;
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
    const names = containers
      .flatMap(({ resources }) => Object.keys(resources?.requests ?? {}))
      .filter(isExtendedResourceName);
    for (const key of [...new Set(names)].sort()) {
      const toleration = { key, operator: "Exists", effect: "NoSchedule" };
      const tolerations = spec.tolerations ?? [];
      // One for the same taint is replaced, however long it was to be tolerated.
      const at = tolerations.findIndex(
        (one) =>
          one.key === key && one.operator === "Exists" && one.effect === "NoSchedule" && !one.value,
      );
      if (at === -1) spec.tolerations = [...tolerations, toleration];
      else tolerations[at] = toleration;
    }
  },
};

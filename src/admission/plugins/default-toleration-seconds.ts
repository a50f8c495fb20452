/**
 * Pods stay a while on a node that stopped answering: it may come back.
 * Upstream: plugin/pkg/admission/defaulttolerationseconds.
 */
import type { Pod, Toleration } from "../../apis/core/v1/types.ts";
import { isResource } from "../errors.ts";
import type { AdmissionPlugin } from "../plugin.ts";

const NO_EXECUTE = "NoExecute";

export interface TolerationSeconds {
  /** `--default-not-ready-toleration-seconds`. */
  readonly notReady: number;
  /** `--default-unreachable-toleration-seconds`. */
  readonly unreachable: number;
}

export function defaultTolerationSeconds(seconds: TolerationSeconds): AdmissionPlugin<Pod> {
  const defaults: readonly (readonly [string, number])[] = [
    ["node.kubernetes.io/not-ready", seconds.notReady],
    ["node.kubernetes.io/unreachable", seconds.unreachable],
  ];
  return {
    name: "DefaultTolerationSeconds",

    handles(attributes) {
      const { operation } = attributes;
      const writes = operation === "CREATE" || operation === "UPDATE";
      return writes && isResource(attributes, "", "pods");
    },

    admit({ object }) {
      object.spec ??= {};
      const tolerations = object.spec.tolerations ?? [];
      const missing = defaults.filter(([key]) => !tolerations.some((one) => covers(one, key)));
      if (missing.length === 0) return;
      const added = missing.map(([key, tolerationSeconds]) => ({
        key,
        operator: "Exists",
        effect: NO_EXECUTE,
        tolerationSeconds,
      }));
      object.spec.tolerations = [...tolerations, ...added];
    },
  };
}

function covers({ key, effect }: Toleration, wanted: string): boolean {
  return (!key || key === wanted) && (!effect || effect === NO_EXECUTE);
}

/**
 * A namespace's annotations say what its pods tolerate by default and what they may tolerate.
 * Upstream: plugin/pkg/admission/podtolerationrestriction.
 */
import { notFound, unknownError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { computePodQOS } from "../../apis/core/v1/qos.ts";
import type { Pod, Toleration } from "../../apis/core/v1/types.ts";
import { isResource } from "../errors.ts";
import type { AdmissionPlugin, DeepReadonly, Listers } from "../plugin.ts";
import { areAllowed, mergeTolerations } from "../tolerations.ts";

const NAMESPACES = { group: "", resource: "namespaces" };
const PREFIX = "scheduler.alpha.kubernetes.io/";
const MEMORY_PRESSURE = {
  key: "node.kubernetes.io/memory-pressure",
  operator: "Exists",
  effect: "NoSchedule",
};

export interface PodTolerationConfig {
  readonly default?: readonly Toleration[];
  readonly whitelist?: readonly Toleration[];
}

export function podTolerationRestriction(
  listers: Listers,
  gate: (name: string) => boolean,
  config: PodTolerationConfig = {},
): AdmissionPlugin {
  /** Undefined: the namespace says nothing of it. */
  const annotated = async (namespace: string, key: string) => {
    const found =
      (await listers.get<KubeObject>(NAMESPACES, "", namespace)) ??
      (await listers.getFresh<KubeObject>(NAMESPACES, "", namespace));
    if (found === undefined) throw notFound(NAMESPACES, namespace);
    return parseTolerations(found.metadata?.annotations?.[PREFIX + key]);
  };
  return {
    name: "PodTolerationRestriction",

    handles(attributes) {
      const { operation } = attributes;
      const isWrite = operation === "CREATE" || operation === "UPDATE";
      return isWrite && isResource(attributes, "", "pods");
    },

    async admit({ object, operation, namespace }) {
      const { spec } = object as Pod;
      if (spec === undefined) return;
      const extra: Toleration[] = [];
      if (operation === "CREATE") {
        extra.push(...((await annotated(namespace, "defaultTolerations")) ?? config.default ?? []));
      }
      if (computePodQOS(spec, gate("PodLevelResources")) !== "BestEffort") {
        extra.push({ ...MEMORY_PRESSURE });
      }
      if (extra.length > 0) spec.tolerations = mergeTolerations(spec.tolerations ?? [], extra);
    },

    async validate({ object, namespace }) {
      const tolerations = (object as DeepReadonly<Pod>).spec?.tolerations ?? [];
      if (tolerations.length === 0) return;
      const own = await annotated(namespace, "tolerationsWhitelist");
      if (areAllowed(tolerations, own ?? config.whitelist ?? [])) return;
      // Upstream returns a plain error here, which clients get as a 500 without a reason.
      throw unknownError(
        "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist",
      );
    },
  };
}

function parseTolerations(text: string | undefined): readonly Toleration[] | undefined {
  if (text === undefined) return undefined;
  if (text === "") return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null) return [];
    if (Array.isArray(parsed) && parsed.every(isObject)) return parsed as Toleration[];
  } catch {
    // said below
  }
  throw unknownError("json: cannot unmarshal the namespace's annotation into []v1.Toleration");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

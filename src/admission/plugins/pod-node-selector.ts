/**
 * A namespace's pods run on the nodes that its annotation, or the cluster's default, selects.
 * Upstream: plugin/pkg/admission/podnodeselector.
 */
import { notFound, type StatusError, unknownError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Pod } from "../../apis/core/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";

const NAMESPACES = { group: "", resource: "namespaces" };
const ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector";
const DEFAULT_KEY = "clusterDefaultNodeSelector";

type Labels = Readonly<Record<string, string>>;

/** `configured`: selectors by namespace, the default under `clusterDefaultNodeSelector`. */
export function podNodeSelector(listers: Listers, configured: Labels = {}): AdmissionPlugin {
  const selectorOf = async (namespace: string): Promise<Labels> => {
    const found =
      (await listers.get<KubeObject>(NAMESPACES, "", namespace)) ??
      (await listers.getFresh<KubeObject>(NAMESPACES, "", namespace));
    if (found === undefined) throw notFound(NAMESPACES, namespace);
    return parseLabels(found.metadata?.annotations?.[ANNOTATION] ?? configured[DEFAULT_KEY] ?? "");
  };
  const conflict = (attributes: DeepReadonly<Attributes>, own: Labels, pod: Labels) => {
    const isOther = Object.entries(own).some(
      ([key, value]) => Object.hasOwn(pod, key) && pod[key] !== value,
    );
    if (!isOther) return;
    throw deny(
      attributes,
      "pod node label selector conflicts with its namespace node label selector",
    );
  };
  const allowed = (namespace: string, selector: Labels) => {
    const list = parseLabels(configured[namespace] ?? "");
    if (Object.keys(list).length === 0) return true;
    return Object.entries(selector).every(([key, value]) => list[key] === value);
  };
  return {
    name: "PodNodeSelector",

    handles(attributes) {
      return attributes.operation === "CREATE" && isResource(attributes, "", "pods");
    },

    async admit(attributes) {
      const { spec } = attributes.object as Pod;
      if (spec === undefined) return;
      const own = await selectorOf(attributes.namespace);
      conflict(attributes as DeepReadonly<Attributes>, own, spec.nodeSelector ?? {});
      const merged = { ...own, ...spec.nodeSelector };
      if (Object.keys(merged).length > 0) spec.nodeSelector = merged;
    },

    async validate(attributes) {
      const selector = (attributes.object as DeepReadonly<Pod>).spec?.nodeSelector ?? {};
      conflict(attributes, await selectorOf(attributes.namespace), selector);
      if (allowed(attributes.namespace, selector)) return;
      throw deny(
        attributes,
        "pod node label selector labels conflict with its namespace whitelist",
      );
    },
  };
}

/** `a=b,c=d`. Upstream: labels.ConvertSelectorToLabelsMap. Throws a StatusError. */
export function parseLabels(text: string): Labels {
  if (text === "") return {};
  return Object.fromEntries(text.split(",").map((part) => parseLabel(part, text)));
}

function parseLabel(part: string, text: string): [string, string] {
  const equals = part.split("=");
  if (equals.length !== 2) throw malformed(text);
  return [(equals[0] ?? "").trim(), (equals[1] ?? "").trim()];
}

function malformed(text: string): StatusError {
  return unknownError(`invalid selector: [${text.split(",").join(" ")}]`);
}

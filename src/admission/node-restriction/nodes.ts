/** What a node may say of itself. Upstream: plugin/pkg/admission/noderestriction, kubelet/apis. */
import { isDeepStrictEqual } from "node:util";
import type { Node } from "../../apis/core/v1/types.ts";
import type { DeepReadonly } from "../plugin.ts";
import type { NodeRequest, Refusal } from "./pods.ts";

/** Labels under kubernetes.io and k8s.io that a kubelet may set. */
const KUBELET_LABELS = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
]);
const KUBELET_DOMAINS = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const SYSTEM_DOMAINS = ["kubernetes.io", "k8s.io"];
/** For admins alone: nodes must not choose their pods by it. */
const RESTRICTED_DOMAINS = ["node-restriction.kubernetes.io"];

type Labels = Readonly<Record<string, string>>;

export function nodeMayWriteNode({ attributes, node }: NodeRequest): Refusal {
  const { operation, name } = attributes;
  const self = JSON.stringify(node);
  if (name !== node) {
    return `node ${self} is not allowed to modify node ${JSON.stringify(name)}`;
  }
  const { spec, metadata } = attributes.object as DeepReadonly<Node>;
  if (operation === "CREATE") {
    if (spec?.configSource !== undefined) {
      return `node ${self} is not allowed to create pods with a non-nil configSource`;
    }
    const labels = forbiddenChanges(metadata?.labels ?? {}, {});
    if (labels.length === 0) return undefined;
    return `node ${self} is not allowed to set the following labels: ${labels.join(", ")}`;
  }
  if (operation !== "UPDATE") return undefined;
  const old = (attributes.oldObject ?? {}) as DeepReadonly<Node>;
  const { configSource } = spec ?? {};
  if (configSource !== undefined && !isDeepStrictEqual(configSource, old.spec?.configSource)) {
    return `node ${self} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!isDeepStrictEqual(spec?.taints ?? [], old.spec?.taints ?? [])) {
    return `node ${self} is not allowed to modify taints`;
  }
  const ownersOf = (one: typeof metadata) => one?.ownerReferences ?? [];
  if (!isDeepStrictEqual(ownersOf(metadata), ownersOf(old.metadata))) {
    return `node ${self} is not allowed to modify ownerReferences`;
  }
  const labels = forbiddenChanges(metadata?.labels ?? {}, old.metadata?.labels ?? {});
  return labels.length === 0 ? undefined : `is not allowed to modify labels: ${labels.join(", ")}`;
}

function forbiddenChanges(next: Labels, old: Labels): readonly string[] {
  const keys = new Set([...Object.keys(next), ...Object.keys(old)]);
  return [...keys].filter((key) => next[key] !== old[key] && isForbidden(key)).sort();
}

function isForbidden(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash === -1 ? "" : label.slice(0, slash);
  if (isWithin(domain, RESTRICTED_DOMAINS)) return true;
  if (!isWithin(domain, SYSTEM_DOMAINS)) return false;
  return !KUBELET_LABELS.has(label) && !isWithin(domain, KUBELET_DOMAINS);
}

function isWithin(domain: string, domains: readonly string[]): boolean {
  return domains.some((one) => domain === one || domain.endsWith(`.${one}`));
}

/** Labels of nodes that have newer names. Upstream: pkg/api/node/util.go. */
import type { Path } from "../../../apimachinery/validation/field.ts";
import type { LabelSelectorObject } from "../../../apimachinery/validation/labels.ts";

const DEPRECATED: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** What a client that names this label is told; undefined: the label is fine. */
export function deprecatedNodeLabel(key: string): string | undefined {
  return Object.hasOwn(DEPRECATED, key) ? DEPRECATED[key] : undefined;
}

/** Upstream: GetWarningsForNodeSelector. */
export function warningsForNodeSelector(
  selector: LabelSelectorObject | undefined,
  at: Path,
): string[] {
  const found: string[] = [];
  for (const [i, { key = "" }] of (selector?.matchExpressions ?? []).entries()) {
    const message = deprecatedNodeLabel(key);
    const path = at.child("matchExpressions").index(i).child("key");
    if (message !== undefined) found.push(`${path}: ${message}`);
  }
  for (const key of Object.keys(selector?.matchLabels ?? {}).sort()) {
    const message = deprecatedNodeLabel(key);
    if (message !== undefined) found.push(`${at.child("matchLabels").child(key)}: ${message}`);
  }
  return found;
}

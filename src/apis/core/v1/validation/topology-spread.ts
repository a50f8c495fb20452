/** How a pod's replicas spread. Upstream: validateTopologySpreadConstraints. */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  validateLabelName,
  validateLabelSelector,
} from "../../../../apimachinery/validation/labels.ts";
import { validatePositive } from "../../../validation/common.ts";
import type { TopologySpreadConstraint } from "../types.ts";
import { validateMatchLabelKeys } from "./affinity.ts";
import type { PodValidationOptions } from "./options.ts";

const ACTIONS = ["DoNotSchedule", "ScheduleAnyway"];
const NODE_POLICIES = ["Honor", "Ignore"];

/** topologySpreadConstraints. */
export function validateTopologySpreadConstraints(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, constraint] of (constraints ?? []).entries()) {
    const path = at.index(i);
    const { maxSkew = 0, topologyKey = "", whenUnsatisfiable = "" } = constraint;
    errors.push(...validatePositive(maxSkew, path.child("maxSkew")));
    if (topologyKey === "") errors.push(required(path.child("topologyKey"), "can not be empty"));
    if (!ACTIONS.includes(whenUnsatisfiable)) {
      errors.push(notSupported(path.child("whenUnsatisfiable"), whenUnsatisfiable, ACTIONS));
    }
    const repeated = (constraints ?? [])
      .slice(i + 1)
      .some(
        (other) =>
          (other.topologyKey ?? "") === topologyKey &&
          (other.whenUnsatisfiable ?? "") === whenUnsatisfiable,
      );
    if (repeated) {
      const pair = path.child("{topologyKey, whenUnsatisfiable}");
      errors.push(duplicate(pair, `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    errors.push(...validateDetails(constraint, path, options));
  }
  return errors;
}

function validateDetails(
  constraint: TopologySpreadConstraint,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const { minDomains, whenUnsatisfiable: action = "", labelSelector, matchLabelKeys } = constraint;
  const errors: ErrorList = [];
  if (minDomains !== undefined) {
    const path = at.child("minDomains");
    errors.push(...validatePositive(minDomains, path));
    if (action !== "DoNotSchedule") {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
      errors.push(invalid(path, minDomains, detail));
    }
  }
  for (const name of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
    const policy = constraint[name];
    if (policy === undefined || NODE_POLICIES.includes(policy)) continue;
    errors.push(notSupported(at.child(name), policy, NODE_POLICIES));
  }
  if (options.matchLabelKeysSelectorMerge) {
    errors.push(...validateMatchLabelKeys(matchLabelKeys, undefined, labelSelector, at));
  } else errors.push(...validateUnmergedKeys(constraint, at.child("matchLabelKeys")));
  if (!options.allowInvalidTopologySpreadConstraintLabelSelector) {
    errors.push(...validateLabelSelector(labelSelector, {}, at.child("labelSelector")));
  }
  return errors;
}

/** Without the merge a key of matchLabelKeys may not be in the selector at all. */
function validateUnmergedKeys(
  { matchLabelKeys = [], labelSelector }: TopologySpreadConstraint,
  at: Path,
): ErrorList {
  if (matchLabelKeys.length === 0) return [];
  const errors: ErrorList = [];
  if (labelSelector === undefined) {
    errors.push(forbidden(at, "must not be specified when labelSelector is not set"));
  }
  const keys = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key = "" } of labelSelector?.matchExpressions ?? []) keys.add(key);
  for (const [i, key] of matchLabelKeys.entries()) {
    errors.push(...validateLabelName(key, at.index(i)));
    if (!keys.has(key)) continue;
    errors.push(invalid(at.index(i), key, "exists in both matchLabelKeys and labelSelector"));
  }
  return errors;
}

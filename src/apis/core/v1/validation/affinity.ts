/**
 * Affinities and node selectors. Upstream: validateAffinity, ValidateNodeSelector.
 */
import {
  type ErrorList,
  forbidden,
  invalid,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  validateLabelName,
  validateLabelSelector,
} from "../../../../apimachinery/validation/labels.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isValidLabelValue,
} from "../../../../apimachinery/validation/names.ts";
import type { LabelSelector } from "../../../meta/v1/types.ts";
import { invalidEach } from "../../../validation/common.ts";
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from "../types.ts";
import type { PodValidationOptions } from "./options.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const WEIGHT_MAX = 100;

/** affinity of a pod. */
export function validateAffinity(
  affinity: Affinity | undefined,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  if (affinity?.nodeAffinity !== undefined) {
    errors.push(...validateNodeAffinity(affinity.nodeAffinity, at.child("nodeAffinity"), options));
  }
  for (const name of ["podAffinity", "podAntiAffinity"] as const) {
    const side = affinity?.[name];
    if (side !== undefined) errors.push(...validatePodAffinity(side, at.child(name), options));
  }
  return errors;
}

function validateNodeAffinity(
  affinity: NodeAffinity,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const selector = affinity[REQUIRED];
  if (selector !== undefined) {
    const allowBadValues = options.allowInvalidLabelValueInRequiredNodeAffinity;
    errors.push(...validateNodeSelector(selector, at.child(REQUIRED), allowBadValues));
  }
  for (const [i, { weight, preference }] of (affinity[PREFERRED] ?? []).entries()) {
    const path = at.child(PREFERRED).index(i);
    errors.push(...validateWeight(weight, path));
    errors.push(...validateNodeSelectorTerm(preference ?? {}, path.child("preference"), true));
  }
  return errors;
}

function validateWeight(weight: number | undefined, at: Path): ErrorList {
  const value = weight ?? 0;
  if (value > 0 && value <= WEIGHT_MAX) return [];
  return [invalid(at.child("weight"), value, "must be in the range 1-100")];
}

/** At least one term, each valid. Also for volumes' node affinity. */
export function validateNodeSelector(
  selector: NodeSelector,
  at: Path,
  allowBadValues = false,
): ErrorList {
  const path = at.child("nodeSelectorTerms");
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(path, "must have at least one node selector term")];
  return terms.flatMap((term, i) => validateNodeSelectorTerm(term, path.index(i), allowBadValues));
}

function validateNodeSelectorTerm(
  term: NodeSelectorTerm,
  at: Path,
  allowBadValues: boolean,
): ErrorList {
  const expressions = at.child("matchExpressions");
  const fields = at.child("matchFields");
  return [
    ...(term.matchExpressions ?? []).flatMap((one, i) =>
      validateNodeSelectorRequirement(one, expressions.index(i), allowBadValues),
    ),
    ...(term.matchFields ?? []).flatMap((one, i) => validateFieldRequirement(one, fields.index(i))),
  ];
}

/** One expression over a node's labels. */
export function validateNodeSelectorRequirement(
  { key = "", operator = "", values = [] }: NodeSelectorRequirement,
  at: Path,
  allowBadValues: boolean,
): ErrorList {
  const errors: ErrorList = [];
  const path = at.child("values");
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      errors.push(required(path, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbidden(path, detail));
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      errors.push(required(path, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
  errors.push(...validateLabelName(key, at.child("key")));
  if (allowBadValues) return errors;
  for (const [i, value] of values.entries()) {
    errors.push(...invalidEach(path.index(i), value, isValidLabelValue(value)));
  }
  return errors;
}

function validateFieldRequirement(
  { key = "", operator = "", values = [] }: NodeSelectorRequirement,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const path = at.child("values");
  if (operator !== "In" && operator !== "NotIn") {
    errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
  } else if (values.length !== 1) {
    const detail =
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(path, detail));
  }
  if (key !== "metadata.name") {
    errors.push(invalid(at.child("key"), key, "not a valid field selector key"));
    return errors;
  }
  for (const [i, value] of values.entries()) {
    errors.push(...invalidEach(path.index(i), value, isDNS1123Subdomain(value)));
  }
  return errors;
}

function validatePodAffinity(
  affinity: PodAffinity,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, term] of (affinity[REQUIRED] ?? []).entries()) {
    errors.push(...validatePodAffinityTerm(term, at.child(REQUIRED).index(i), options));
  }
  for (const [i, { weight, podAffinityTerm }] of (affinity[PREFERRED] ?? []).entries()) {
    const path = at.child(PREFERRED).index(i);
    errors.push(...validateWeight(weight, path));
    const term = podAffinityTerm ?? {};
    errors.push(...validatePodAffinityTerm(term, path.child("podAffinityTerm"), options));
  }
  return errors;
}

function validatePodAffinityTerm(
  term: PodAffinityTerm,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const { labelSelector, namespaceSelector, topologyKey = "" } = term;
  const errors = [
    ...validateLabelSelector(labelSelector, options, at.child("labelSelector")),
    ...validateLabelSelector(namespaceSelector, options, at.child("namespaceSelector")),
  ];
  for (const namespace of term.namespaces ?? []) {
    errors.push(...invalidEach(at.child("namespace"), namespace, isDNS1123Label(namespace)));
  }
  const { matchLabelKeys, mismatchLabelKeys } = term;
  errors.push(...validateMatchLabelKeys(matchLabelKeys, mismatchLabelKeys, labelSelector, at));
  if (topologyKey === "") errors.push(required(at.child("topologyKey"), "can not be empty"));
  return [...errors, ...validateLabelName(topologyKey, at.child("topologyKey"))];
}

/**
 * matchLabelKeys and mismatchLabelKeys. By now the selector holds what was made of them, so a key of
 * matchLabelKeys may be there once; twice means that the client wrote it too.
 */
export function validateMatchLabelKeys(
  match: readonly string[] | undefined,
  mismatch: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  at: Path,
): ErrorList {
  const errors = [
    ...validateLabelKeys(match, selector, at.child("matchLabelKeys")),
    ...validateLabelKeys(mismatch, selector, at.child("mismatchLabelKeys")),
  ];
  const both = "exists in both matchLabelKeys and";
  if (selector !== undefined) {
    const indexes = new Map((match ?? []).map((key, i) => [key, i]));
    const seen = new Set(Object.keys(selector.matchLabels ?? {}));
    for (const { key = "" } of selector.matchExpressions ?? []) {
      const index = indexes.get(key);
      if (index !== undefined && seen.has(key)) {
        errors.push(invalid(at.index(index), key, `${both} labelSelector`));
      }
      seen.add(key);
    }
  }
  for (const [i, key] of (match ?? []).entries()) {
    if (!mismatch?.includes(key)) continue;
    errors.push(invalid(at.child("matchLabelKeys").index(i), key, `${both} mismatchLabelKeys`));
  }
  return errors;
}

/** Keys to be taken from the pod's own labels; they need a selector to go into. */
function validateLabelKeys(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  at: Path,
): ErrorList {
  if (keys === undefined || keys.length === 0) return [];
  if (selector === undefined) {
    return [forbidden(at, "must not be specified when labelSelector is not set")];
  }
  return keys.flatMap((key, i) => validateLabelName(key, at.index(i)));
}

/** Rules that the controllers of apps/v1 share. Upstream: pkg/apis/apps/validation. */
import {
  isEverything,
  type LabelSelector,
  labelSelectorAsSelector,
  labelsMatch,
} from "../../../../apimachinery/labels/selector.ts";
import {
  type ErrorList,
  invalid,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabelSelector } from "../../../../apimachinery/validation/labels.ts";
import type { LabelSelector as LabelSelectorObject } from "../../../meta/v1/types.ts";
import { validateNonnegatives } from "../../../validation/common.ts";

/** A selector that must be there and select something. `kind` as the message names it. */
export function validateControllerSelector(
  selector: LabelSelectorObject | undefined,
  kind: string,
  at: Path,
): ErrorList {
  if (selector === undefined) return [required(at)];
  const errors = validateLabelSelector(selector, {}, at);
  if (isEmptySelector(selector)) {
    errors.push(invalid(at, {}, `empty selector is invalid for ${kind}`));
  }
  return errors;
}

/** A selector without any requirement. */
export function isEmptySelector(selector: LabelSelectorObject): boolean {
  const labels = Object.keys(selector.matchLabels ?? {}).length;
  return labels + (selector.matchExpressions ?? []).length === 0;
}

/** The selector for matching; undefined when it is no valid one. */
export function selectorOf(object: LabelSelectorObject | undefined): LabelSelector | undefined {
  try {
    return labelSelectorAsSelector(object);
  } catch {
    return undefined;
  }
}

/** Whether the selector selects pods with these labels; an empty one is not asked. */
export function selects(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return isEverything(selector) || labelsMatch(selector, labels);
}

/** Counters in a status: none negative, and those in `parts` not above `replicas`. */
export function validateReplicaCounters(
  status: object,
  names: readonly string[],
  parts: readonly string[],
  at: Path,
  readyName = "readyReplicas",
): ErrorList {
  const values = status as Readonly<Record<string, number | undefined>>;
  const errors = validateNonnegatives(status, names, at);
  const of = (name: string) => values[name] ?? 0;
  for (const name of parts) {
    if (of(name) <= of("replicas")) continue;
    errors.push(invalid(at.child(name), of(name), "cannot be greater than status.replicas"));
  }
  if (of("availableReplicas") > of("readyReplicas")) {
    const path = at.child("availableReplicas");
    errors.push(invalid(path, of("availableReplicas"), `cannot be greater than ${readyName}`));
  }
  return errors;
}

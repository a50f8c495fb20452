/** DaemonSets. Upstream: ValidateDaemonSet. */
import { labelsMatch } from "../../../../apimachinery/labels/selector.ts";
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabelSelector } from "../../../../apimachinery/validation/labels.ts";
import { validateNonnegative } from "../../../../apimachinery/validation/object-meta.ts";
import type { PodValidationOptions } from "../../../core/v1/validation/options.ts";
import {
  validateAlwaysRunning,
  validatePodTemplateSpec,
} from "../../../core/v1/validation/pod-template.ts";
import { structOf } from "../../../schemas.ts";
import {
  goMap,
  goStruct,
  intOrPercentNumber,
  validateCollisionCount,
  validateNonnegatives,
  validateNotMoreThan100Percent,
  validatePositiveIntOrPercent,
} from "../../../validation/common.ts";
import { TEMPLATE_GENERATION } from "../defaults.ts";
import type { DaemonSet, DaemonSetUpdateStrategy, RollingUpdateDaemonSet } from "../types.ts";
import { isEmptySelector, selectorOf } from "./common.ts";

const SPEC = Path.root("spec");

/** The template generation of a DaemonSet; 0 when it has none. */
export function templateGenerationOf(set: DaemonSet): number {
  const text = set.metadata?.annotations?.[TEMPLATE_GENERATION];
  return text !== undefined && /^[+-]?\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** A new or updated DaemonSet, with the generation that apps/v1 has in an annotation. */
export function validateDaemonSetSpec(set: DaemonSet, options: PodValidationOptions): ErrorList {
  const spec = set.spec ?? {};
  const template = spec.template ?? {};
  const at = SPEC.child("template");
  const errors = validateLabelSelector(spec.selector, options, SPEC.child("selector"));
  const selector = selectorOf(spec.selector);
  const labels = template.metadata?.labels;
  if (selector !== undefined && !labelsMatch(selector, labels)) {
    const detail = "`selector` does not match template `labels`";
    errors.push(invalid(at.child("metadata", "labels"), goMap(labels), detail));
  }
  if (spec.selector !== undefined && isEmptySelector(spec.selector)) {
    const detail = "empty selector is invalid for daemonset";
    errors.push(invalid(SPEC.child("selector"), {}, detail));
  }
  return [
    ...errors,
    ...validatePodTemplateSpec(template, at, options),
    ...validateAlwaysRunning(template, "DaemonSet", at),
    ...validateNonnegative(spec.minReadySeconds, SPEC.child("minReadySeconds")),
    ...validateNonnegative(templateGenerationOf(set), SPEC.child("templateGeneration")),
    ...validateUpdateStrategy(spec.updateStrategy ?? {}, SPEC.child("updateStrategy")),
    ...validateNonnegative(spec.revisionHistoryLimit, SPEC.child("revisionHistoryLimit")),
  ];
}

function validateUpdateStrategy(strategy: DaemonSetUpdateStrategy, at: Path): ErrorList {
  if (strategy.type === "OnDelete") return [];
  if (strategy.type !== "RollingUpdate") {
    const value = goStruct(strategy, "k8s.io/api/apps/v1.DaemonSetUpdateStrategy");
    return [notSupported(at, value, ["RollingUpdate", "OnDelete"])];
  }
  const path = at.child("rollingUpdate");
  if (strategy.rollingUpdate === undefined) return [required(path)];
  return validateRollingUpdate(strategy.rollingUpdate, path);
}

function validateRollingUpdate(update: RollingUpdateDaemonSet, at: Path): ErrorList {
  const { maxUnavailable, maxSurge } = update;
  const [unavailable, surge] = [at.child("maxUnavailable"), at.child("maxSurge")];
  const errors = [
    ...validatePositiveIntOrPercent(maxUnavailable, unavailable),
    ...validatePositiveIntOrPercent(maxSurge, surge),
    ...validateNotMoreThan100Percent(maxUnavailable, unavailable),
    ...validateNotMoreThan100Percent(maxSurge, surge),
  ];
  const hasUnavailable = intOrPercentNumber(maxUnavailable) !== 0;
  const hasSurge = intOrPercentNumber(maxSurge) !== 0;
  if (hasUnavailable && hasSurge) {
    errors.push(invalid(surge, maxSurge, "may not be set when maxUnavailable is non-zero"));
  } else if (!hasUnavailable && !hasSurge) {
    errors.push(required(unavailable, "cannot be 0 when maxSurge is 0"));
  }
  return errors;
}

/** The server counts template changes itself; so this finds something only when it failed to. */
export function validateTemplateGenerationUpdate(set: DaemonSet, old: DaemonSet): ErrorList {
  const at = SPEC.child("templateGeneration");
  const now = templateGenerationOf(set);
  const before = templateGenerationOf(old);
  const type = structOf("k8s.io/api/core/v1.PodTemplateSpec");
  const changed = !semanticDeepEqual(set.spec?.template, old.spec?.template, type);
  if (now < before) return [invalid(at, now, "must not be decremented")];
  if (now === before && changed) {
    return [invalid(at, now, "must be incremented upon template update")];
  }
  if (now > before && !changed) {
    return [invalid(at, now, "must not be incremented without template update")];
  }
  return [];
}

/** The status of a DaemonSet, through its own endpoint. */
export function validateDaemonSetStatus(set: DaemonSet, old: DaemonSet): ErrorList {
  const at = Path.root("status");
  const counters = [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ];
  return [
    ...validateNonnegatives(set.status, counters, at),
    ...validateCollisionCount(set.status?.collisionCount, old.status?.collisionCount, at),
  ];
}

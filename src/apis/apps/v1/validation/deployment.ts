/** Deployments and ReplicaSets. Upstream: ValidateDeployment, ValidateReplicaSet. */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
} from "../../../../apimachinery/validation/field.ts";
import { validateNonnegative } from "../../../../apimachinery/validation/object-meta.ts";
import type { PodTemplateSpec } from "../../../core/v1/types.ts";
import type { PodValidationOptions } from "../../../core/v1/validation/options.ts";
import {
  validateAlwaysRunning,
  validatePodTemplateSpec,
  validateSelectorMatchesTemplate,
} from "../../../core/v1/validation/pod-template.ts";
import type { LabelSelector } from "../../../meta/v1/types.ts";
import {
  goStruct,
  intOrPercentNumber,
  validateCollisionCount,
  validateNotMoreThan100Percent,
  validatePositiveIntOrPercent,
} from "../../../validation/common.ts";
import type { Deployment, DeploymentStrategy, ReplicaSet, ReplicaSetSpec } from "../types.ts";
import { selectorOf, validateControllerSelector, validateReplicaCounters } from "./common.ts";

const SPEC = Path.root("spec");
const STATUS = Path.root("status");
const STRATEGIES = ["Recreate", "RollingUpdate"];

function validateSelectorAndTemplate(
  spec: { selector?: LabelSelector | undefined; template?: PodTemplateSpec | undefined },
  options: PodValidationOptions,
): ErrorList {
  const errors = validateControllerSelector(spec.selector, "deployment", SPEC.child("selector"));
  const selector = selectorOf(spec.selector);
  if (selector === undefined) {
    const detail = "invalid label selector";
    return [...errors, invalid(SPEC.child("selector"), spec.selector, detail)];
  }
  const template = spec.template ?? {};
  const at = SPEC.child("template");
  return [
    ...errors,
    ...validateSelectorMatchesTemplate(selector, template, at),
    ...validatePodTemplateSpec(template, at, options),
    ...validateAlwaysRunning(template, "ReplicaSet", at),
  ];
}

/** A new or updated Deployment, beyond the generic rules of metadata. */
export function validateDeployment(
  deployment: Deployment,
  options: PodValidationOptions,
): ErrorList {
  const spec = deployment.spec ?? {};
  const { minReadySeconds = 0, progressDeadlineSeconds: progress } = spec;
  const errors = [
    ...validateNonnegative(spec.replicas, SPEC.child("replicas")),
    ...validateSelectorAndTemplate(spec, options),
    ...validateStrategy(spec.strategy ?? {}, SPEC.child("strategy")),
    ...validateNonnegative(minReadySeconds, SPEC.child("minReadySeconds")),
    ...validateNonnegative(spec.revisionHistoryLimit, SPEC.child("revisionHistoryLimit")),
    ...validateNonnegative(progress, SPEC.child("progressDeadlineSeconds")),
  ];
  if (progress !== undefined && progress <= minReadySeconds) {
    const path = SPEC.child("progressDeadlineSeconds");
    errors.push(invalid(path, progress, "must be greater than minReadySeconds"));
  }
  return errors;
}

function validateStrategy(strategy: DeploymentStrategy, at: Path): ErrorList {
  const path = at.child("rollingUpdate");
  if (strategy.type === "Recreate") {
    if (strategy.rollingUpdate === undefined) return [];
    return [forbidden(path, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (strategy.type !== "RollingUpdate") {
    const value = goStruct(strategy, "k8s.io/api/apps/v1.DeploymentStrategy");
    return [notSupported(at, value, STRATEGIES)];
  }
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {};
  const errors = [
    ...validatePositiveIntOrPercent(maxUnavailable, path.child("maxUnavailable")),
    ...validatePositiveIntOrPercent(maxSurge, path.child("maxSurge")),
  ];
  if (intOrPercentNumber(maxUnavailable) === 0 && intOrPercentNumber(maxSurge) === 0) {
    const detail = "may not be 0 when `maxSurge` is 0";
    errors.push(invalid(path.child("maxUnavailable"), maxUnavailable ?? 0, detail));
  }
  return [
    ...errors,
    ...validateNotMoreThan100Percent(maxUnavailable, path.child("maxUnavailable")),
  ];
}

/** The status of a Deployment, through its own endpoint. */
export function validateDeploymentStatus(deployment: Deployment, old: Deployment): ErrorList {
  const status = deployment.status ?? {};
  const parts = ["updatedReplicas", "readyReplicas", "availableReplicas"];
  const counters = [
    "observedGeneration",
    "replicas",
    ...parts,
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ];
  return [
    ...validateReplicaCounters(status, counters, parts, STATUS),
    ...validateCollisionCount(status.collisionCount, old.status?.collisionCount, STATUS),
  ];
}

/** A new or updated ReplicaSet, beyond the generic rules of metadata. */
export function validateReplicaSetSpec(
  spec: ReplicaSetSpec,
  options: PodValidationOptions,
): ErrorList {
  return [
    ...validateNonnegative(spec.replicas, SPEC.child("replicas")),
    ...validateNonnegative(spec.minReadySeconds, SPEC.child("minReadySeconds")),
    ...validateSelectorAndTemplate(spec, options),
  ];
}

/** The status of a ReplicaSet, through its own endpoint. */
export function validateReplicaSetStatus(set: ReplicaSet): ErrorList {
  const parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
  const counters = ["replicas", ...parts, "observedGeneration", "terminatingReplicas"];
  return [...validateReplicaCounters(set.status ?? {}, counters, parts, STATUS)];
}

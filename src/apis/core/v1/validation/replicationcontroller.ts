/** ReplicationControllers. Upstream: ValidateReplicationController. */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateNonnegative } from "../../../../apimachinery/validation/object-meta.ts";
import { goMap, validateNonnegatives } from "../../../validation/common.ts";
import type { PodTemplateSpec, ReplicationController } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";
import { validatePodTemplateSpec } from "./pod-template.ts";

const SPEC = Path.root("spec");
const STATUS = Path.root("status");

/** A new or updated controller, beyond the generic rules of metadata. */
export function validateReplicationController(
  controller: ReplicationController,
  options: PodValidationOptions,
): ErrorList {
  const { selector = {}, template, replicas, minReadySeconds } = controller.spec ?? {};
  const errors = validateNonnegative(minReadySeconds, SPEC.child("minReadySeconds"));
  if (Object.keys(selector).length === 0) errors.push(required(SPEC.child("selector")));
  const replicasAt = SPEC.child("replicas");
  if (replicas === undefined) errors.push(required(replicasAt));
  else errors.push(...validateNonnegative(replicas, replicasAt));
  const at = SPEC.child("template");
  if (template === undefined) return [...errors, required(at)];
  return [...errors, ...validateTemplate(template, selector, at, options)];
}

function validateTemplate(
  template: PodTemplateSpec,
  selector: Record<string, string>,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const labels = template.metadata?.labels;
  const wanted = Object.entries(selector);
  if (wanted.length > 0 && wanted.some(([key, value]) => labels?.[key] !== value)) {
    const detail = "`selector` does not match template `labels`";
    errors.push(invalid(at.child("metadata", "labels"), goMap(labels), detail));
  }
  errors.push(...validatePodTemplateSpec(template, at, options));
  const { restartPolicy = "", activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== "Always") {
    errors.push(notSupported(at.child("spec", "restartPolicy"), restartPolicy, ["Always"]));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = "activeDeadlineSeconds in ReplicationController is not Supported";
    errors.push(forbidden(at.child("spec", "activeDeadlineSeconds"), detail));
  }
  return errors;
}

/** The status of a controller, through its own endpoint. */
export function validateReplicationControllerStatus(controller: ReplicationController): ErrorList {
  const status = controller.status ?? {};
  const parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const;
  const errors = validateNonnegatives(status, ["replicas", ...parts, "observedGeneration"], STATUS);
  for (const name of parts) {
    const count = status[name] ?? 0;
    if (count <= (status.replicas ?? 0)) continue;
    errors.push(invalid(STATUS.child(name), count, "cannot be greater than status.replicas"));
  }
  const { availableReplicas: available = 0, readyReplicas: ready = 0 } = status;
  if (available > ready) {
    const path = STATUS.child("availableReplicas");
    errors.push(invalid(path, available, "cannot be greater than readyReplicas"));
  }
  return errors;
}

/** Templates of pods, in all kinds that make pods. Upstream: ValidatePodTemplateSpec. */

import {
  isEverything,
  type LabelSelector,
  labelsMatch,
} from "../../../../apimachinery/labels/selector.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabels } from "../../../../apimachinery/validation/labels.ts";
import { validateAnnotations } from "../../../../apimachinery/validation/object-meta.ts";
import { goMap } from "../../../validation/common.ts";
import type { PodTemplateSpec } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";
import { validatePodSpecificAnnotations, validateProfileAnnotations } from "./pod-annotations.ts";
import { validatePodSpec } from "./pod-spec.ts";

/** The template at `at`. */
export function validatePodTemplateSpec(
  template: PodTemplateSpec,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const { metadata, spec = {} } = template;
  const annotations = at.child("annotations");
  const errors = [
    ...validateLabels(metadata?.labels, at.child("labels")),
    ...validateAnnotations(metadata?.annotations, annotations),
    ...validatePodSpecificAnnotations(metadata?.annotations, spec, annotations, options),
    ...validatePodSpec(spec, undefined, at.child("spec"), options),
    ...validateProfileAnnotations(metadata, spec, at.child("spec")),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = "ephemeral containers not allowed in pod template";
    errors.push(forbidden(at.child("spec", "ephemeralContainers"), detail));
  }
  return errors;
}

/** The selector of a controller must select the pods that its template makes. */
export function validateSelectorMatchesTemplate(
  selector: LabelSelector,
  template: PodTemplateSpec,
  at: Path,
): ErrorList {
  const labels = template.metadata?.labels;
  if (isEverything(selector) || labelsMatch(selector, labels)) return [];
  const detail = "`selector` does not match template `labels`";
  return [invalid(at.child("metadata", "labels"), goMap(labels), detail)];
}

/** Pods of long-running controllers restart always and have no deadline. */
export function validateAlwaysRunning(
  template: PodTemplateSpec,
  kind: string,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const { restartPolicy = "", activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== "Always") {
    errors.push(notSupported(at.child("spec", "restartPolicy"), restartPolicy, ["Always"]));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden(at.child("spec", "activeDeadlineSeconds"), detail));
  }
  return errors;
}

/** Upstream: pkg/apis/node/validation/validation.go. */
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  invalid,
  Path,
} from "../../../apimachinery/validation/field.ts";
import { validateLabels } from "../../../apimachinery/validation/labels.ts";
import {
  nameIsDNSLabel,
  validateImmutableField,
} from "../../../apimachinery/validation/object-meta.ts";
import type { PodValidationOptions } from "../../core/v1/validation/options.ts";
import { validateContainerResourceRequirements } from "../../core/v1/validation/resources.ts";
import { validateTolerations } from "../../core/v1/validation/tolerations.ts";
import { goStruct } from "../../validation/common.ts";
import type { RuntimeClass } from "./types.ts";

type Class = Omit<RuntimeClass, "metadata">;

/** Errors of a RuntimeClass beyond its metadata. */
export function validateRuntimeClass(object: Class, options: PodValidationOptions): ErrorList {
  const handler = object.handler ?? "";
  const errors = nameIsDNSLabel(handler, false).map((m) => invalid("handler", handler, m));
  const { nodeSelector, tolerations = [] } = object.scheduling ?? {};
  const at = Path.root("scheduling");
  if (object.overhead !== undefined) {
    const limits = { limits: object.overhead.podFixed };
    const overheadAt = Path.root("overhead");
    const none = new Set<string>();
    errors.push(...validateContainerResourceRequirements(limits, none, overheadAt, options));
  }
  errors.push(...validateLabels(nodeSelector, at.child("nodeSelector")));
  errors.push(...validateTolerations(tolerations, at.child("tolerations")));
  for (const [i, toleration] of tolerations.entries()) {
    if (!tolerations.slice(0, i).some((other) => semanticDeepEqual(other, toleration))) continue;
    const value = goStruct(toleration, "k8s.io/api/core/v1.Toleration");
    errors.push(duplicate(at.child("tolerations").index(i), value));
  }
  return errors;
}

/** The handler stays what it was. */
export function validateRuntimeClassUpdate(object: Class, old: Class): ErrorList {
  return validateImmutableField(object.handler ?? "", old.handler ?? "", Path.root("handler"));
}

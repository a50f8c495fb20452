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
import { goStruct } from "../../validation/common.ts";
import type { RuntimeClass } from "./types.ts";

type Class = Omit<RuntimeClass, "metadata">;

/** Errors of a RuntimeClass beyond its metadata. */
export function validateRuntimeClass(object: Class): ErrorList {
  const handler = object.handler ?? "";
  const errors = nameIsDNSLabel(handler, false).map((m) => invalid("handler", handler, m));
  const { nodeSelector, tolerations = [] } = object.scheduling ?? {};
  const at = Path.root("scheduling");
  errors.push(...validateLabels(nodeSelector, at.child("nodeSelector")));
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

/** Scale. Upstream: pkg/apis/autoscaling/validation/validation.go, ValidateScale. */
import { type ErrorList, invalid } from "../../../apimachinery/validation/field.ts";
import type { Scale } from "./types.ts";

/** Errors of a Scale beyond its metadata. */
export function validateScale(scale: Pick<Scale, "spec">): ErrorList {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas >= 0) return [];
  return [invalid("spec.replicas", replicas, "must be greater than or equal to 0")];
}

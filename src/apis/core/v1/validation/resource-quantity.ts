/** Quantities of quotas, nodes and volumes. Upstream: pkg/apis/core/validation/validation.go. */
import { quantityMilliValue, quantityValue } from "../../../../apimachinery/quantity.ts";
import { type ErrorList, invalid, type Path } from "../../../../apimachinery/validation/field.ts";
import { quantityFrom } from "../../../validation/common.ts";

/** Amounts by the name of the resource, as decoded. */
export type ResourceList = Readonly<Record<string, string>>;

/** Whether a quantity has a part below one; for bytes and counts. */
export function isFractional(text: string): boolean {
  return quantityMilliValue(quantityFrom(text)) % 1000n !== 0n;
}

/** Upstream: validateBasicResource. */
export function validateBasicResource(text: string, at: Path): ErrorList {
  const value = quantityValue(quantityFrom(text));
  return value < 0n ? [invalid(at, value, "must be a valid resource quantity")] : [];
}

/** When images are pulled. Upstream: validatePullPolicy. */
import {
  type ErrorList,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];

/** imagePullPolicy of containers, pullPolicy of image volumes. */
export function validatePullPolicy(policy: string, at: Path): ErrorList {
  if (policy === "") return [required(at)];
  return PULL_POLICIES.includes(policy) ? [] : [notSupported(at, policy, PULL_POLICIES)];
}

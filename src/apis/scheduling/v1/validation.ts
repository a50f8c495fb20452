/** Upstream: pkg/apis/scheduling/validation/validation.go and helpers.go. */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../../../apimachinery/validation/field.ts";
import type { PriorityClass } from "./types.ts";

type Class = Omit<PriorityClass, "metadata"> & KubeObject;

const HIGHEST_USER_DEFINABLE_PRIORITY = 1_000_000_000;
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

/** Errors of a PriorityClass beyond its metadata. */
export function validatePriorityClass(priorityClass: Class): ErrorList {
  const errors: ErrorList = [];
  const name = priorityClass.metadata?.name ?? "";
  const value = priorityClass.value ?? 0;
  if (name.startsWith("system-")) {
    const problem = systemClassProblem(name, value, priorityClass.globalDefault ?? false);
    if (problem !== undefined) {
      const lead = `priority class names with 'system-' prefix are reserved for system use only. error: `;
      errors.push(forbidden("metadata.name", `${lead}${problem}`));
    }
  } else if (value > HIGHEST_USER_DEFINABLE_PRIORITY) {
    const detail = `maximum allowed value of a user defined priority is ${HIGHEST_USER_DEFINABLE_PRIORITY}`;
    errors.push(forbidden("value", detail));
  }
  return [...errors, ...validatePreemptionPolicy(priorityClass.preemptionPolicy)];
}

function systemClassProblem(
  name: string,
  value: number,
  globalDefault: boolean,
): string | undefined {
  const known = SYSTEM_PRIORITIES[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known !== value) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validatePreemptionPolicy(policy: string | undefined): ErrorList {
  if (policy === undefined) return [];
  if (policy === "") return [required("preemptionPolicy")];
  const supported = ["PreemptLowerPriority", "Never"];
  return supported.includes(policy) ? [] : [notSupported("preemptionPolicy", policy, supported)];
}

/** What an update may not change. */
export function validatePriorityClassUpdate(priorityClass: Class, old: Class): ErrorList {
  const errors: ErrorList = [];
  if ((priorityClass.value ?? 0) !== (old.value ?? 0)) {
    errors.push(forbidden("value", "may not be changed in an update."));
  }
  if (priorityClass.preemptionPolicy !== old.preemptionPolicy) {
    const value = priorityClass.preemptionPolicy;
    errors.push(invalid("preemptionPolicy", value, "field is immutable"));
  }
  return errors;
}

/** Conditions of a definition. Upstream: apiextensions-apiserver/pkg/apihelpers/helpers.go. */

import type { Definition } from "../../apiextensions/definition.ts";
import { aggregate } from "../../apimachinery/api/errors.ts";
import { Path } from "../../apimachinery/validation/field.ts";
import { structuralProblem } from "../../apis/apiextensions/schema.ts";
import { validateStructural } from "../../apis/apiextensions/structural.ts";
import type * as v1 from "../../apis/apiextensions/v1/types.ts";

export type Condition = v1.CustomResourceDefinitionCondition;

export function conditionOf({ status }: Definition, type: string): Condition | undefined {
  return (status?.conditions ?? []).find((one) => one.type === type);
}

/** Sets or adds; the time of the transition stays while the status does. */
export function setCondition(definition: Definition, condition: Condition, now: string): void {
  const before = conditionOf(definition, condition.type ?? "");
  const isSame = before?.status === condition.status && before?.lastTransitionTime !== undefined;
  const timed = { ...condition, lastTransitionTime: isSame ? before.lastTransitionTime : now };
  const conditions = definition.status?.conditions ?? [];
  definition.status = {
    ...definition.status,
    conditions:
      before === undefined
        ? [...conditions, timed]
        : conditions.map((one) => (one === before ? timed : one)),
  };
}

export function removeCondition(definition: Definition, type: string): void {
  const conditions = (definition.status?.conditions ?? []).filter((one) => one.type !== type);
  definition.status = { ...definition.status, conditions };
}

/** Whether both say the same, whenever they began to. */
export function isEquivalent(a: Condition | undefined, b: Condition | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.status === b.status && a.reason === b.reason && a.message === b.message;
}

/** Undefined: every schema is structural. Upstream: controller/nonstructuralschema. */
export function nonStructural({ spec }: Definition): Condition | undefined {
  const problems: string[] = [];
  const root = Path.root("spec");
  if (spec?.preserveUnknownFields === true) {
    problems.push("spec.preserveUnknownFields: Invalid value: true: must be false");
  }
  for (const [i, { schema }] of (spec?.versions ?? []).entries()) {
    const own = schema?.openAPIV3Schema;
    if (own === undefined) continue;
    const problem = structuralProblem(own);
    if (problem !== undefined) return violations([problem]);
    const at = root.child("versions").index(i).child("schema", "openAPIV3Schema");
    const errors = validateStructural(own, at);
    if (errors.length > 0) problems.push(aggregate(errors));
  }
  return problems.length === 0 ? undefined : violations(problems);
}

function violations(problems: readonly string[]): Condition {
  const message = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
  return { type: "NonStructuralSchema", status: "True", reason: "Violations", message };
}

const PROTECTED = /(^|\.)(k8s\.io|kubernetes\.io)$/;
const APPROVAL = "api-approved.kubernetes.io";

/** Undefined: the group is nobody's to protect. Upstream: controller/apiapproval. */
export function approvalOf({ spec, metadata }: Definition): Condition | undefined {
  if (!PROTECTED.test(spec?.group ?? "")) return undefined;
  const type = "KubernetesAPIApprovalPolicyConformant";
  const value = metadata?.annotations?.[APPROVAL] ?? "";
  if (value === "") {
    const message = `protected groups must have approval annotation ${JSON.stringify(APPROVAL)}, see https://github.com/kubernetes/enhancements/pull/1111`;
    return { type, status: "False", reason: "MissingAnnotation", message };
  }
  if (value.startsWith("unapproved")) {
    const message = `not approved: ${JSON.stringify(value)}`;
    return { type, status: "False", reason: "UnapprovedAPI", message };
  }
  if (URL.canParse(value)) {
    const message = `approved in ${value}`;
    return { type, status: "True", reason: "ApprovedAnnotation", message };
  }
  const message = `protected groups must have approval annotation ${JSON.stringify(APPROVAL)} with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`;
  return { type, status: "False", reason: "InvalidAnnotation", message };
}

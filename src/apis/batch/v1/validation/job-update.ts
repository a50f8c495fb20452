/** Updates of Jobs. Upstream: ValidateJobUpdate, ValidateJobSpecUpdate. */
import { type ErrorList, invalid, Path } from "../../../../apimachinery/validation/field.ts";
import { validateImmutableField } from "../../../../apimachinery/validation/object-meta.ts";
import type { PodSpec, PodTemplateSpec } from "../../../core/v1/types.ts";
import { structOf } from "../../../schemas.ts";
import { goStruct, validateImmutableSelector } from "../../../validation/common.ts";
import type { Job, JobSpec } from "../types.ts";
import { type JobOptions, validateJobSpec } from "./job.ts";
import { isConditionTrue } from "./job-status.ts";

const SPEC = Path.root("spec");
const POD_TEMPLATE = "k8s.io/api/core/v1.PodTemplateSpec";

export interface JobUpdateOptions extends JobOptions {
  /** A Job that has no pods may change where they will run. */
  readonly mutableSchedulingDirectives: boolean;
  /** It may change what they will need, too. */
  readonly mutablePodResources: boolean;
}

/** Whether the stored Job is suspended, and has no pods that an earlier template made. */
export function isAtRest({ spec, status }: Job): boolean {
  if (!spec?.suspend) return false;
  if (status?.startTime === undefined) return true;
  return isConditionTrue(status, "Suspended") && (status.active ?? 0) === 0;
}

/** What may change of a Job's spec, with the rules of a new spec. */
export function validateJobUpdate(job: Job, old: Job, options: JobUpdateOptions): ErrorList {
  const spec = job.spec ?? {};
  const before = old.spec ?? {};
  const errors = [
    ...validateJobSpec(spec, SPEC, options),
    ...validateCompletions(spec, before),
    ...validateImmutableSelector(spec.selector, before.selector, SPEC.child("selector")),
    ...validateTemplateUpdate(spec.template ?? {}, before.template ?? {}, options),
  ];
  for (const name of ["completionMode", "podFailurePolicy", "backoffLimitPerIndex"] as const) {
    errors.push(...validateImmutable(spec, before, name));
  }
  return [
    ...errors,
    ...validateImmutable(spec, before, "managedBy"),
    ...validateImmutable(spec, before, "successPolicy"),
  ];
}

const STRUCTS: Partial<Record<keyof JobSpec, string>> = {
  podFailurePolicy: "k8s.io/api/batch/v1.PodFailurePolicy",
  successPolicy: "k8s.io/api/batch/v1.SuccessPolicy",
};

function validateImmutable(spec: JobSpec, old: JobSpec, name: keyof JobSpec): ErrorList {
  const struct = STRUCTS[name];
  const value = spec[name];
  const print = () => (struct === undefined ? value : goStruct(value, struct));
  return validateImmutableField(value, old[name], SPEC.child(name), print);
}

/** An Indexed Job may be scaled: both numbers at once. */
function validateCompletions(spec: JobSpec, old: JobSpec): ErrorList {
  const { completions, parallelism, completionMode } = spec;
  const at = SPEC.child("completions");
  if (completionMode !== "Indexed") {
    return validateImmutableField(completions, old.completions, at);
  }
  if (completions === old.completions || completions === undefined) return [];
  if (completions === parallelism) return [];
  return [invalid(at, completions, "can only be modified in tandem with spec.parallelism")];
}

function validateTemplateUpdate(
  template: PodTemplateSpec,
  old: PodTemplateSpec,
  options: JobUpdateOptions,
): ErrorList {
  let before = old;
  if (options.mutableSchedulingDirectives) before = withDirectivesOf(template, before);
  if (options.mutablePodResources) before = withResourcesOf(template, before);
  const print = () => goStruct(template, POD_TEMPLATE);
  const type = structOf(POD_TEMPLATE);
  return validateImmutableField(template, before, SPEC.child("template"), print, type);
}

function withDirectivesOf(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates } = template.spec ?? {};
  const affinity = freeAffinity(template.spec ?? {}, old.spec ?? {});
  const { labels, annotations } = template.metadata ?? {};
  return {
    ...old,
    metadata: { ...old.metadata, labels, annotations },
    spec: { ...old.spec, nodeSelector, tolerations, schedulingGates, affinity },
  };
}

/** The old affinity, with the new one's node affinity. */
function freeAffinity({ affinity }: PodSpec, { affinity: old }: PodSpec): PodSpec["affinity"] {
  if (affinity === undefined && old === undefined) return undefined;
  const merged = { ...old, nodeAffinity: affinity?.nodeAffinity };
  if (affinity !== undefined) return merged;
  const isEmpty = merged.podAffinity === undefined && merged.podAntiAffinity === undefined;
  return isEmpty ? undefined : merged;
}

function withResourcesOf(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const spec: PodSpec = { ...old.spec };
  for (const name of ["containers", "initContainers"] as const) {
    const containers = template.spec?.[name] ?? [];
    const before = spec[name];
    if (before === undefined || before.length !== containers.length) continue;
    spec[name] = before.map((container, i) => {
      const other = containers[i];
      if (other?.name !== container.name) return container;
      return { ...container, resources: other?.resources };
    });
  }
  return { ...old, spec };
}

/** Whether a stored Job has labels that only newer servers give. */
export function hasPrefixedLabels(job: Job): boolean {
  const labels = job.spec?.template?.metadata?.labels ?? {};
  return "batch.kubernetes.io/job-name" in labels && "batch.kubernetes.io/controller-uid" in labels;
}

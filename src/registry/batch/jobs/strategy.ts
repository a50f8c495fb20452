/** Upstream: pkg/registry/batch/job/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsJob } from "../../../apis/batch/v1/defaults.ts";
import type { Job } from "../../../apis/batch/v1/types.ts";
import {
  CONTROLLER_UID,
  hasInvalidSelectorValue,
  JOB_NAME,
  LEGACY_CONTROLLER_UID,
  LEGACY_JOB_NAME,
  validateJob,
} from "../../../apis/batch/v1/validation/job.ts";
import { validateJobStatusUpdate } from "../../../apis/batch/v1/validation/job-status.ts";
import {
  hasPrefixedLabels,
  isAtRest,
  type JobUpdateOptions,
  validateJobUpdate,
} from "../../../apis/batch/v1/validation/job-update.ts";
import { jobSpecWarnings } from "../../../apis/batch/v1/warnings.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { nameWarnings } from "../../../apis/core/v1/warnings/pod.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, statusStrategy } from "../../strategy-parts.ts";
import { prepareChanged, prepareNew, templateOptions } from "../../workload-parts.ts";

const JOB_SPEC = "k8s.io/api/batch/v1.JobSpec";
const SPEC = Path.root("spec");

type JobObject = Kube<Job>;

export const registration: ResourceRegistration<JobObject> = {
  group: "batch",
  resource: "jobs",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    defaultGarbageCollection: "Orphan",
    resetFields: ["status"],
    prepareForCreate(context, job) {
      generateSelector(job);
      labelLikeItsPods(job);
      prepareNew(context, job);
    },
    validate: (context, job) =>
      validateJob(job, { ...podValidationOptions(context), requirePrefixedLabels: true }),
    warningsOnCreate: (_context, job) => [
      ...nameWarnings(job.metadata?.name, "Pod names and hostnames"),
      ...jobSpecWarnings(job.spec ?? {}, SPEC),
    ],
    prepareForUpdate: (context, job, old) => prepareChanged(context, job, old, JOB_SPEC),
    updateMetadataRules: ["create", "update"],
    validateUpdate(context, job, old) {
      const options = updateOptions(context, old);
      // Upstream validates as on create, then as on update; both sets of causes are listed.
      return [...validateJob(job, options), ...validateJobUpdate(job, old, options)];
    },
    warningsOnUpdate: (_context, job, old) =>
      job.metadata?.generation === old.metadata?.generation
        ? []
        : jobSpecWarnings(job.spec ?? {}, SPEC),
    subresources: { status: statusStrategy(validateJobStatusUpdate) },
  },
  defaults: { v1: setDefaultsJob },
};

function updateOptions(context: StrategyContext, old: JobObject): JobUpdateOptions {
  const options = templateOptions(context, old.spec?.template);
  const atRest = isAtRest(old);
  return {
    ...options,
    allowInvalidLabelValueInSelector:
      options.allowInvalidLabelValueInSelector || hasInvalidSelectorValue(old.spec?.selector),
    requirePrefixedLabels: hasPrefixedLabels(old),
    mutableSchedulingDirectives: atRest,
    mutablePodResources: atRest && context.gate("MutablePodResourcesForSuspendedJobs"),
  };
}

/** Labels and a selector that only the pods of this job have, unless the client chose its own. */
function generateSelector(job: JobObject): void {
  job.spec ??= {};
  const { spec } = job;
  if (spec.manualSelector) return;
  const { name = "", uid = "" } = metadataOf(job);
  spec.template ??= {};
  spec.template.metadata ??= {};
  spec.template.metadata.labels = {
    [LEGACY_JOB_NAME]: name,
    [JOB_NAME]: name,
    [LEGACY_CONTROLLER_UID]: uid,
    [CONTROLLER_UID]: uid,
    ...spec.template.metadata.labels,
  };
  spec.selector ??= {};
  spec.selector.matchLabels = { [CONTROLLER_UID]: uid, ...spec.selector.matchLabels };
}

/** The default of labels, once more: upstream decodes what it has stored, with the labels made since. */
function labelLikeItsPods(job: JobObject): void {
  const metadata = metadataOf(job);
  const labels = job.spec?.template?.metadata?.labels;
  if (labels === undefined || Object.keys(metadata.labels ?? {}).length > 0) return;
  metadata.labels = { ...labels };
}

/** Defaults of batch/v1. Upstream: pkg/apis/batch/v1/defaults.go. */
import { setDefaultsPodTemplateSpec } from "../../core/v1/defaults/pod-spec.ts";
import type { CronJob, Job, JobSpec } from "./types.ts";

const BACKOFF_LIMIT = 6;
const MAX_INT32 = 2147483647;

/** A Job, in place. */
export function setDefaultsJob(job: Job): void {
  job.spec ??= {};
  const { spec } = job;
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : MAX_INT32;
  const templateLabels = spec.template?.metadata?.labels;
  job.metadata ??= {};
  if (templateLabels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) {
    job.metadata.labels = { ...templateLabels };
  }
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??=
    spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  setDefaultsJobSpec(spec);
}

/** What specs of jobs get wherever they are, also in the templates of CronJobs. */
function setDefaultsJobSpec(spec: JobSpec): void {
  for (const { onPodConditions } of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of onPodConditions ?? []) pattern.status ||= "True";
  }
  spec.template ??= {};
  setDefaultsPodTemplateSpec(spec.template);
}

/** A CronJob, in place. */
export function setDefaultsCronJob(job: CronJob): void {
  job.spec ??= {};
  const { spec } = job;
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.spec ??= {};
  setDefaultsJobSpec(spec.jobTemplate.spec);
}

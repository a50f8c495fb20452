/** Upstream: pkg/registry/batch/cronjob/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsCronJob } from "../../../apis/batch/v1/defaults.ts";
import type { CronJob } from "../../../apis/batch/v1/types.ts";
import {
  validateCronJob,
  validateCronJobUpdate,
} from "../../../apis/batch/v1/validation/cronjob.ts";
import { jobSpecWarnings } from "../../../apis/batch/v1/warnings.ts";
import { dropDisabledPodFields } from "../../../apis/core/v1/pod-features.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { nameWarnings } from "../../../apis/core/v1/warnings/pod.ts";
import { structOf } from "../../../apis/schemas.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, startGeneration, statusStrategy } from "../../strategy-parts.ts";
import { templateOptions } from "../../workload-parts.ts";

const SPEC = "k8s.io/api/batch/v1.CronJobSpec";
const DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/";
const TEMPLATE_SPEC = Path.root("spec", "jobTemplate", "spec");

type CronJobObject = Kube<CronJob>;

const templateOf = ({ spec }: CronJobObject) => spec?.jobTemplate?.spec?.template;

export const registration: ResourceRegistration<CronJobObject> = {
  group: "batch",
  resource: "cronjobs",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    resetFields: ["status"],
    prepareForCreate({ gate }, job) {
      delete job.status;
      startGeneration(job);
      dropDisabledPodFields(gate, templateOf(job)?.spec, undefined);
    },
    validate: (context, job) => validateCronJob(job, podValidationOptions(context)),
    warningsOnCreate: (_context, job) => [
      ...nameWarnings(job.metadata?.name, "Pod names and hostnames"),
      ...templateWarnings(job),
    ],
    prepareForUpdate({ gate }, job, old) {
      keepFields(job, old, "status");
      dropDisabledPodFields(gate, templateOf(job)?.spec, templateOf(old)?.spec);
      if (semanticDeepEqual(job.spec, old.spec, structOf(SPEC))) return;
      metadataOf(job).generation = Number(old.metadata?.generation ?? 0) + 1;
    },
    validateUpdate: (context, job, old) =>
      validateCronJobUpdate(job, old, templateOptions(context, templateOf(old))),
    warningsOnUpdate(_context, job, old) {
      const changed = job.metadata?.generation !== old.metadata?.generation;
      const found = changed ? templateWarnings(job) : [];
      if (job.spec?.schedule?.includes("TZ")) {
        const use = `use timeZone instead, see ${DOCS} for more details`;
        // The path is upstream's, error and all.
        found.push(`cannot use TZ or CRON_TZ in spec.spec.schedule, ${use}`);
      }
      return found;
    },
    subresources: { status: { ...statusStrategy(), updateMetadataRules: [] } },
  },
  defaults: { v1: setDefaultsCronJob },
};

function templateWarnings(job: CronJobObject): string[] {
  return jobSpecWarnings(job.spec?.jobTemplate?.spec ?? {}, TEMPLATE_SPEC);
}

/** CronJobs. Upstream: ValidateCronJobCreate, ValidateCronJobUpdate. */
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { byteLength } from "../../../../apimachinery/validation/names.ts";
import { validateNonnegative } from "../../../../apimachinery/validation/object-meta.ts";
import type { PodValidationOptions } from "../../../core/v1/validation/options.ts";
import type { CronJob, CronJobSpec } from "../types.ts";
import { CronError, checkSchedule, isKnownZone } from "./cron.ts";
import { validateJobTemplateSpec } from "./job.ts";

const METADATA = Path.root("metadata");
const SPEC = Path.root("spec");
const POLICIES = ["Allow", "Forbid", "Replace"];
/** Jobs get a suffix of 11 characters, and their name must be a label. */
const NAME_MAX = 52;
const ZONE_PART = /^[A-Za-z.\-_0-9+]{1,14}$/;

/** A new CronJob, beyond the generic rules of metadata. */
export function validateCronJob(job: CronJob, options: PodValidationOptions): ErrorList {
  const errors = validateCronJobSpec(job.spec ?? {}, undefined, options);
  const name = job.metadata?.name ?? "";
  if (byteLength(name) <= NAME_MAX) return errors;
  const detail = `must be no more than ${NAME_MAX} characters`;
  return [...errors, invalid(METADATA.child("name"), name, detail)];
}

/** An updated CronJob. */
export function validateCronJobUpdate(
  job: CronJob,
  old: CronJob,
  options: PodValidationOptions,
): ErrorList {
  return validateCronJobSpec(job.spec ?? {}, old.spec ?? {}, options);
}

function validateCronJobSpec(
  spec: CronJobSpec,
  old: CronJobSpec | undefined,
  options: PodValidationOptions,
): ErrorList {
  const { schedule = "", timeZone, concurrencyPolicy: policy = "" } = spec;
  const path = SPEC.child("concurrencyPolicy");
  const isZoneNew = old === undefined || old.timeZone !== timeZone;
  const errors = schedule === "" ? [required(SPEC.child("schedule"))] : validateSchedule(spec, old);
  errors.push(
    ...validateNonnegative(spec.startingDeadlineSeconds, SPEC.child("startingDeadlineSeconds")),
  );
  if (isZoneNew) errors.push(...validateTimeZone(timeZone, SPEC.child("timeZone")));
  if (policy === "") errors.push(required(path));
  else if (!POLICIES.includes(policy)) errors.push(notSupported(path, policy, POLICIES));
  errors.push(
    ...validateJobTemplateSpec(spec.jobTemplate ?? {}, SPEC.child("jobTemplate"), options),
  );
  for (const name of ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) {
    errors.push(...validateNonnegative(spec[name], SPEC.child(name)));
  }
  return errors;
}

function validateSchedule(spec: CronJobSpec, old: CronJobSpec | undefined): ErrorList {
  const { schedule = "", timeZone } = spec;
  const at = SPEC.child("schedule");
  const errors: ErrorList = [];
  try {
    checkSchedule(schedule);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    errors.push(invalid(at, schedule, error.message));
  }
  if (!schedule.includes("TZ")) return errors;
  if (old?.schedule?.includes("TZ")) {
    if (timeZone === undefined) return errors;
    const detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
    return [...errors, invalid(at, schedule, detail)];
  }
  const detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
  return [...errors, invalid(at, schedule, detail)];
}

function validateTimeZone(zone: string | undefined, at: Path): ErrorList {
  if (zone === undefined) return [];
  if (zone === "") return [invalid(at, zone, "timeZone must be nil or non-empty string")];
  const errors: ErrorList = [];
  for (const part of zone.split("/")) {
    const isDots = part === "." || part === "..";
    if (isDots || part.startsWith("-") || !ZONE_PART.test(part)) {
      return [invalid(at, zone, `unknown time zone ${zone}`)];
    }
  }
  if (zone.toLowerCase() === "local") {
    const url = "https://www.iana.org/time-zones";
    errors.push(invalid(at, zone, `timeZone must be an explicit time zone as defined in ${url}`));
  }
  if (!isKnownZone(zone)) errors.push(invalid(at, zone, `unknown time zone ${zone}`));
  return errors;
}

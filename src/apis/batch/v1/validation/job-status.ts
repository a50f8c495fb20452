/**
 * The status of a Job. Most rules apply only to what changes, so that a status that breaks one can
 * still be updated elsewhere. Upstream: ValidateJobUpdateStatus, getStatusValidationOptions.
 */
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  invalid,
  OMITTED,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateNonnegatives } from "../../../validation/common.ts";
import type { Job, JobSpec, JobStatus } from "../types.ts";
import { countIndexes, IndexesError, overlappingIndex } from "./indexes.ts";

const AT = Path.root("status");
const CONDITIONS = AT.child("conditions");
const COMPLETION_TIME = AT.child("completionTime");

export function isConditionTrue(status: JobStatus | undefined, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === "True");
}

const isFinished = (status: JobStatus) =>
  isConditionTrue(status, "Complete") || isConditionTrue(status, "Failed");

/** The new status beside the stored one. */
interface Transition {
  readonly spec: JobSpec;
  readonly now: JobStatus;
  readonly old: JobStatus;
  /** Whether any of these fields differs. */
  readonly changed: (...names: (keyof JobStatus)[]) => boolean;
  /** Whether any of these conditions became true, or ceased to be. */
  readonly flipped: (...types: string[]) => boolean;
  readonly is: (type: string) => boolean;
  readonly finished: boolean;
  readonly finishedFlipped: boolean;
}

function transition(job: Job, before: Job): Transition {
  const now = job.status ?? {};
  const old = before.status ?? {};
  return {
    spec: job.spec ?? {},
    now,
    old,
    changed: (...names) => names.some((name) => !semanticDeepEqual(now[name], old[name])),
    flipped: (...types) =>
      types.some((type) => isConditionTrue(now, type) !== isConditionTrue(old, type)),
    is: (type) => isConditionTrue(now, type),
    finished: isFinished(now),
    finishedFlipped: isFinished(now) !== isFinished(old),
  };
}

/** The status of a Job, through its own endpoint. */
export function validateJobStatusUpdate(job: Job, old: Job): ErrorList {
  const step = transition(job, old);
  const counters = ["active", "succeeded", "failed", "ready", "terminating"];
  return [
    ...validateNonnegatives(step.now, counters, AT),
    ...validateUncounted(step.now),
    ...validateCompletion(step),
    ...validateFinished(step),
    ...validateIndexes(step),
    ...validatePods(step),
    ...validateSuccessCriteria(step),
    ...validateChanges(step),
  ];
}

function badConditions(detail: string): ErrorList {
  return [{ type: "Invalid", field: String(CONDITIONS), value: OMITTED, detail }];
}

function validateUncounted(status: JobStatus): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const list of ["succeeded", "failed"] as const) {
    const at = AT.child("uncountedTerminatedPods").child(list);
    for (const [i, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      if (uid === "") errors.push(invalid(at.index(i), uid, "must not be empty"));
      else if (seen.has(uid)) errors.push(duplicate(at.index(i), uid));
      seen.add(uid);
    }
  }
  return errors;
}

function validateCompletion({ now, is, flipped, changed }: Transition): ErrorList {
  const errors: ErrorList = [];
  const { completionTime: completed, startTime: started } = now;
  const complete = is("Complete");
  if (flipped("Complete", "Failed") && complete && is("Failed")) {
    errors.push(...badConditions("cannot set Complete=True and Failed=true conditions"));
  }
  if (flipped("Complete", "FailureTarget") && complete && is("FailureTarget")) {
    errors.push(...badConditions("cannot set Complete=True and FailureTarget=true conditions"));
  }
  if (flipped("Complete") || changed("completionTime")) {
    if (completed !== undefined && !complete) {
      const detail = "cannot set completionTime when there is no Complete=True condition";
      errors.push(invalid(COMPLETION_TIME, completed, detail));
    }
    if (completed === undefined && complete) {
      errors.push(required(COMPLETION_TIME, "completionTime is required for Complete jobs"));
    }
  }
  if (changed("startTime", "completionTime") && started !== undefined && completed !== undefined) {
    if (Date.parse(completed) < Date.parse(started)) {
      const detail = "completionTime cannot be set before startTime";
      errors.push(invalid(COMPLETION_TIME, completed, detail));
    }
  }
  if (flipped("Failed") && is("Failed") && !is("FailureTarget")) {
    const detail = "cannot set Failed=True condition without the FailureTarget=true condition";
    errors.push(...badConditions(detail));
  }
  if (flipped("Complete") && complete && !is("SuccessCriteriaMet")) {
    const detail =
      "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
    errors.push(...badConditions(detail));
  }
  return errors;
}

function validateFinished({ now, finished, finishedFlipped, changed }: Transition): ErrorList {
  const errors: ErrorList = [];
  if (!finished) return errors;
  const { active = 0, startTime, uncountedTerminatedPods: uncounted } = now;
  if ((finishedFlipped || changed("active")) && active > 0) {
    errors.push(invalid(AT.child("active"), active, "active>0 is invalid for finished job"));
  }
  if ((finishedFlipped || changed("startTime")) && startTime === undefined) {
    errors.push(required(AT.child("startTime"), "startTime is required for finished job"));
  }
  const count = (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length;
  if ((finishedFlipped || changed("uncountedTerminatedPods")) && count > 0) {
    const detail = "uncountedTerminatedPods needs to be empty for finished job";
    const value = { Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null };
    errors.push(invalid(AT.child("uncountedTerminatedPods"), value, detail));
  }
  return errors;
}

function parseError(text: string, completions: number): string | undefined {
  try {
    countIndexes(text, completions);
    return undefined;
  } catch (error) {
    if (error instanceof IndexesError) return error.message;
    throw error;
  }
}

function validateIndexes({ spec, now, changed }: Transition): ErrorList {
  const errors: ErrorList = [];
  const { completedIndexes: completed = "", failedIndexes: failed } = now;
  const { completions, backoffLimitPerIndex: perIndex } = spec;
  const [completedPath, failedPath] = [AT.child("completedIndexes"), AT.child("failedIndexes")];
  const [newCompleted, newFailed] = [changed("completedIndexes"), changed("failedIndexes")];
  if (newCompleted && completions !== undefined) {
    const problem = parseError(completed, completions);
    if (problem !== undefined) {
      errors.push(invalid(completedPath, completed, `error parsing completedIndexes: ${problem}`));
    }
  }
  if (newFailed && completions !== undefined && perIndex !== undefined && failed !== undefined) {
    const problem = parseError(failed, completions);
    if (problem !== undefined) {
      errors.push(invalid(failedPath, failed, `error parsing failedIndexes: ${problem}`));
    }
  }
  if (newCompleted && completed !== "" && spec.completionMode !== "Indexed") {
    const detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
    errors.push(invalid(completedPath, completed, detail));
  }
  if (newFailed && perIndex === undefined && failed !== undefined) {
    const detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    errors.push(invalid(failedPath, failed, detail));
  }
  if ((newFailed || newCompleted) && completions !== undefined && failed !== undefined) {
    const index = overlappingIndex(completed, failed, completions);
    if (index !== undefined) {
      const detail = `failedIndexes and completedIndexes overlap at index: ${index}`;
      errors.push(invalid(failedPath, failed, detail));
    }
  }
  return errors;
}

function validatePods({ now, finished, finishedFlipped, changed }: Transition): ErrorList {
  const errors: ErrorList = [];
  const { terminating = 0, ready = 0, active = 0 } = now;
  if ((finishedFlipped || changed("terminating")) && finished && terminating > 0) {
    const detail = "terminating>0 is invalid for finished job";
    errors.push(invalid(AT.child("terminating"), terminating, detail));
  }
  if (changed("ready", "active") && ready > active) {
    errors.push(invalid(AT.child("ready"), ready, "cannot set more ready pods than active"));
  }
  return errors;
}

function validateSuccessCriteria({ spec, is }: Transition): ErrorList {
  if (is("SuccessCriteriaMet")) {
    const clashes = ["Failed", "FailureTarget"].filter(is);
    return clashes.flatMap((type) =>
      badConditions(`cannot set SuccessCriteriaMet=True and ${type}=true conditions`),
    );
  }
  if (spec.successPolicy === undefined || !is("Complete")) return [];
  const what = "cannot set Complete=True for Job with SuccessPolicy";
  return badConditions(`${what} unless SuccessCriteriaMet=True`);
}

function validateChanges(step: Transition): ErrorList {
  const { spec, now, old, is, changed } = step;
  const was = (type: string) => isConditionTrue(old, type);
  const errors: ErrorList = [];
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (!was(type) || is(type)) continue;
    errors.push(...badConditions(`cannot disable the terminal ${type}=True condition`));
  }
  errors.push(...validateCounters(step));
  const { completionTime } = now;
  const bothSet = completionTime !== undefined && old.completionTime !== undefined;
  if (bothSet && changed("completionTime")) {
    errors.push(invalid(COMPLETION_TIME, completionTime, "completionTime cannot be mutated"));
  }
  if (old.startTime !== undefined && changed("startTime") && !spec.suspend) {
    const detail = "startTime cannot be removed for unsuspended job";
    errors.push(required(AT.child("startTime"), detail));
  }
  if (was("SuccessCriteriaMet") && !is("SuccessCriteriaMet")) {
    errors.push(...badConditions("cannot disable the SuccessCriteriaMet=True condition"));
  }
  if (was("Complete") && !was("SuccessCriteriaMet") && is("SuccessCriteriaMet")) {
    const what = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
    errors.push(...badConditions(what));
  }
  return errors;
}

/** Counters of pods never go back, except where an Indexed Job may have been scaled down. */
function validateCounters({ spec, now, old }: Transition): ErrorList {
  const errors: ErrorList = [];
  if ((now.failed ?? 0) < (old.failed ?? 0)) {
    errors.push(invalid(AT.child("failed"), now.failed ?? 0, "cannot decrease the failed counter"));
  }
  const isScalable = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!isScalable && (now.succeeded ?? 0) < (old.succeeded ?? 0)) {
    const detail = "cannot decrease the succeeded counter";
    errors.push(invalid(AT.child("succeeded"), now.succeeded ?? 0, detail));
  }
  return errors;
}

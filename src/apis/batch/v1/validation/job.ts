/** Jobs. Upstream: ValidateJob, ValidateJobSpec. */
import { type LabelSelector, labelsMatch } from "../../../../apimachinery/labels/selector.ts";
import { validateDomainPrefixedPath } from "../../../../apimachinery/validation/domains.ts";
import {
  duplicate,
  type ErrorList,
  invalid,
  notSupported,
  OMITTED,
  Path,
  quote,
  required,
  tooLong,
  tooMany,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabelSelector } from "../../../../apimachinery/validation/labels.ts";
import {
  byteLength,
  isDNS1123Label,
  isValidLabelValue,
} from "../../../../apimachinery/validation/names.ts";
import { validateNonnegative } from "../../../../apimachinery/validation/object-meta.ts";
import { selectorOf } from "../../../apps/v1/validation/common.ts";
import type { PodValidationOptions } from "../../../core/v1/validation/options.ts";
import { validatePodTemplateSpec } from "../../../core/v1/validation/pod-template.ts";
import { goMap, goStruct, validateQualifiedName } from "../../../validation/common.ts";
import type {
  Job,
  JobSpec,
  JobTemplateSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from "../types.ts";
import { countIndexes, IndexesError } from "./indexes.ts";

const METADATA = Path.root("metadata");
const SPEC = Path.root("spec");

export const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";
export const JOB_NAME = "batch.kubernetes.io/job-name";
export const LEGACY_CONTROLLER_UID = "controller-uid";
export const LEGACY_JOB_NAME = "job-name";

const PARALLELISM_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
/** Above this many completions, failures per index are limited further. */
const COMPLETIONS_SOFT_LIMIT = 100_000;
const HIGH_COMPLETIONS_MAX = 10_000;
const MANAGED_BY_MAX = 63;
const RULES_MAX = 20;
const CONDITIONS_MAX = 20;
const EXIT_CODES_MAX = 255;
const SUCCESS_RULES_MAX = 20;
const INDEXES_TEXT_MAX = 64 * 1024;

export interface JobOptions extends PodValidationOptions {
  /** Labels with the domain are required beside the old ones: false for jobs of older servers. */
  readonly requirePrefixedLabels: boolean;
}

/** A new Job, beyond the generic rules of metadata. */
export function validateJob(job: Job, options: JobOptions): ErrorList {
  const spec = job.spec ?? {};
  const name = job.metadata?.name ?? "";
  const errors = [
    ...validateGeneratedSelector(job, options),
    ...validateJobSpec(spec, SPEC, options),
  ];
  const { completions = 0 } = spec;
  if (spec.completionMode === "Indexed" && completions > 0) {
    const last = `${name}-${completions - 1}`;
    if (isDNS1123Label(last).length > 0) {
      const detail = `will not able to create pod with invalid DNS label: ${last}`;
      errors.push(invalid(METADATA.child("name"), name, detail));
    }
  }
  return errors;
}

/** Without manualSelector, the labels and the selector are the server's own. */
function validateGeneratedSelector(job: Job, options: JobOptions): ErrorList {
  const { manualSelector, selector } = job.spec ?? {};
  if (manualSelector || selector === undefined) return [];
  const uid = job.metadata?.uid ?? "";
  const name = job.metadata?.name ?? "";
  const errors: ErrorList = uid === "" ? [required(METADATA.child("uid"))] : [];
  const expected: [string, string][] = [
    [LEGACY_CONTROLLER_UID, uid],
    [LEGACY_JOB_NAME, name],
  ];
  if (options.requirePrefixedLabels) expected.push([CONTROLLER_UID, uid], [JOB_NAME, name]);
  const labels = job.spec?.template?.metadata?.labels;
  for (const [key, value] of expected) {
    const at = SPEC.child("template", "metadata", "labels").key(key);
    const actual = labels?.[key];
    if (actual === undefined) errors.push(required(at, `must be '${value}'`));
    else if (actual !== value) errors.push(invalid(at, goMap(labels), `must be '${value}'`));
  }
  const parsed = selectorOf(selector);
  if (parsed !== undefined && !labelsMatch(parsed, Object.fromEntries(expected))) {
    errors.push(invalid(SPEC.child("selector"), selector, "`selector` not auto-generated"));
  }
  return errors;
}

/** The spec of a Job at `at`, with its selector. */
export function validateJobSpec(spec: JobSpec, at: Path, options: PodValidationOptions): ErrorList {
  const errors = validateJobSpecCommon(spec, at, options);
  if (spec.selector === undefined) errors.push(required(at.child("selector")));
  else errors.push(...validateLabelSelector(spec.selector, options, at.child("selector")));
  const selector: LabelSelector | undefined = selectorOf(spec.selector);
  const labels = spec.template?.metadata?.labels;
  if (selector === undefined || labelsMatch(selector, labels)) return errors;
  const detail = "`selector` does not match template `labels`";
  return [...errors, invalid(at.child("template", "metadata", "labels"), goMap(labels), detail)];
}

const COUNTERS = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

function validateJobSpecCommon(spec: JobSpec, at: Path, options: PodValidationOptions): ErrorList {
  const errors = COUNTERS.flatMap((name) => validateNonnegative(spec[name], at.child(name)));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(at.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  }
  if (spec.managedBy !== undefined) {
    const path = at.child("managedBy");
    errors.push(...validateDomainPrefixedPath(path, spec.managedBy));
    if (byteLength(spec.managedBy) > MANAGED_BY_MAX) errors.push(tooLong(path, MANAGED_BY_MAX));
  }
  return [
    ...errors,
    ...validateCompletionMode(spec, at),
    ...validatePodFailurePolicy(spec, at.child("podFailurePolicy")),
    ...validateSuccessPolicy(spec, at.child("successPolicy")),
    ...validateReplacementPolicy(spec, at.child("podReplacementPolicy")),
    ...validatePodTemplateSpec(spec.template ?? {}, at.child("template"), options),
    ...validateRestartPolicy(spec, at.child("template", "spec", "restartPolicy")),
  ];
}

function validateCompletionMode(spec: JobSpec, at: Path): ErrorList {
  const { completionMode: mode, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const errors: ErrorList = [];
  if (mode === "Indexed") return validateIndexed(spec, at);
  if (mode !== undefined && mode !== "NonIndexed") {
    errors.push(notSupported(at.child("completionMode"), mode, ["NonIndexed", "Indexed"]));
    return errors;
  }
  const detail = "requires indexed completion mode";
  if (backoffLimitPerIndex !== undefined) {
    errors.push(invalid(at.child("backoffLimitPerIndex"), backoffLimitPerIndex, detail));
  }
  if (maxFailedIndexes !== undefined) {
    errors.push(invalid(at.child("maxFailedIndexes"), maxFailedIndexes, detail));
  }
  return errors;
}

function validateIndexed(spec: JobSpec, at: Path): ErrorList {
  const { completions, parallelism, maxFailedIndexes: failed } = spec;
  const errors: ErrorList = [];
  const failedPath = at.child("maxFailedIndexes");
  const parallelPath = at.child("parallelism");
  const most = (limit: number) => `must be less than or equal to ${limit}`;
  if (completions === undefined) {
    errors.push(required(at.child("completions"), "when completion mode is Indexed"));
  }
  if (parallelism !== undefined && parallelism > PARALLELISM_MAX) {
    const detail = `${most(PARALLELISM_MAX)} when completion mode is Indexed`;
    errors.push(invalid(parallelPath, parallelism, detail));
  }
  if (completions !== undefined && failed !== undefined && failed > completions) {
    errors.push(invalid(failedPath, failed, "must be less than or equal to completions"));
  }
  if (failed !== undefined && failed > FAILED_INDEXES_MAX) {
    errors.push(invalid(failedPath, failed, most(FAILED_INDEXES_MAX)));
  }
  const isHigh = (completions ?? 0) > COMPLETIONS_SOFT_LIMIT;
  if (!isHigh || spec.backoffLimitPerIndex === undefined) return errors;
  const when = `when completions are above ${COMPLETIONS_SOFT_LIMIT} and used with backoff limit per index`;
  if (failed === undefined) {
    const detail = `must be specified when completions is above ${COMPLETIONS_SOFT_LIMIT}`;
    errors.push(required(failedPath, detail));
  }
  if (parallelism !== undefined && parallelism > HIGH_COMPLETIONS_MAX) {
    errors.push(invalid(parallelPath, parallelism, `${most(HIGH_COMPLETIONS_MAX)} ${when}`));
  }
  if (failed !== undefined && failed > HIGH_COMPLETIONS_MAX) {
    errors.push(invalid(failedPath, failed, `${most(HIGH_COMPLETIONS_MAX)} ${when}`));
  }
  return errors;
}

const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const STATUSES = ["False", "True", "Unknown"];
const OPERATORS = ["In", "NotIn"];

/** `valid values: ["A" "B"]`, as Go's %q prints a list. */
function validValues(values: readonly string[]): string {
  return `valid values: [${values.map(quote).join(" ")}]`;
}

/** Invalid without a value: upstream omits it. */
function invalidWithoutValue(at: Path, detail: string): ErrorList {
  return [{ type: "Invalid", field: String(at), value: OMITTED, detail }];
}

function oneOf(value: string, known: readonly string[], at: Path): ErrorList {
  if (value === "") return [required(at, validValues(known))];
  return known.includes(value) ? [] : [notSupported(at, value, known)];
}

function validatePodFailurePolicy(spec: JobSpec, at: Path): ErrorList {
  if (spec.podFailurePolicy === undefined) return [];
  const rules = spec.podFailurePolicy.rules ?? [];
  const path = at.child("rules");
  const errors: ErrorList = [];
  if (rules.length > RULES_MAX) errors.push(tooMany(path, rules.length, RULES_MAX));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name = "" }) => name));
  for (const [i, rule] of rules.entries()) {
    errors.push(...validateFailureRule(spec, rule, names, path.index(i)));
  }
  return errors;
}

function validateFailureRule(
  spec: JobSpec,
  rule: PodFailurePolicyRule,
  names: ReadonlySet<string>,
  at: Path,
): ErrorList {
  const { action = "", onExitCodes, onPodConditions: conditions = [] } = rule;
  const errors: ErrorList = [];
  if (action !== "FailIndex") errors.push(...oneOf(action, ACTIONS, at.child("action")));
  else if (spec.backoffLimitPerIndex === undefined) {
    const detail = "requires the backoffLimitPerIndex to be set";
    errors.push(invalid(at.child("action"), action, detail));
  }
  if (onExitCodes !== undefined) {
    errors.push(...validateExitCodes(onExitCodes, names, at.child("onExitCodes")));
  }
  const path = at.child("onPodConditions");
  if (conditions.length > CONDITIONS_MAX) {
    errors.push(tooMany(path, conditions.length, CONDITIONS_MAX));
  }
  for (const [i, { type = "", status = "" }] of conditions.entries()) {
    errors.push(...validateQualifiedName(type, path.index(i).child("type")));
    errors.push(...oneOf(status, STATUSES, path.index(i).child("status")));
  }
  const both = "OnExitCodes and OnPodConditions";
  if (onExitCodes !== undefined && conditions.length > 0) {
    errors.push(...invalidWithoutValue(at, `specifying both ${both} is not supported`));
  }
  if (onExitCodes === undefined && conditions.length === 0) {
    errors.push(...invalidWithoutValue(at, `specifying one of ${both} is required`));
  }
  return errors;
}

function validateExitCodes(
  requirement: PodFailurePolicyOnExitCodesRequirement,
  names: ReadonlySet<string>,
  at: Path,
): ErrorList {
  const { operator = "", containerName, values = [] } = requirement;
  const errors = oneOf(operator, OPERATORS, at.child("operator"));
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    errors.push(invalid(at.child("containerName"), containerName, detail));
  }
  const path = at.child("values");
  if (values.length === 0) {
    errors.push(invalid(path, requirement.values, "at least one value is required"));
  } else if (values.length > EXIT_CODES_MAX) {
    errors.push(tooMany(path, values.length, EXIT_CODES_MAX));
  }
  const seen = new Set<number>();
  for (const [i, value] of values.entries()) {
    if (operator === "In" && value === 0) {
      errors.push(invalid(path.index(i), value, "must not be 0 for the In operator"));
    }
    if (seen.has(value)) errors.push(duplicate(path.index(i), value));
    seen.add(value);
  }
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) {
    errors.push(invalid(path, values, "must be ordered"));
  }
  return errors;
}

function validateSuccessPolicy(spec: JobSpec, at: Path): ErrorList {
  if (spec.successPolicy === undefined) return [];
  if (spec.completionMode !== "Indexed") {
    const value = goStruct(spec.successPolicy, "k8s.io/api/batch/v1.SuccessPolicy");
    return [invalid(at, value, "requires indexed completion mode")];
  }
  const rules = spec.successPolicy.rules ?? [];
  const path = at.child("rules");
  const errors: ErrorList = [];
  if (rules.length === 0) {
    const detail = "at least one rules must be specified when the successPolicy is specified";
    errors.push(required(path, detail));
  }
  if (rules.length > SUCCESS_RULES_MAX) {
    errors.push(tooMany(path, rules.length, SUCCESS_RULES_MAX));
  }
  for (const [i, rule] of rules.entries()) {
    errors.push(...validateSuccessRule(spec.completions ?? 0, rule, path.index(i)));
  }
  return errors;
}

function validateSuccessRule(completions: number, rule: SuccessPolicyRule, at: Path): ErrorList {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  const errors: ErrorList = [];
  if (count === undefined && indexes === undefined) {
    const detail = "at least one of succeededCount or succeededIndexes must be specified";
    errors.push(required(at, detail));
  }
  let total = 0;
  const path = at.child("succeededIndexes");
  if (indexes !== undefined) {
    if (byteLength(indexes) > INDEXES_TEXT_MAX) errors.push(tooLong(path, INDEXES_TEXT_MAX));
    try {
      total = countIndexes(indexes, completions);
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error;
      errors.push(invalid(path, indexes, `error parsing succeededIndexes: ${error.message}`));
    }
  }
  if (count === undefined) return errors;
  const countPath = at.child("succeededCount");
  errors.push(...validateNonnegative(count, countPath));
  const lead = "must be less than or equal to";
  if (count > completions) {
    const detail = `${lead} ${completions} (the number of specified completions)`;
    errors.push(invalid(countPath, count, detail));
  }
  if (indexes !== undefined && count > total) {
    const what = "the number of indexes in the specified succeededIndexes field";
    errors.push(invalid(countPath, count, `${lead} ${total} (${what})`));
  }
  return errors;
}

function validateReplacementPolicy(spec: JobSpec, at: Path): ErrorList {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return [];
  const known =
    spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return known.includes(policy) ? [] : [notSupported(at, policy, known)];
}

function validateRestartPolicy(spec: JobSpec, at: Path): ErrorList {
  const policy = spec.template?.spec?.restartPolicy ?? "";
  if (policy === "Always" || policy === "") {
    return [required(at, 'valid values: "OnFailure", "Never"')];
  }
  if (policy !== "OnFailure" && policy !== "Never") {
    return [notSupported(at, policy, ["OnFailure", "Never"])];
  }
  if (spec.podFailurePolicy === undefined || policy === "Never") return [];
  return [invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}

/** The template of a CronJob: its selector will be generated. */
export function validateJobTemplateSpec(
  template: JobTemplateSpec,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const spec = template.spec ?? {};
  const path = at.child("spec");
  const errors = validateJobSpecCommon(spec, path, options);
  if (spec.selector !== undefined) {
    const detail = "`selector` will be auto-generated";
    errors.push(invalid(path.child("selector"), spec.selector, detail));
  }
  if (spec.manualSelector) {
    errors.push(notSupported(path.child("manualSelector"), true, ["nil", "false"]));
  }
  return errors;
}

/** Whether a stored selector has values that are no label values. */
export function hasInvalidSelectorValue(selector: JobSpec["selector"]): boolean {
  return (selector?.matchExpressions ?? []).some(({ values }) =>
    (values ?? []).some((value) => isValidLabelValue(value).length > 0),
  );
}

/** What clients are told about jobs. Upstream: pkg/api/job/warnings.go. */
import type { Path } from "../../../apimachinery/validation/field.ts";
import { podTemplateWarnings } from "../../core/v1/warnings/pod.ts";
import type { JobSpec } from "./types.ts";

const COMPLETIONS_SOFT_LIMIT = 100_000;
const PARALLELISM_SOFT_LIMIT = 10_000;

/** Warnings of a job's spec at `at`. */
export function jobSpecWarnings(spec: JobSpec, at: Path): string[] {
  const { completionMode, completions = 0, parallelism = 0, template } = spec;
  const found: string[] = [];
  const isHigh = completions > COMPLETIONS_SOFT_LIMIT && parallelism > PARALLELISM_SOFT_LIMIT;
  if (completionMode === "Indexed" && isHigh) {
    const scale = "completions higher than 10^5 and a parallelism higher than 10^4";
    const what = "might not be able to track completedIndexes when a big number of indexes fail";
    found.push(`${at}: In Indexed Jobs with a number of ${scale}, Kubernetes ${what}`);
  }
  return [...found, ...podTemplateWarnings(template, at.child("template"))];
}

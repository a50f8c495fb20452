/** ControllerRevisions. Upstream: ValidateControllerRevision. */
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  invalid,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  FIELD_IMMUTABLE_ERROR,
  validateNonnegative,
} from "../../../../apimachinery/validation/object-meta.ts";
import type { ControllerRevision } from "../types.ts";

const DATA = Path.root("data");

/** A new or updated revision, beyond the generic rules of metadata. */
export function validateControllerRevision(revision: ControllerRevision): ErrorList {
  const errors: ErrorList = [];
  const { data } = revision as { data?: unknown };
  if (data === undefined) errors.push(required(DATA, "data is mandatory"));
  else if (typeof data !== "object" || data === null || Array.isArray(data)) {
    errors.push(invalid(DATA, "<value omitted>", "data must be a valid JSON object"));
  }
  return [...errors, ...validateNonnegative(revision.revision, Path.root("revision"))];
}

/** The data of a revision never changes. */
export function validateControllerRevisionUpdate(
  revision: ControllerRevision,
  old: ControllerRevision,
): ErrorList {
  const errors = validateControllerRevision(revision);
  const now = (revision as { data?: unknown }).data;
  if (semanticDeepEqual(now, (old as { data?: unknown }).data)) return errors;
  return [...errors, invalid(DATA, now, FIELD_IMMUTABLE_ERROR)];
}

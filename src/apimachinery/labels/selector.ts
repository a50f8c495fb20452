/**
 * Label selectors: what they select. The grammar is in parse.ts.
 * Upstream: apimachinery/pkg/labels/selector.go, pkg/apis/meta/v1/helpers.go.
 */
import { aggregate } from "../api/errors.ts";
import { type ErrorList, invalid, Path, quote } from "../validation/field.ts";
import type { LabelSelectorObject } from "../validation/labels.ts";
import { isQualifiedName, isValidLabelValue } from "../validation/names.ts";

export type LabelOperator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
  /** How `In` and `NotIn` of one value were written; absent: `in (x)`. Decides only the text. */
  readonly written?: "=" | "==" | "!=";
}
/** All requirements hold. An empty list selects everything. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
  /** Selects nothing, whatever the labels (upstream's labels.Nothing). */
  readonly nothing?: boolean;
}

/** A selector that cannot be read; the message is meant for the client. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

export const EVERYTHING: LabelSelector = Object.freeze({ requirements: Object.freeze([]) });
export const NOTHING: LabelSelector = Object.freeze({
  requirements: Object.freeze([]),
  nothing: true,
});

type Labels = Readonly<Record<string, string>>;

const INT64 = /^[+-]?[0-9]+$/;
const INT64_MAX = 2n ** 63n - 1n;

/** strconv.ParseInt(text, 10, 64), or undefined. */
function parseInt64(text: string): bigint | undefined {
  if (!INT64.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value > INT64_MAX || value < -INT64_MAX - 1n ? undefined : value;
}

/** Whether one requirement holds. */
export function requirementMatches(requirement: LabelRequirement, labels: Labels): boolean {
  const { key, operator, values } = requirement;
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const left = value === undefined ? undefined : parseInt64(value);
      const right = values.length === 1 ? parseInt64(values[0] ?? "") : undefined;
      if (left === undefined || right === undefined) return false;
      return operator === "Gt" ? left > right : left < right;
    }
  }
}

/** Whether the selector selects an object with these labels. */
export function labelsMatch(selector: LabelSelector, labels: Labels | undefined): boolean {
  if (selector.nothing) return false;
  const own = labels ?? {};
  return selector.requirements.every((requirement) => requirementMatches(requirement, own));
}

/** Whether it selects everything. */
export function isEverything(selector: LabelSelector): boolean {
  return !selector.nothing && selector.requirements.length === 0;
}

/** Checks a requirement as upstream's NewRequirement does. Throws SelectorError. */
export function newRequirement(
  key: string,
  operator: LabelOperator,
  values: readonly string[],
  written?: "=" | "==" | "!=",
): LabelRequirement {
  const errors: ErrorList = [];
  const keyProblems = isQualifiedName(key);
  if (keyProblems.length > 0) errors.push(invalid(Path.root("key"), key, keyProblems.join("; ")));
  const at = Path.root("values");
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    errors.push(invalid(at, values, "for 'in', 'notin' operators, values set can't be empty"));
  } else if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
    errors.push(invalid(at, values, "values set must be empty for exists and does not exist"));
  } else if (operator === "Gt" || operator === "Lt") {
    const lead = "for 'Gt', 'Lt' operators,";
    if (values.length !== 1)
      errors.push(invalid(at, values, `${lead} exactly one value is required`));
    for (const [i, value] of values.entries()) {
      if (parseInt64(value) !== undefined) continue;
      errors.push(invalid(at.index(i), value, `${lead} the value must be an integer`));
    }
  }
  for (const [i, value] of values.entries()) {
    const problems = isValidLabelValue(value);
    if (problems.length === 0) continue;
    errors.push(invalid(at.index(i).key(key), value, problems.join("; ")));
  }
  if (errors.length > 0) throw new SelectorError(aggregate(errors));
  return { key, operator, values, ...(written === undefined ? {} : { written }) };
}

/** Requirements in the order upstream keeps them: by key. */
export function sortedByKey(requirements: readonly LabelRequirement[]): LabelRequirement[] {
  return [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/**
 * metav1.LabelSelectorAsSelector: an absent selector selects nothing, an empty one everything.
 * Throws SelectorError.
 */
export function labelSelectorAsSelector(selector: LabelSelectorObject | undefined): LabelSelector {
  if (selector === undefined) return NOTHING;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    newRequirement(key, "In", [value], "="),
  );
  for (const { key = "", operator = "", values = [] } of selector.matchExpressions ?? []) {
    if (!["In", "NotIn", "Exists", "DoesNotExist"].includes(operator)) {
      throw new SelectorError(`${quote(operator)} is not a valid label selector operator`);
    }
    requirements.push(newRequirement(key, operator as LabelOperator, values));
  }
  return { requirements: sortedByKey(requirements) };
}

/** Selects objects that have all of these labels; the set is not checked. */
export function selectorFromSet(labels: Labels | undefined): LabelSelector {
  const requirements = Object.entries(labels ?? {}).map(
    ([key, value]): LabelRequirement => ({ key, operator: "In", values: [value], written: "=" }),
  );
  return { requirements: sortedByKey(requirements) };
}

/** The text of a selector: `a=b,c in (d,e),!f`. */
export function labelSelectorString(selector: LabelSelector): string {
  return selector.requirements.map(requirementString).join(",");
}

function requirementString({ key, operator, values, written }: LabelRequirement): string {
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  const list = [...values].sort().join(",");
  if (written !== undefined) return `${key}${written}${list}`;
  if (operator === "Gt") return `${key}>${list}`;
  if (operator === "Lt") return `${key}<${list}`;
  return `${key} ${operator === "In" ? "in" : "notin"} (${list})`;
}

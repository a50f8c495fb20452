/** Tolerations of pods, and of RuntimeClasses. Upstream: ValidateTolerations. */

import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabelName } from "../../../../apimachinery/validation/labels.ts";
import { isValidLabelValue } from "../../../../apimachinery/validation/names.ts";
import type { Toleration } from "../types.ts";

/** The effects taints have; `NoExecute` evicts. */
export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** tolerations. `allowComparison`: the operators Lt and Gt, behind a gate. */
export function validateTolerations(
  tolerations: readonly Toleration[] | undefined,
  at: Path,
  allowComparison = false,
): ErrorList {
  return (tolerations ?? []).flatMap((one, i) =>
    validateToleration(one, at.index(i), allowComparison),
  );
}

function validateToleration(toleration: Toleration, at: Path, allowComparison: boolean): ErrorList {
  const { key = "", operator = "", effect = "", tolerationSeconds } = toleration;
  const errors: ErrorList = [];
  if (key !== "") errors.push(...validateLabelName(key, at.child("key")));
  if (key === "" && operator !== "Exists") {
    const detail =
      'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(at.child("operator"), operator, detail));
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(invalid(at.child("effect"), effect, detail));
  }
  errors.push(...validateOperator(toleration, at, allowComparison));
  if (effect !== "" && !TAINT_EFFECTS.includes(effect)) {
    errors.push(notSupported(at.child("effect"), effect, TAINT_EFFECTS));
  }
  return errors;
}

function validateOperator(
  { operator = "", value = "" }: Toleration,
  at: Path,
  allowComparison: boolean,
): ErrorList {
  const path = at.child("operator");
  switch (operator) {
    case "":
    case "Equal": {
      const problems = isValidLabelValue(value);
      return problems.length === 0 ? [] : [invalid(path, value, problems.join(";"))];
    }
    case "Exists":
      if (value === "") return [];
      return [invalid(path, value, "value must be empty when `operator` is 'Exists'")];
    case "Lt":
    case "Gt":
      if (allowComparison) return validateInteger(value, at.child("value"));
      return [notSupported(path, operator, ["Equal", "Exists", "Lt", "Gt"])];
    default:
      return [notSupported(path, operator, ["Equal", "Exists"])];
  }
}

function validateInteger(value: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(value)) {
    const detail =
      "must be a valid decimal integer in canonical form (e.g. '0', '1', '-1', regex used for validation is '^(0|-?[1-9][0-9]*)$')";
    errors.push(invalid(at, value, detail));
  }
  if (!/^[+-]?[0-9]+$/.test(value)) {
    errors.push(invalid(at, value, `strconv.ParseInt: parsing "${value}": invalid syntax`));
  } else if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
    errors.push(invalid(at, value, `strconv.ParseInt: parsing "${value}": value out of range`));
  }
  return errors;
}

/** An update may add tolerations, and change the seconds of those there are. */
export function validateOnlyAddedTolerations(
  now: readonly Toleration[] | undefined,
  old: readonly Toleration[] | undefined,
  at: Path,
  allowComparison: boolean,
): ErrorList {
  const bare = ({ tolerationSeconds: _seconds, ...rest }: Toleration) => rest;
  for (const before of old ?? []) {
    const kept = (now ?? []).some((one) => semanticDeepEqual(bare(one), bare(before)));
    if (kept) continue;
    const detail = "existing toleration can not be modified except its tolerationSeconds";
    return [forbidden(at, detail)];
  }
  return validateTolerations(now, at, allowComparison);
}

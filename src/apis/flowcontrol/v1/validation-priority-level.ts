/** PriorityLevelConfiguration. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import { mandatoryPriorityLevels } from "./mandatory.ts";
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "./types.ts";
import { validateConditionTypes } from "./validation.ts";

type Level = Omit<PriorityLevelConfiguration, "metadata"> & KubeObject;

const MAX_QUEUES = 10_000_000;
const MAX_HASH_BITS = 60;
const NON_NEGATIVE = "must be a non-negative integer";
const PERCENT = "must be between 0 and 100, inclusive";

/** Errors of a level beyond its metadata; `printed`: the spec under its Go names. */
export function validatePriorityLevelConfiguration(
  level: Level,
  printed: (spec: PriorityLevelConfigurationSpec) => unknown,
): ErrorList {
  const { spec = {}, status = {} } = level;
  const name = level.metadata?.name ?? "";
  const errors = validateSpec(name, spec, Path.root("spec"));
  const fixed = Object.hasOwn(mandatoryPriorityLevels, name)
    ? mandatoryPriorityLevels[name]
    : undefined;
  if (fixed !== undefined) {
    const exempt = name === "exempt";
    // How much of its idle capacity the exempt level lends is the operator's choice.
    const asked = exempt ? { ...spec, exempt: fixed.exempt } : spec;
    if (!semanticDeepEqual(asked, fixed)) {
      const but = exempt ? " except the 'spec.exempt' field" : "";
      const detail = `spec of '${name}'${but} must equal the fixed value`;
      errors.push(invalid("spec", printed(spec), detail));
    }
  }
  return [...errors, ...validateConditionTypes(status)];
}

function validateSpec(name: string, spec: PriorityLevelConfigurationSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const type = spec.type ?? "";
  if ((name === "exempt") !== (type === "Exempt")) {
    const detail = "type must be 'Exempt' if and only if name is 'exempt'";
    errors.push(invalid(at.child("type"), type, detail));
  }
  switch (type) {
    case "Exempt":
      if (spec.limited !== undefined) {
        errors.push(forbidden(at.child("limited"), "must be nil if the type is not Limited"));
      }
      if (spec.exempt === undefined) {
        errors.push(required(at.child("exempt"), "must not be empty when type is Exempt"));
      } else errors.push(...validateExempt(spec.exempt, at.child("exempt")));
      break;
    case "Limited":
      if (spec.exempt !== undefined) {
        errors.push(forbidden(at.child("exempt"), "must be nil if the type is Limited"));
      }
      if (spec.limited === undefined) {
        errors.push(required(at.child("limited"), "must not be empty when type is Limited"));
      } else errors.push(...validateLimited(spec.limited, at.child("limited")));
      break;
    case "":
      errors.push(required(at.child("type")));
      break;
    default:
      errors.push(notSupported(at.child("type"), type, ["Exempt", "Limited"]));
  }
  return errors;
}

function validateExempt(exempt: ExemptPriorityLevelConfiguration, at: Path): ErrorList {
  const errors: ErrorList = [];
  const shares = exempt.nominalConcurrencyShares ?? 0;
  if (shares < 0) errors.push(invalid(at.child("nominalConcurrencyShares"), shares, NON_NEGATIVE));
  return [...errors, ...validateLendable(exempt.lendablePercent, at)];
}

function validateLendable(percent: number | undefined, at: Path): ErrorList {
  if (percent === undefined || (percent >= 0 && percent <= 100)) return [];
  return [invalid(at.child("lendablePercent"), percent, PERCENT)];
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, at: Path): ErrorList {
  const errors: ErrorList = [];
  const shares = limited.nominalConcurrencyShares ?? 0;
  if (shares < 0) errors.push(invalid(at.child("nominalConcurrencyShares"), shares, NON_NEGATIVE));
  errors.push(...validateLimitResponse(limited.limitResponse ?? {}, at.child("limitResponse")));
  errors.push(...validateLendable(limited.lendablePercent, at));
  const borrowing = limited.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0) {
    const detail = "if specified, must be a non-negative integer";
    errors.push(invalid(at.child("borrowingLimitPercent"), borrowing, detail));
  }
  return errors;
}

function validateLimitResponse({ type = "", queuing }: LimitResponse, at: Path): ErrorList {
  const path = at.child("queuing");
  switch (type) {
    case "Reject":
      if (queuing === undefined) return [];
      return [forbidden(path, "must be nil if limited.limitResponse.type is not Limited")];
    case "Queue":
      if (queuing !== undefined) return validateQueuing(queuing, path);
      return [required(path, "must not be empty if limited.limitResponse.type is Limited")];
    case "":
      return [required(at.child("type"))];
    default:
      return [notSupported(at.child("type"), type, ["Queue", "Reject"])];
  }
}

function validateQueuing(queuing: QueuingConfiguration, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing;
  if (queueLengthLimit <= 0) {
    errors.push(invalid(at.child("queueLengthLimit"), queueLengthLimit, "must be positive"));
  }
  if (queues <= 0) errors.push(invalid(at.child("queues"), queues, "must be positive"));
  else if (queues > MAX_QUEUES) {
    errors.push(invalid(at.child("queues"), queues, `must not be greater than ${MAX_QUEUES}`));
  }
  const path = at.child("handSize");
  if (handSize <= 0) errors.push(invalid(path, handSize, "must be positive"));
  else if (handSize > queues) {
    errors.push(invalid(path, handSize, `should not be greater than queues (${queues})`));
  } else if (requiredEntropyBits(queues, handSize) > MAX_HASH_BITS) {
    const sizes = `deckSize ${queues} and handSize ${handSize}`;
    const detail = `required entropy bits of ${sizes} should not be greater than ${MAX_HASH_BITS}`;
    errors.push(invalid(path, handSize, detail));
  }
  return errors;
}

/** Upstream: shufflesharding.RequiredEntropyBits. */
function requiredEntropyBits(deckSize: number, handSize: number): number {
  return Math.ceil(Math.log2(deckSize) * handSize);
}

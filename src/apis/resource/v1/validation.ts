/**
 * ResourceClaim, its template, and DeviceClass.
 * Upstream: pkg/apis/resource/validation/validation.go.
 */
import type { JsonObject } from "../../../apimachinery/runtime/json.ts";
import { encodeSortedJson } from "../../../apimachinery/runtime/json-encode.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
  tooLong,
} from "../../../apimachinery/validation/field.ts";
import { validateLabelName } from "../../../apimachinery/validation/labels.ts";
import { byteLength, isValidLabelValue } from "../../../apimachinery/validation/names.ts";
import { compileCel } from "../../cel/compile.ts";
import { QUANTITY_TYPE } from "../../cel/library/quantities.ts";
import { type CelType, objectType, typeText } from "../../cel/types.ts";
import { isExtendedResourceName } from "../../core/v1/validation/resource-names.ts";
import { validateTemplateObjectMeta } from "../../core/v1/validation/volume-claim.ts";
import { goStruct } from "../../validation/common.ts";
import type {
  DeviceClaim,
  DeviceClass,
  DeviceConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ResourceClaim,
  ResourceClaimTemplate,
} from "./types.ts";
import {
  validateDeviceClassName,
  validateDriverName,
  validateItemSet,
  validateItems,
  validateLabelAt,
  validateResourceFullyQualifiedName,
} from "./validation-names.ts";

const MAX_REQUESTS = 32;
const MAX_CONSTRAINTS = 32;
/** Configurations of a claim or class. */
export const MAX_CONFIG = 32;
const MAX_FIRST_AVAILABLE = 8;
const MAX_SELECTORS = 32;
const MAX_EXPRESSION = 10 * 1024;
const MAX_PARAMETERS = 10 * 1024;
/** Sorted, as messages list them. */
export const TAINT_EFFECTS = ["NoExecute", "NoSchedule", "None"];

/** The names of a claim's requests, and of the alternatives of each. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

/** Errors of a ResourceClaim's spec. */
export function validateResourceClaim(
  { spec = {} }: Pick<ResourceClaim, "spec">,
  at: Path = Path.root("spec"),
): ErrorList {
  return validateDeviceClaim(spec.devices ?? {}, at.child("devices"));
}

/** The spec of a claim never changes. */
export function validateResourceClaimUpdate(
  claim: Pick<ResourceClaim, "spec">,
  old: Pick<ResourceClaim, "spec">,
): ErrorList {
  if (semanticDeepEqual(claim.spec ?? {}, old.spec ?? {})) return [];
  const printed = goStruct(claim.spec ?? {}, "k8s.io/api/resource/v1.ResourceClaimSpec");
  return [invalid("spec", printed, "field is immutable")];
}

/** Errors of a ResourceClaimTemplate beyond its metadata. */
export function validateResourceClaimTemplate({
  spec = {},
}: Pick<ResourceClaimTemplate, "spec">): ErrorList {
  const at = Path.root("spec");
  return [
    ...validateTemplateObjectMeta(spec.metadata ?? {}, at.child("metadata")),
    ...validateResourceClaim(spec, at.child("spec")),
  ];
}

/** The spec of a template never changes. */
export function validateResourceClaimTemplateUpdate(
  template: Pick<ResourceClaimTemplate, "spec">,
  old: Pick<ResourceClaimTemplate, "spec">,
): ErrorList {
  if (semanticDeepEqual(template.spec ?? {}, old.spec ?? {})) return [];
  const name = "k8s.io/api/resource/v1.ResourceClaimTemplateSpec";
  return [invalid("spec", goStruct(template.spec ?? {}, name), "field is immutable")];
}

/** What results and configurations may refer to. */
export function requestNamesOf(claim: DeviceClaim | undefined): RequestNames {
  return new Map(
    (claim?.requests ?? []).map(({ name = "", firstAvailable = [] }) => [
      name,
      new Set(firstAvailable.map((one) => one.name ?? "")),
    ]),
  );
}

function validateDeviceClaim(claim: DeviceClaim, at: Path): ErrorList {
  const names = requestNamesOf(claim);
  return [
    ...validateItemSet(
      claim.requests ?? [],
      MAX_REQUESTS,
      validateRequest,
      ({ name = "" }) => name,
      at.child("requests"),
    ),
    ...validateItems(
      claim.constraints ?? [],
      MAX_CONSTRAINTS,
      (constraint, path) => validateConstraint(constraint, names, path),
      at.child("constraints"),
    ),
    ...validateItems(
      claim.config ?? [],
      MAX_CONFIG,
      (config, path) => [
        ...validateRequestRefs(config.requests ?? [], names, path.child("requests")),
        ...validateDeviceConfiguration(config, path),
      ],
      at.child("config"),
    ),
  ];
}

function validateRequest(request: DeviceRequest, at: Path): ErrorList {
  const errors = validateLabelAt(request.name ?? "", at.child("name"));
  const { exactly, firstAvailable = [] } = request;
  const either = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly === undefined && firstAvailable.length === 0)
    return [...errors, required(at, either)];
  if (exactly !== undefined && firstAvailable.length > 0) {
    return [...errors, invalid(at, null, `${either}, but multiple fields are set`)];
  }
  if (exactly !== undefined) return [...errors, ...validateExact(exactly, at.child("exactly"))];
  const alternatives = validateItemSet(
    firstAvailable,
    MAX_FIRST_AVAILABLE,
    (one, path) => [
      ...validateLabelAt(one.name ?? "", path.child("name")),
      ...validateExact(one, path),
    ],
    ({ name = "" }) => name,
    at.child("firstAvailable"),
  );
  return [...errors, ...alternatives];
}

function validateExact(request: Omit<DeviceSubRequest, "name">, at: Path): ErrorList {
  const { deviceClassName = "", allocationMode: mode = "", count = 0 } = request;
  const errors = [
    ...validateDeviceClassName(deviceClassName, at.child("deviceClassName")),
    ...validateSelectors(request.selectors ?? [], at.child("selectors")),
  ];
  const path = at.child("count");
  if (mode === "All" && count !== 0) {
    errors.push(invalid(path, count, "must not be specified when allocationMode is 'All'"));
  } else if (mode === "ExactCount" && count <= 0) {
    errors.push(invalid(path, count, "must be greater than zero"));
  } else if (mode !== "All" && mode !== "ExactCount") {
    errors.push(notSupported(at.child("allocationMode"), mode, ["All", "ExactCount"]));
  }
  for (const [i, toleration] of (request.tolerations ?? []).entries()) {
    errors.push(...validateToleration(toleration, at.child("tolerations").index(i)));
  }
  return errors;
}

/** CEL selectors of a request or class. */
export function validateSelectors(selectors: readonly DeviceSelector[], at: Path): ErrorList {
  return validateItems(selectors, MAX_SELECTORS, validateSelector, at);
}

/** Attributes and capacities are grouped by domain; each map has this many entries at most. */
const MAX_PER_DEVICE = 32;
const perDomain = (value: CelType): CelType => {
  const byId: CelType = {
    kind: "map",
    key: { kind: "string", max: 32 },
    value,
    max: MAX_PER_DEVICE,
  };
  return { kind: "map", key: { kind: "string", max: 63 }, value: byId, max: MAX_PER_DEVICE };
};
/** Upstream: k8s.io/dynamic-resource-allocation/cel. */
const deviceType = objectType("kubernetes.DRADevice", {
  driver: { kind: "string", max: 63 },
  attributes: perDomain({ kind: "dyn", any: true, max: 64 }),
  capacity: perDomain(QUANTITY_TYPE),
  allowMultipleAllocations: { kind: "bool", max: 1 },
});
const MAX_SELECTOR_COST = 1_000_000;

function validateSelector({ cel }: DeviceSelector, at: Path): ErrorList {
  if (cel === undefined) return [required(at.child("cel"))];
  const { expression = "" } = cel;
  const path = at.child("cel", "expression");
  if (byteLength(expression) > MAX_EXPRESSION) return [tooLong(path, MAX_EXPRESSION)];
  const compiled = compileCel(expression, {
    variables: new Map<string, CelType>([["device", deviceType]]),
    bindings: true,
    sized: true,
  });
  const { problem, type } = compiled;
  if (problem !== undefined) return [invalid(path, expression, problem)];
  if (type.kind === "bool" || (type.kind === "dyn" && type.any)) {
    if (compiled.estimate().max <= MAX_SELECTOR_COST) return [];
    return [forbidden(path, "too complex, exceeds cost limit")];
  }
  const detail = `must evaluate to bool or the unknown type, not ${typeText(type)}`;
  return [invalid(path, expression, detail)];
}

function validateConstraint(
  constraint: DeviceConstraint,
  names: RequestNames,
  at: Path,
): ErrorList {
  const errors = validateRequestRefs(constraint.requests ?? [], names, at.child("requests"));
  for (const name of ["matchAttribute", "distinctAttribute"] as const) {
    const attribute = constraint[name];
    if (attribute === undefined) continue;
    return [...errors, ...validateResourceFullyQualifiedName(attribute, at.child(name))];
  }
  const detail =
    'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...errors, required(at, detail)];
}

/** `request` or `request/alternative`, each once. */
export function validateRequestRefs(
  refs: readonly string[],
  names: RequestNames,
  at: Path,
): ErrorList {
  return validateItemSet(
    refs,
    MAX_REQUESTS,
    (ref, path) => validateRequestRef(ref, names, path),
    (ref) => ref,
    at,
  );
}

/** One reference; see validateRequestRefs. */
export function validateRequestRef(ref: string, names: RequestNames, at: Path): ErrorList {
  const [request = "", alternative, ...more] = ref.split("/");
  const detail =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  if (more.length > 0) return [invalid(at, ref, detail)];
  const errors = ref.split("/").flatMap((segment) => validateLabelAt(segment, at));
  const alternatives = names.get(request);
  const known =
    alternatives !== undefined && (alternative === undefined || alternatives.has(alternative));
  return known ? errors : [...errors, invalid(at, ref, detail)];
}

/** Opaque parameters for a driver. */
export function validateDeviceConfiguration({ opaque }: DeviceConfiguration, at: Path): ErrorList {
  const path = at.child("opaque");
  if (opaque === undefined) return [required(path)];
  return [
    ...validateDriverName(opaque.driver ?? "", path.child("driver")),
    ...validateRawObject(opaque.parameters, MAX_PARAMETERS, path.child("parameters")),
  ];
}

/** A JSON object of at most `max` bytes. */
export function validateRawObject(
  value: JsonObject | undefined | unknown,
  max: number,
  at: Path,
): ErrorList {
  if (value === undefined || value === null) return [required(at)];
  if (byteLength(encodeSortedJson(value as JsonObject)) > max) return [tooLong(at, max)];
  if (typeof value === "object" && !Array.isArray(value)) return [];
  return [invalid(at, "<value omitted>", "must be a valid JSON object")];
}

function validateToleration(toleration: DeviceToleration, at: Path): ErrorList {
  const { key = "", operator = "", value = "", effect = "" } = toleration;
  const errors = key === "" ? [] : validateLabelName(key, at.child("key"));
  const operators = ["Equal", "Exists"];
  if (operator === "Exists" && value !== "") {
    errors.push(invalid(at.child("value"), value, "must be empty for operator `Exists`"));
  } else if (operator === "Equal") {
    for (const message of isValidLabelValue(value)) {
      errors.push(invalid(at.child("value"), value, message));
    }
  } else if (operator === "") errors.push(required(at.child("operator")));
  else if (!operators.includes(operator)) {
    errors.push(notSupported(at.child("operator"), operator, operators));
  }
  if (effect !== "" && !TAINT_EFFECTS.includes(effect)) {
    errors.push(notSupported(at.child("effect"), effect, TAINT_EFFECTS));
  }
  return errors;
}

/** Errors of a DeviceClass's spec. */
export function validateDeviceClass({ spec = {} }: Pick<DeviceClass, "spec">): ErrorList {
  const at = Path.root("spec");
  const errors = [
    ...validateSelectors(spec.selectors ?? [], at.child("selectors")),
    ...validateItems(
      spec.config ?? [],
      MAX_CONFIG,
      validateDeviceConfiguration,
      at.child("config"),
    ),
  ];
  const name = spec.extendedResourceName;
  if (name === undefined || isExtendedResourceName(name)) return errors;
  const path = at.child("extendedResourceName");
  return [...errors, invalid(path, name, "must be a valid extended resource name")];
}

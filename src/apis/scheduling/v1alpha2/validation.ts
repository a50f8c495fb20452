/**
 * Workloads and pod groups. Upstream: pkg/apis/scheduling/validation/validation.go, and the rules
 * that the types carry as markers (k8s.io/api/scheduling/v1alpha2/types.go).
 */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
  tooMany,
} from "../../../apimachinery/validation/field.ts";
import { validateConditions } from "../../../apimachinery/validation/labels.ts";
import { isPathSegmentName } from "../../../apimachinery/validation/names.ts";
import {
  semanticDeepEqual,
  validateImmutableField,
} from "../../../apimachinery/validation/object-meta.ts";
import {
  invalidEach,
  validateDNS1123Label,
  validateDNS1123Subdomain,
  validateQualifiedName,
} from "../../validation/common.ts";
import type {
  PodGroup,
  PodGroupResourceClaim,
  PodGroupSchedulingConstraints,
  PodGroupSchedulingPolicy,
  PodGroupSpec,
  PodGroupTemplate,
  PodGroupTemplateReference,
  TypedLocalObjectReference,
  Workload,
} from "./types.ts";

type Format = (value: string, at: Path) => ErrorList;
type Gate = (name: string) => boolean;

const MAX_TEMPLATES = 8;
const MAX_TOPOLOGY = 1;
const MAX_CLAIMS = 4;
const HIGHEST_PRIORITY = 1_000_000_000;
const DISRUPTION_MODES = ["Pod", "PodGroup"];

/** The fields behind gates; both a pod group and a workload's template have them. */
export const GATED = {
  schedulingConstraints: "TopologyAwareWorkloadScheduling",
  resourceClaims: "DRAWorkloadResourceClaims",
  disruptionMode: "WorkloadAwarePreemption",
  priorityClassName: "WorkloadAwarePreemption",
  priority: "WorkloadAwarePreemption",
} as const;

/** Errors of a new workload beyond its metadata. */
export function validateWorkload({ spec = {} }: Pick<Workload, "spec">): ErrorList {
  const at = Path.root("spec");
  const templates = spec.podGroupTemplates ?? [];
  const path = at.child("podGroupTemplates");
  const errors = validateControllerRef(spec.controllerRef, at.child("controllerRef"));
  const wrongCount = validateTemplateCount(templates, path);
  if (wrongCount.length > 0) return [...errors, ...wrongCount];
  return [
    ...errors,
    ...validateUniqueNames(templates, path),
    ...templates.flatMap((template, i) => validateTemplate(template, path.index(i))),
  ];
}

/** All of a workload's spec stays; the number of templates is still looked at. */
export function validateWorkloadUpdate(
  { spec = {} }: Pick<Workload, "spec">,
  { spec: old = {} }: Pick<Workload, "spec">,
): ErrorList {
  const at = Path.root("spec");
  const templates = spec.podGroupTemplates ?? [];
  const path = at.child("podGroupTemplates");
  const stays = semanticDeepEqual(templates, old.podGroupTemplates ?? []);
  return [
    ...validateImmutableField(spec.controllerRef, old.controllerRef, at.child("controllerRef")),
    ...(stays ? [] : validateTemplateCount(templates, path)),
    ...validateImmutableField(templates, old.podGroupTemplates ?? [], path),
  ];
}

function validateTemplateCount(templates: readonly PodGroupTemplate[], at: Path): ErrorList {
  if (templates.length === 0) return [required(at, "must have at least one item")];
  return templates.length > MAX_TEMPLATES ? [tooMany(at, templates.length, MAX_TEMPLATES)] : [];
}

function validateControllerRef(ref: TypedLocalObjectReference | undefined, at: Path): ErrorList {
  if (ref === undefined) return [];
  const segment: Format = (value, path) => invalidEach(path, value, isPathSegmentName(value));
  return [
    ...(ref.apiGroup ? validateDNS1123Subdomain(ref.apiGroup, at.child("apiGroup")) : []),
    ...validateRequired(ref.kind, segment, at.child("kind")),
    ...validateRequired(ref.name, segment, at.child("name")),
  ];
}

function validateRequired(value: string | undefined, format: Format, at: Path): ErrorList {
  return value ? format(value, at) : [required(at)];
}

function validateUniqueNames(items: readonly { name?: string | undefined }[], at: Path): ErrorList {
  const seen = new Set<string>();
  const errors: ErrorList = [];
  for (const [i, item] of items.entries()) {
    const name = item.name ?? "";
    if (seen.has(name)) errors.push(duplicate(at.index(i), item));
    seen.add(name);
  }
  return errors;
}

function validateTemplate(template: PodGroupTemplate, at: Path): ErrorList {
  return [
    ...validateRequired(template.name, validateDNS1123Label, at.child("name")),
    ...validateGroup(template, at),
  ];
}

/** What a template and a pod group have in common. */
function validateGroup(group: PodGroupTemplate | PodGroupSpec, at: Path): ErrorList {
  const errors = [
    ...validatePolicy(group.schedulingPolicy ?? {}, at.child("schedulingPolicy")),
    ...validateConstraints(group.schedulingConstraints, at.child("schedulingConstraints")),
    ...validateClaims(group.resourceClaims ?? [], at.child("resourceClaims")),
  ];
  const { disruptionMode, priorityClassName, priority } = group;
  if (disruptionMode !== undefined && !DISRUPTION_MODES.includes(disruptionMode)) {
    errors.push(notSupported(at.child("disruptionMode"), disruptionMode, DISRUPTION_MODES));
  }
  if (priorityClassName) {
    errors.push(...validateDNS1123Subdomain(priorityClassName, at.child("priorityClassName")));
  }
  if (priority !== undefined && priority > HIGHEST_PRIORITY) {
    const detail = `must be less than or equal to ${HIGHEST_PRIORITY}`;
    errors.push(invalid(at.child("priority"), priority, detail));
  }
  return errors;
}

/** One member of a union, neither none nor more. */
function validateUnion<T extends object>(value: T, members: readonly (keyof T)[], at: Path) {
  const quoted = (names: readonly (keyof T)[]) =>
    names.map((name) => `\`${String(name)}\``).join(", ");
  const present = members.filter((name) => value[name] !== undefined);
  if (present.length === 1) return [];
  if (present.length === 0) return [invalid(at, "", `must specify one of: ${quoted(members)}`)];
  const detail = `must specify exactly one of: ${quoted(members)}`;
  return [invalid(at, `{${quoted(present)}}`, detail)];
}

function validatePolicy(policy: PodGroupSchedulingPolicy, at: Path): ErrorList {
  const errors = validateUnion(policy, ["basic", "gang"], at);
  if (policy.gang === undefined) return errors;
  const { minCount = 0 } = policy.gang;
  const path = at.child("gang", "minCount");
  if (minCount === 0) errors.push(required(path));
  if (minCount < 0) errors.push(invalid(path, minCount, "must be greater than or equal to 1"));
  return errors;
}

function validateConstraints(
  constraints: PodGroupSchedulingConstraints | undefined,
  at: Path,
): ErrorList {
  const topology = constraints?.topology ?? [];
  const path = at.child("topology");
  if (topology.length > MAX_TOPOLOGY) return [tooMany(path, topology.length, MAX_TOPOLOGY)];
  return topology.flatMap(({ key }, i) =>
    validateRequired(key, validateQualifiedName, path.index(i).child("key")),
  );
}

function validateClaims(claims: readonly PodGroupResourceClaim[], at: Path): ErrorList {
  if (claims.length > MAX_CLAIMS) return [tooMany(at, claims.length, MAX_CLAIMS)];
  const errors = validateUniqueNames(claims, at);
  const sources = ["resourceClaimName", "resourceClaimTemplateName"] as const;
  for (const [i, claim] of claims.entries()) {
    const path = at.index(i);
    errors.push(
      ...validateUnion<PodGroupResourceClaim>(claim, sources, path),
      ...validateRequired(claim.name, validateDNS1123Label, path.child("name")),
    );
    for (const source of sources) {
      const name = claim[source];
      if (name === undefined) continue;
      errors.push(...validateDNS1123Subdomain(name, path.child(source)));
    }
  }
  return errors;
}

/** Errors of a new pod group beyond its metadata. */
export function validatePodGroup({ spec = {} }: Pick<PodGroup, "spec">, gate: Gate): ErrorList {
  const at = Path.root("spec");
  const errors = [
    ...validateTemplateRef(spec.podGroupTemplateRef, at.child("podGroupTemplateRef")),
    ...validateGroup(spec, at),
  ];
  if (gate("WorkloadAwarePreemption") && spec.disruptionMode === undefined) {
    errors.push(required(at.child("disruptionMode")));
  }
  return errors;
}

function validateTemplateRef(ref: PodGroupTemplateReference | undefined, at: Path): ErrorList {
  if (ref === undefined) return [];
  const { workload } = ref;
  if (workload === undefined) return validateUnion(ref, ["workload"], at);
  const { workloadName, podGroupTemplateName } = workload;
  const path = at.child("workload");
  return [
    ...validateRequired(workloadName, validateDNS1123Subdomain, path.child("workloadName")),
    ...validateRequired(
      podGroupTemplateName,
      validateDNS1123Label,
      path.child("podGroupTemplateName"),
    ),
  ];
}

/** All of a pod group's spec stays; what is behind a gate that is off is refused as such. */
export function validatePodGroupUpdate(
  { spec = {} }: Pick<PodGroup, "spec">,
  { spec: old = {} }: Pick<PodGroup, "spec">,
  gate: Gate,
): ErrorList {
  const at = Path.root("spec");
  const errors = [
    ...validateImmutableField(
      spec.podGroupTemplateRef,
      old.podGroupTemplateRef,
      at.child("podGroupTemplateRef"),
    ),
    ...validateImmutableField(
      spec.schedulingPolicy ?? {},
      old.schedulingPolicy ?? {},
      at.child("schedulingPolicy"),
    ),
  ];
  for (const name of Object.keys(GATED) as (keyof typeof GATED)[]) {
    const found = validateImmutableField(spec[name], old[name], at.child(name));
    const off = name !== "resourceClaims" && !gate(GATED[name]);
    const cleared = spec[name] === undefined;
    errors.push(...(off && !cleared ? found.map(() => forbidden(at.child(name), "")) : found));
  }
  return errors;
}

/** Errors of an update of a pod group's status. */
export function validatePodGroupStatus({
  spec = {},
  status = {},
}: Pick<PodGroup, "spec" | "status">): ErrorList {
  const at = Path.root("status");
  const errors = validateConditions(status.conditions, at.child("conditions"));
  const statuses = status.resourceClaimStatuses ?? [];
  const path = at.child("resourceClaimStatuses");
  if (statuses.length > MAX_CLAIMS) return [...errors, tooMany(path, statuses.length, MAX_CLAIMS)];
  const names = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  for (const [i, { name = "", resourceClaimName }] of statuses.entries()) {
    if (!names.has(name)) {
      const detail = "must match the name of an entry in `spec.resourceClaims`";
      errors.push(invalid(path.index(i).child("name"), name, detail));
    }
    if (resourceClaimName !== undefined) {
      const claimPath = path.index(i).child("resourceClaimName");
      errors.push(...validateDNS1123Subdomain(resourceClaimName, claimPath));
    }
  }
  return [...errors, ...validateUniqueNames(statuses, path)];
}

/** StatefulSets. Upstream: ValidateStatefulSet. */
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateNonnegative } from "../../../../apimachinery/validation/object-meta.ts";
import type { PodTemplateSpec, Volume } from "../../../core/v1/types.ts";
import type { PodValidationOptions } from "../../../core/v1/validation/options.ts";
import {
  validateAlwaysRunning,
  validatePodTemplateSpec,
  validateSelectorMatchesTemplate,
} from "../../../core/v1/validation/pod-template.ts";
import { validatePersistentVolumeClaimSpec } from "../../../core/v1/validation/volume-claim.ts";
import { structOf } from "../../../schemas.ts";
import {
  goStruct,
  intOrPercentNumber,
  validateCollisionCount,
  validateDNS1123Label,
  validateNotMoreThan100Percent,
  validatePositiveIntOrPercent,
} from "../../../validation/common.ts";
import type {
  RollingUpdateStatefulSetStrategy,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetUpdateStrategy,
} from "../types.ts";
import { selectorOf, validateControllerSelector, validateReplicaCounters } from "./common.ts";

const SPEC = Path.root("spec");
const RETENTION_POLICIES = ["Retain", "Delete"];
const STATEFUL_SET_SPEC = "k8s.io/api/apps/v1.StatefulSetSpec";
const TEMPLATE = "k8s.io/api/core/v1.PodTemplateSpec";

/** What an update is compared with; absent on create. */
interface Before {
  readonly spec: StatefulSetSpec;
}

/** A new StatefulSet, or an updated one when `before` is given. */
export function validateStatefulSet(
  set: StatefulSet,
  options: PodValidationOptions,
  before?: Before,
): ErrorList {
  const spec = set.spec ?? {};
  const errors = [
    ...validatePolicies(spec),
    ...validateNonnegative(spec.replicas, SPEC.child("replicas")),
    ...validateNonnegative(spec.minReadySeconds, SPEC.child("minReadySeconds")),
    ...validateNonnegative(spec.ordinals?.start, SPEC.child("ordinals.start")),
    ...validateControllerSelector(spec.selector, "statefulset", SPEC.child("selector")),
    ...validateTemplates(spec, options, before),
    ...validateAlwaysRunning(spec.template ?? {}, "StatefulSet", SPEC.child("template")),
  ];
  if (before === undefined && spec.serviceName) {
    errors.push(...validateDNS1123Label(spec.serviceName, SPEC.child("serviceName")));
  }
  return errors;
}

function validatePolicies(spec: StatefulSetSpec): ErrorList {
  const errors: ErrorList = [];
  const { podManagementPolicy: management = "", persistentVolumeClaimRetentionPolicy } = spec;
  const at = SPEC.child("podManagementPolicy");
  if (management === "") errors.push(required(at));
  else if (management !== "OrderedReady" && management !== "Parallel") {
    errors.push(invalid(at, management, "must be 'OrderedReady' or 'Parallel'"));
  }
  errors.push(...validateUpdateStrategy(spec.updateStrategy ?? {}, SPEC.child("updateStrategy")));
  if (persistentVolumeClaimRetentionPolicy === undefined) return errors;
  for (const name of ["whenDeleted", "whenScaled"] as const) {
    const policy = persistentVolumeClaimRetentionPolicy[name] ?? "";
    if (RETENTION_POLICIES.includes(policy)) continue;
    const path = SPEC.child("persistentVolumeClaimRetentionPolicy").child(name);
    errors.push(notSupported(path, policy, RETENTION_POLICIES));
  }
  return errors;
}

function validateUpdateStrategy(strategy: StatefulSetUpdateStrategy, at: Path): ErrorList {
  const { type = "", rollingUpdate } = strategy;
  const path = at.child("rollingUpdate");
  switch (type) {
    case "":
      return [required(at)];
    case "OnDelete": {
      if (rollingUpdate === undefined) return [];
      const value = goStruct(rollingUpdate, "k8s.io/api/apps/v1.RollingUpdateStatefulSetStrategy");
      return [invalid(path, value, "only allowed for updateStrategy 'RollingUpdate'")];
    }
    case "RollingUpdate":
      return rollingUpdate === undefined ? [] : validateRollingUpdate(rollingUpdate, path);
    default: {
      const value = goStruct(strategy, "k8s.io/api/apps/v1.StatefulSetUpdateStrategy");
      return [invalid(at, value, "must be 'RollingUpdate' or 'OnDelete'")];
    }
  }
}

function validateRollingUpdate(update: RollingUpdateStatefulSetStrategy, at: Path): ErrorList {
  const { partition, maxUnavailable: max } = update;
  const errors = validateNonnegative(partition, at.child("partition"));
  if (max === undefined) return errors;
  const path = at.child("maxUnavailable");
  errors.push(...validatePositiveIntOrPercent(max, path));
  if (intOrPercentNumber(max) === 0) errors.push(invalid(path, max, "cannot be 0"));
  return [...errors, ...validateNotMoreThan100Percent(max, path)];
}

/** A stored template or claim that today's rules refuse stays valid while it does not change. */
function validateTemplates(
  spec: StatefulSetSpec,
  options: PodValidationOptions,
  before: Before | undefined,
): ErrorList {
  const selector = selectorOf(spec.selector);
  if (selector === undefined) return [invalid(SPEC.child("selector"), spec.selector, "")];
  const template = spec.template ?? {};
  const at = SPEC.child("template");
  const errors = validateSelectorMatchesTemplate(selector, template, at);
  const isSame =
    before !== undefined &&
    semanticDeepEqual(template, before.spec.template, structOf(TEMPLATE)) &&
    semanticDeepEqual(spec.volumeClaimTemplates, before.spec.volumeClaimTemplates);
  if (isSame) return errors;
  const claims = spec.volumeClaimTemplates ?? [];
  if (before === undefined) {
    for (const [i, claim] of claims.entries()) {
      const path = SPEC.child("volumeClaimTemplates").index(i).child("spec");
      errors.push(...validatePersistentVolumeClaimSpec(claim.spec ?? {}, path));
    }
  }
  return [...errors, ...validatePodTemplateSpec(withClaims(template, claims), at, options)];
}

type Claims = NonNullable<StatefulSetSpec["volumeClaimTemplates"]>;

/** The template as the controller completes it: claims become volumes, before all others. */
function withClaims(template: PodTemplateSpec, claims: Claims): PodTemplateSpec {
  if (claims.length === 0) return template;
  // Claims of one name are one volume.
  const byName = new Map(claims.map((claim) => [claim.metadata?.name ?? "", asVolume(claim)]));
  const volumes = [...byName.values()];
  const names = new Set(byName.keys());
  for (const volume of template.spec?.volumes ?? []) {
    if (!names.has(volume.name ?? "")) volumes.push(volume);
  }
  return { ...template, spec: { ...template.spec, volumes } };
}

/** The volume that a pod of the set will have for a claim template. */
function asVolume(claim: Claims[number]): Volume {
  const name = claim.metadata?.name ?? "";
  return { name, persistentVolumeClaim: { claimName: name } };
}

const MUTABLE = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;

/** An updated StatefulSet: few fields of its spec may change. */
export function validateStatefulSetUpdate(
  set: StatefulSet,
  old: StatefulSet,
  options: PodValidationOptions,
): ErrorList {
  const before = old.spec ?? {};
  const errors = validateStatefulSet(set, options, { spec: before });
  const munged: Record<string, unknown> = { ...set.spec };
  for (const name of MUTABLE) munged[name] = before[name];
  if (semanticDeepEqual(munged, before, structOf(STATEFUL_SET_SPEC))) return errors;
  const names = MUTABLE.map((name) => `'${name}'`);
  const list = `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
  const detail = `updates to statefulset spec for fields other than ${list} are forbidden`;
  return [...errors, forbidden(SPEC, detail)];
}

/** The status of a StatefulSet, through its own endpoint. */
export function validateStatefulSetStatus(set: StatefulSet, old: StatefulSet): ErrorList {
  const at = Path.root("status");
  const status = set.status ?? {};
  const parts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
  const counters = ["replicas", ...parts, "observedGeneration", "collisionCount"];
  return [
    ...validateReplicaCounters(status, counters, parts, at, "status.readyReplicas"),
    ...validateCollisionCount(status.collisionCount, old.status?.collisionCount, at),
  ];
}

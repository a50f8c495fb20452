/**
 * Updates through pods/resize and pods/ephemeralcontainers.
 * Upstream: ValidatePodResize, ValidatePodEphemeralContainersUpdate.
 */
import { cloneJson } from "../../../../apimachinery/runtime/clone.ts";
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  Path,
  quote,
} from "../../../../apimachinery/validation/field.ts";
import { structOf } from "../../../schemas.ts";
import { computePodQOS } from "../qos.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";
import { samePodSpec, validatePodSpecAndAnnotations } from "./pod.ts";
import {
  MIRROR_POD,
  validatePodAnnotationUpdates,
  validatePodSpecificAnnotations,
} from "./pod-annotations.ts";
import { isRestartableInitContainer } from "./resources.ts";
import { specDifference } from "./spec-difference.ts";

const SPEC = Path.root("spec");
const CONTAINER = "k8s.io/api/core/v1.Container";
const EPHEMERAL = "k8s.io/api/core/v1.EphemeralContainer";
type List = Readonly<Record<string, string>>;

/** pods/ephemeralcontainers: they may be added, never changed or removed. */
export function validateEphemeralContainersUpdate(
  pod: Pod,
  old: Pod,
  options: PodValidationOptions,
): ErrorList {
  if (old.metadata?.annotations?.[MIRROR_POD] !== undefined) {
    return [forbidden("", "static pods do not support ephemeral containers")];
  }
  const annotations = Path.root("metadata", "annotations");
  const own = pod.metadata?.annotations;
  const errors = [
    ...validatePodSpecAndAnnotations(pod, options),
    ...validatePodAnnotationUpdates(own, old.metadata?.annotations, annotations),
    ...validatePodSpecificAnnotations(own, pod.spec ?? {}, annotations, options),
  ];
  const at = SPEC.child("ephemeralContainers");
  const now = new Map((pod.spec?.ephemeralContainers ?? []).map((one) => [one.name ?? "", one]));
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const name = before.name ?? "";
    const after = now.get(name);
    const lead = `existing ephemeral containers ${quote(name)}`;
    if (after === undefined) errors.push(forbidden(at, `${lead} may not be removed\n`));
    else if (!semanticDeepEqual(before, after, structOf(EPHEMERAL))) {
      const difference = specDifference(before, after, EPHEMERAL);
      errors.push(forbidden(at, `${lead} may not be changed\n${difference}`));
    }
  }
  return errors;
}

/** pods/resize: cpu and memory may change, nothing else. */
export function validatePodResize(pod: Pod, old: Pod, options: PodValidationOptions): ErrorList {
  if (old.metadata?.annotations?.[MIRROR_POD] !== undefined) {
    return [forbidden("", "static pods cannot be resized")];
  }
  const before = old.spec ?? {};
  if (before.os?.name === "windows") return [forbidden("", "windows pods cannot be resized")];
  const errors = validatePodSpecAndAnnotations(pod, options);
  const spec = pod.spec ?? {};
  const oldQOS = old.status?.qosClass || computePodQOS(before, options.podLevelResources);
  if (oldQOS !== computePodQOS(spec, options.podLevelResources)) {
    const detail = "Pod QOS Class may not change as a result of resizing";
    errors.push(invalid(SPEC, pod.status?.qosClass ?? "", detail));
  }
  if (!nodeSupportsResize(old)) {
    errors.push(forbidden(SPEC, "Pod running on node without support for resize"));
  }
  const munged = cloneJson(spec);
  if (hasPodResources(before) || hasPodResources(spec)) {
    if (!options.inPlacePodLevelResources) {
      const detail =
        "resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled";
      return [...errors, forbidden("", detail)];
    }
    errors.push(...validatePodLevelResize(spec, before, munged));
  }
  if ((old.status?.nodeAllocatableResourceClaimStatuses ?? []).length > 0) {
    const detail = "pods with node allocatable resource claims cannot be resized";
    errors.push(forbidden(SPEC, detail));
  }
  const order = validateOrder(spec, before);
  if (order.length > 0) return [...errors, ...order];
  errors.push(...validateContainersResize(spec, before, munged, options));
  if (errors.length > 0 || samePodSpec(munged, before)) return errors;
  return [forbidden(SPEC, "only cpu and memory resources are mutable")];
}

/** The first running container tells whether its kubelet reports resources. */
function nodeSupportsResize(pod: Pod): boolean {
  const running = (pod.status?.containerStatuses ?? []).find((one) => one.state?.running);
  return running === undefined || running.resources !== undefined;
}

function hasPodResources({ resources }: PodSpec): boolean {
  const { requests = {}, limits = {} } = resources ?? {};
  return Object.keys(requests).length + Object.keys(limits).length > 0;
}

function isRemoved(now: List | undefined, old: List | undefined): boolean {
  return Object.keys(old ?? {}).some((name) => now?.[name] === undefined);
}

function validatePodLevelResize(spec: PodSpec, old: PodSpec, munged: PodSpec): ErrorList {
  const at = SPEC.child("resources");
  if (old.resources !== undefined && spec.resources === undefined) {
    return [forbidden(at, "pod-level resources cannot be removed")];
  }
  const errors: ErrorList = [];
  for (const list of ["requests", "limits"] as const) {
    if (!isRemoved(spec.resources?.[list], old.resources?.[list])) continue;
    errors.push(forbidden(at.child(list), `pod-level resource ${list} cannot be removed`));
  }
  const masked = munged.resources && maskCompute(munged.resources, old.resources ?? {});
  const isEmpty = masked !== undefined && !hasPodResources({ resources: masked }) && !masked.claims;
  munged.resources = old.resources === undefined && isEmpty ? undefined : masked;
  const type = structOf("k8s.io/api/core/v1.ResourceRequirements");
  const same = (munged.resources === undefined) === (old.resources === undefined);
  if (same && semanticDeepEqual(munged.resources, old.resources, type)) return errors;
  return [...errors, forbidden(SPEC, "only cpu and memory resources are mutable at pod-level")];
}

/** `now` with the cpu and memory of `old`. */
function maskCompute(now: ResourceRequirements, old: ResourceRequirements): ResourceRequirements {
  const mask = (list: List | undefined, before: List | undefined) => {
    if (list === undefined && before === undefined) return undefined;
    const out: Record<string, string> = { ...list };
    for (const name of ["cpu", "memory"]) {
      const value = before?.[name];
      if (value === undefined) delete out[name];
      else out[name] = value;
    }
    return out;
  };
  const { claims } = now;
  return {
    limits: mask(now.limits, old.limits),
    requests: mask(now.requests, old.requests),
    ...(claims === undefined ? {} : { claims }),
  };
}

function validateOrder(spec: PodSpec, old: PodSpec): ErrorList {
  const errors: ErrorList = [];
  for (const list of ["containers", "initContainers"] as const) {
    const at = SPEC.child(list);
    const before = old[list] ?? [];
    const now = spec[list] ?? [];
    if (now.length !== before.length) {
      errors.push(forbidden(at, `${list} may not be added or removed on resize`));
      continue;
    }
    for (const [i, { name }] of before.entries()) {
      if (now[i]?.name === name) continue;
      const detail = `${list} may not be renamed or reordered on resize`;
      errors.push(forbidden(at.index(i).child("name"), detail));
    }
  }
  return errors;
}

function validateContainersResize(
  spec: PodSpec,
  old: PodSpec,
  munged: PodSpec,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const list of ["initContainers", "containers"] as const) {
    for (const [i, before] of (old[list] ?? []).entries()) {
      const now = spec[list]?.[i] ?? {};
      if (list === "initContainers" && !canResizeInit(before, options)) continue;
      const at = SPEC.child(list).index(i).child("resources");
      for (const which of ["requests", "limits"] as const) {
        if (!isRemoved(now.resources?.[which], before.resources?.[which])) continue;
        errors.push(forbidden(at.child(which), `resource ${which} cannot be removed`));
      }
    }
  }
  for (const [i, before] of (old.containers ?? []).entries()) {
    const masked = maskContainer(munged.containers?.[i] ?? {}, before);
    if (!semanticDeepEqual(masked, before, structOf(CONTAINER))) {
      errors.push(forbidden(SPEC, "only cpu and memory resources are mutable"));
    }
    if (munged.containers !== undefined) munged.containers[i] = masked;
  }
  return [...errors, ...validateInitResize(old, munged, options)];
}

function canResizeInit(container: Container, options: PodValidationOptions): boolean {
  return options.inPlaceInitContainers || isRestartableInitContainer(container);
}

/** Without claims, as upstream's mask has it. */
function maskContainer(now: Container, old: Container): Container {
  const { claims: _claims, ...resources } = maskCompute(now.resources ?? {}, old.resources ?? {});
  return { ...now, resources };
}

function validateInitResize(
  old: PodSpec,
  munged: PodSpec,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, before] of (old.initContainers ?? []).entries()) {
    const now = munged.initContainers?.[i] ?? {};
    const at = SPEC.child("initContainers").index(i);
    const modified = !semanticDeepEqual(now, before, structOf(CONTAINER));
    if (!canResizeInit(now, options)) {
      const detail = "resources for non-sidecar init containers are immutable";
      if (modified) errors.push(forbidden(SPEC, detail));
      continue;
    }
    const masked = maskContainer(now, before);
    if (!semanticDeepEqual(masked, before, structOf(CONTAINER))) {
      const detail = "only cpu and memory resources for init or sidecar containers are mutable";
      errors.push(forbidden(at, detail));
    }
    if (modified && !isRestartableInitContainer(now)) {
      for (const { restartPolicy } of now.resizePolicy ?? []) {
        if (restartPolicy !== "RestartContainer") continue;
        const detail =
          "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
        errors.push(forbidden(at, detail));
      }
    }
    if (munged.initContainers !== undefined) munged.initContainers[i] = masked;
  }
  return errors;
}

/** Pods as a whole: create and update. Upstream: ValidatePodCreate, ValidatePodUpdate. */
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { inclusiveRangeError } from "../../../../apimachinery/validation/names.ts";
import { structOf } from "../../../schemas.ts";
import { goMap, goStruct } from "../../../validation/common.ts";
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from "../types.ts";
import { validateImageSpaces } from "./container.ts";
import type { PodValidationOptions } from "./options.ts";
import {
  validatePodAnnotationUpdates,
  validatePodSpecificAnnotations,
  validateProfileAnnotations,
} from "./pod-annotations.ts";
import { MAX_INT32, validatePodSpec } from "./pod-spec.ts";
import { specDifference } from "./spec-difference.ts";
import { validateOnlyAddedTolerations } from "./tolerations.ts";

const METADATA = Path.root("metadata");
const SPEC = Path.root("spec");
const POD_SPEC = "k8s.io/api/core/v1.PodSpec";

/** Whether two specs are the same to upstream. */
export function samePodSpec(a: PodSpec | undefined, b: PodSpec | undefined): boolean {
  return semanticDeepEqual(a ?? {}, b ?? {}, structOf(POD_SPEC));
}

/** What pods must be at any time. The generic rules of metadata are the caller's. */
export function validatePodSpecAndAnnotations(pod: Pod, options: PodValidationOptions): ErrorList {
  const spec = pod.spec ?? {};
  const annotations = METADATA.child("annotations");
  const errors = [
    ...validatePodSpecificAnnotations(pod.metadata?.annotations, spec, annotations, options),
    ...validatePodSpec(spec, pod.metadata ?? {}, SPEC, options),
  ];
  if (!spec.serviceAccountName) {
    for (const [i, { projected }] of (spec.volumes ?? []).entries()) {
      for (const [j, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
        if (serviceAccountToken === undefined) continue;
        const sources = SPEC.child("volumes").index(i).child("projected", "sources");
        const detail = "must not be specified when serviceAccountName is not set";
        errors.push(forbidden(sources.index(j).child("serviceAccountToken"), detail));
      }
    }
  }
  for (const list of ["containers", "initContainers"] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      errors.push(...validateImageSpaces(container, SPEC.child(list).index(i)));
    }
  }
  return errors;
}

/** A new pod. */
export function validatePodCreate(pod: Pod, options: PodValidationOptions): ErrorList {
  const spec = pod.spec ?? {};
  const errors = validatePodSpecAndAnnotations(pod, options);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(SPEC.child("ephemeralContainers"), "cannot be set on create"));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    const detail = "cannot be set until all schedulingGates have been cleared";
    errors.push(forbidden(SPEC.child("nodeName"), detail));
  }
  return [...errors, ...validateProfileAnnotations(pod.metadata, spec, SPEC)];
}

const UPDATABLE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** An update through the main endpoint. */
export function validatePodUpdate(pod: Pod, old: Pod, options: PodValidationOptions): ErrorList {
  const spec = pod.spec ?? {};
  const before = old.spec ?? {};
  const annotations = METADATA.child("annotations");
  const errors = [
    ...validatePodSpecAndAnnotations(pod, options),
    ...validatePodAnnotationUpdates(
      pod.metadata?.annotations,
      old.metadata?.annotations,
      annotations,
    ),
    ...validatePodSpecificAnnotations(pod.metadata?.annotations, spec, annotations, options),
  ];
  for (const list of ["containers", "initContainers"] as const) {
    const path = SPEC.child(list);
    const containers = spec[list] ?? [];
    if (containers.length !== (before[list] ?? []).length) {
      return [...errors, forbidden(path, "pod updates may not add or remove containers")];
    }
    errors.push(...containers.flatMap((one, i) => validateUpdatedImage(one, path.index(i))));
  }
  const deadline = validateDeadlineUpdate(spec, before);
  errors.push(...deadline.errors);
  if (deadline.stop) return errors;
  errors.push(
    ...validateOnlyAddedTolerations(
      spec.tolerations,
      before.tolerations,
      SPEC.child("tolerations"),
      options.allowTaintTolerationComparisonOperators,
    ),
    ...validateOnlyDeletedGates(spec, before),
  );
  if (samePodSpec(spec, before)) return errors;
  return [...errors, ...validateUnchanged(spec, before)];
}

function validateUpdatedImage(container: Container, at: Path): ErrorList {
  const errors: ErrorList = container.image ? [] : [required(at.child("image"))];
  return [...errors, ...validateImageSpaces(container, at)];
}

function validateDeadlineUpdate(spec: PodSpec, old: PodSpec): { errors: ErrorList; stop: boolean } {
  const { activeDeadlineSeconds: seconds } = spec;
  const before = old.activeDeadlineSeconds;
  const at = SPEC.child("activeDeadlineSeconds");
  const failed = (value: unknown, detail: string, stop: boolean) => ({
    errors: [invalid(at, value, detail)],
    stop,
  });
  if (seconds === undefined) {
    if (before === undefined) return { errors: [], stop: false };
    return failed(undefined, "must not update from a positive integer to nil value", false);
  }
  if (seconds < 0 || seconds > MAX_INT32) {
    return failed(seconds, inclusiveRangeError(0, MAX_INT32), true);
  }
  if (before === undefined || before >= seconds) return { errors: [], stop: false };
  return failed(seconds, "must be less than or equal to previous value", true);
}

function validateOnlyDeletedGates(spec: PodSpec, old: PodSpec): ErrorList {
  const known = new Set((old.schedulingGates ?? []).map(({ name = "" }) => name));
  const errors: ErrorList = [];
  for (const [i, { name = "" }] of (spec.schedulingGates ?? []).entries()) {
    if (known.has(name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(forbidden(SPEC.child("schedulingGates").index(i).child("name"), detail));
  }
  return errors;
}

/** Everything beyond the few fields that may change is as it was. */
function validateUnchanged(spec: PodSpec, old: PodSpec): ErrorList {
  const munged: PodSpec = { ...spec };
  for (const list of ["containers", "initContainers"] as const) {
    munged[list] = spec[list]?.map((container, i) => ({
      ...container,
      image: old[list]?.[i]?.image,
    }));
  }
  munged.activeDeadlineSeconds = old.activeDeadlineSeconds;
  munged.schedulingGates = old.schedulingGates;
  munged.tolerations = old.tolerations;
  const grace = old.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    munged.terminationGracePeriodSeconds = grace;
  }
  const errors = (old.schedulingGates ?? []).length > 0 ? validateGatedChanges(munged, old) : [];
  if (samePodSpec(munged, old)) return errors;
  const detail = `pod updates may not change fields other than ${UPDATABLE}`;
  return [...errors, forbidden(SPEC, `${detail}\n${specDifference(old, munged, POD_SPEC)}`)];
}

/** A pod that is not scheduled yet may be told more narrowly where it can go. Changes `munged`. */
function validateGatedChanges(munged: PodSpec, old: PodSpec): ErrorList {
  const errors: ErrorList = [];
  const before = old.nodeSelector ?? {};
  const now = munged.nodeSelector ?? {};
  if (Object.entries(before).some(([key, value]) => now[key] !== value)) {
    const detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    errors.push(invalid(SPEC.child("nodeSelector"), goMap(munged.nodeSelector), detail));
  }
  munged.nodeSelector = old.nodeSelector;
  const oldAffinity = old.affinity?.nodeAffinity;
  const affinity = munged.affinity?.nodeAffinity;
  if (semanticDeepEqual(affinity, oldAffinity, undefined)) return errors;
  errors.push(...validateNodeAffinityMutation(affinity, oldAffinity));
  if (munged.affinity === undefined) munged.affinity = { nodeAffinity: oldAffinity };
  else {
    const { podAffinity, podAntiAffinity } = munged.affinity;
    const onlyNodes = podAffinity === undefined && podAntiAffinity === undefined;
    if (old.affinity === undefined && onlyNodes) munged.affinity = undefined;
    else munged.affinity = { ...munged.affinity, nodeAffinity: oldAffinity };
  }
  return errors;
}

function validateNodeAffinityMutation(
  now: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
): ErrorList {
  const name = "requiredDuringSchedulingIgnoredDuringExecution";
  const before = old?.[name]?.nodeSelectorTerms ?? [];
  if (before.length === 0) return [];
  const terms = now?.[name]?.nodeSelectorTerms ?? [];
  const at = SPEC.child("affinity", "nodeAffinity", name, "nodeSelectorTerms");
  const goTerm = (term: NodeSelectorTerm) => goStruct(term, "k8s.io/api/core/v1.NodeSelectorTerm");
  if (terms.length !== before.length) {
    const detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    return [invalid(at, terms, detail)];
  }
  const errors: ErrorList = [];
  for (const [i, term] of terms.entries()) {
    if (hasOnlyAdditions(term, before[i] ?? {})) continue;
    const detail = "only additions are allowed (no mutations or deletions)";
    errors.push(invalid(at.index(i), goTerm(term), detail));
  }
  return errors;
}

function hasOnlyAdditions(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const isEmpty = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm) =>
    matchExpressions.length === 0 && matchFields.length === 0;
  if (isEmpty(old)) return isEmpty(term);
  return (["matchExpressions", "matchFields"] as const).every((list) => {
    const before = old[list] ?? [];
    return semanticDeepEqual((term[list] ?? []).slice(0, before.length), before);
  });
}

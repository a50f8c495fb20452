/** Nodes. Upstream: ValidateNode and ValidateNodeUpdate; pkg/api/node/util.go for warnings. */
import {
  duplicate,
  type ErrorList,
  type FieldError,
  forbidden,
  internal,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  parseCIDRSloppy,
  validateCIDRForLegacyField,
  warningsForCIDR,
} from "../../../../apimachinery/validation/ip.ts";
import { validateLabelName } from "../../../../apimachinery/validation/labels.ts";
import {
  isConfigMapKey,
  isDNS1123Label,
  isDNS1123Subdomain,
  isValidLabelValue,
} from "../../../../apimachinery/validation/names.ts";
import { goStruct } from "../../../validation/common.ts";
import type { ConfigMapNodeConfigSource, Node, NodeConfigSource, Taint } from "../types.ts";
import { validateResourceQuantityValue } from "./resources.ts";

const TAINTS_ANNOTATION = "scheduler.alpha.kubernetes.io/taints";
const AVOID_PODS_ANNOTATION = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const metadataPath = Path.root("metadata");

/** `old`: its pod CIDRs stay valid however they are spelled. */
export function validateNode(node: Node, old?: Node): ErrorList {
  const errors = validateNodeAnnotations(node);
  errors.push(...validateNodeTaints(node.spec?.taints ?? [], metadataPath.child("taints")));
  errors.push(...validateNodeResources(node));
  errors.push(...validatePodCIDRs(node.spec?.podCIDRs ?? [], old?.spec?.podCIDRs ?? []));
  return [...errors, ...validateDeclaredFeatures(node)];
}

function validatePodCIDRs(cidrs: readonly string[], known: readonly string[]): ErrorList {
  const at = Path.root("spec", "podCIDRs");
  const errors = cidrs.flatMap((cidr, i) => validateCIDRForLegacyField(at.index(i), cidr, known));
  if (cidrs.length < 2) return errors;
  const families = cidrs.map((cidr) => parseCIDRSloppy(cidr)?.ip.bytes.length);
  const bad = families.indexOf(undefined);
  if (bad !== -1) {
    const why = `invalid CIDR[${bad}]: <nil> (invalid CIDR address: ${cidrs[bad]})`;
    const doing = "invalid PodCIDRs. failed to check with dual stack with error:";
    errors.push(internal(at, `${doing}${why}`));
  }
  const isDualStack = cidrs.length === 2 && families[0] !== families[1];
  if (!isDualStack || families.includes(undefined)) {
    errors.push(invalid(at, cidrs, "may specify no more than one CIDR for each IP family"));
  }
  return errors;
}

/** status.declaredFeatures: sorted, none twice. */
function validateDeclaredFeatures(node: Node): ErrorList {
  const features = (node.status as { declaredFeatures?: string[] } | undefined)?.declaredFeatures;
  const at = Path.root("status", "declaredFeatures");
  const errors: ErrorList = [];
  let previous = "";
  for (const [i, feature] of (features ?? []).entries()) {
    if (i > 0 && feature === previous) errors.push(duplicate(at.index(i), feature));
    else if (i > 0 && feature < previous) {
      errors.push(invalid(at, features, "list must be sorted"));
      break;
    }
    previous = feature;
  }
  return errors;
}

function validateNodeAnnotations({ metadata }: Node): ErrorList {
  const at = metadataPath.child("annotations");
  const errors: ErrorList = [];
  const taints = metadata?.annotations?.[TAINTS_ANNOTATION];
  if (taints) {
    const parsed = parseJson(taints);
    if (parsed instanceof Error) errors.push(invalid(at, TAINTS_ANNOTATION, parsed.message));
    else errors.push(...validateNodeTaints(asList<Taint>(parsed), at.child(TAINTS_ANNOTATION)));
  }
  const avoidPods = metadata?.annotations?.[AVOID_PODS_ANNOTATION];
  if (avoidPods) errors.push(...validateAvoidPods(avoidPods, at));
  return errors;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function asList<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

interface AvoidPodsEntry {
  podSignature?: { podController?: { controller?: boolean } };
}

function validateAvoidPods(text: string, annotations: Path): ErrorList {
  const parsed = parseJson(text);
  const at = annotations.child(AVOID_PODS_ANNOTATION);
  if (parsed instanceof Error) return [invalid(at, "AvoidPods", parsed.message)];
  const entries = asList<AvoidPodsEntry>((parsed as { preferAvoidPods?: unknown }).preferAvoidPods);
  return entries.flatMap(({ podSignature }, i) => {
    const signature = at.index(i).child("PodSignature");
    const controller = podSignature?.podController;
    if (controller === undefined) {
      return [required(signature.child("PodController"))];
    }
    if (controller.controller === true) return [];
    const detail = "must point to a controller";
    return [invalid(signature.child("PodController", "Controller"), controller.controller, detail)];
  });
}

/** Keys, values and effects of taints; a key and an effect together are unique. */
export function validateNodeTaints(taints: readonly Taint[], at: Path): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const { key = "", value = "", effect = "" } = taint;
    errors.push(...validateLabelName(key, at.index(i).child("key")));
    const problems = isValidLabelValue(value);
    if (problems.length > 0) {
      errors.push(invalid(at.index(i).child("value"), value, problems.join(";")));
    }
    errors.push(...validateTaintEffect(effect, at.index(i).child("effect")));
    const pair = `${effect}\n${key}`;
    if (seen.has(pair)) {
      const detail = "taints must be unique by key and effect pair";
      const error: FieldError = {
        ...duplicate(at.index(i), goStruct(taint, "k8s.io/api/core/v1.Taint")),
        detail,
      };
      errors.push(error);
    }
    seen.add(pair);
  }
  return errors;
}

function validateTaintEffect(effect: string, at: Path): ErrorList {
  if (effect === "") return [required(at)];
  return TAINT_EFFECTS.includes(effect) ? [] : [notSupported(at, effect, TAINT_EFFECTS)];
}

function validateNodeResources({ status }: Node): ErrorList {
  const errors: ErrorList = [];
  for (const member of ["capacity", "allocatable"] as const) {
    const amounts = status?.[member] ?? {};
    for (const name in amounts) {
      const at = Path.root("status", member, name);
      errors.push(...validateResourceQuantityValue(name, amounts[name] ?? "0", at));
    }
  }
  return errors;
}

export function validateNodeUpdate(node: Node, old: Node): ErrorList {
  const errors = validateNodeAnnotations(node);
  errors.push(...validateNodeResources(node), ...validateUniqueAddresses(node));
  errors.push(...validateAssignedOnce(node, old));
  if (node.spec?.configSource !== undefined) {
    const at = Path.root("spec", "configSource");
    errors.push(...validateConfigSource(node.spec.configSource, "spec", at));
  }
  for (const member of ["assigned", "active", "lastKnownGood"] as const) {
    const source = node.status?.config?.[member];
    if (source === undefined) continue;
    const at = Path.root("status", "config", member);
    errors.push(...validateConfigSource(source, "status", at));
  }
  errors.push(...validateNodeTaints(node.spec?.taints ?? [], metadataPath.child("taints")));
  if ((node.spec?.externalID ?? "") !== (old.spec?.externalID ?? "")) {
    errors.push(forbidden("spec.externalID", "may not be updated"));
  }
  return errors;
}

function validateUniqueAddresses({ status }: Node): ErrorList {
  const seen = new Set<string>();
  const errors: ErrorList = [];
  for (const [i, { type = "", address = "" }] of (status?.addresses ?? []).entries()) {
    const pair = `${type}\n${address}`;
    if (seen.has(pair)) {
      const at = Path.root("status", "addresses").index(i);
      errors.push(duplicate(at, goStruct({ type, address }, "k8s.io/api/core/v1.NodeAddress")));
    }
    seen.add(pair);
  }
  return errors;
}

function validateAssignedOnce(node: Node, old: Node): ErrorList {
  const errors: ErrorList = [];
  const before = old.spec?.podCIDRs ?? [];
  const now = node.spec?.podCIDRs ?? [];
  const detail = 'node updates may not change podCIDR except from "" to valid';
  if (before.length > 0 && before.length !== now.length) {
    errors.push(forbidden("spec.podCIDRs", detail));
  } else {
    for (const [i, cidr] of before.entries()) {
      if (cidr !== now[i]) errors.push(forbidden("spec.podCIDRs", detail));
    }
  }
  if (old.spec?.providerID && old.spec.providerID !== (node.spec?.providerID ?? "")) {
    const text = 'node updates may not change providerID except from "" to valid';
    errors.push(forbidden("spec.providerID", text));
  }
  return errors;
}

/** Dynamic kubelet configuration is gone; its fields are still checked. */
function validateConfigSource(
  { configMap }: NodeConfigSource,
  where: "spec" | "status",
  at: Path,
): ErrorList {
  if (configMap === undefined) {
    const detail = "exactly one reference subfield must be non-nil";
    return [invalid(at, goStruct({}, "k8s.io/api/core/v1.NodeConfigSource"), detail)];
  }
  return validateConfigMapSource(configMap, where, at.child("configMap"));
}

function validateConfigMapSource(
  source: ConfigMapNodeConfigSource,
  where: "spec" | "status",
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  for (const member of ["uid", "resourceVersion"] as const) {
    const isSet = (source[member] ?? "") !== "";
    if (where === "spec" && isSet) {
      errors.push(forbidden(at.child(member), `${member} must not be set in spec`));
    }
    if (where === "status" && !isSet) {
      errors.push(required(at.child(member), `${member} must be set in status`));
    }
  }
  const rules = [
    ["namespace", isDNS1123Label],
    ["name", isDNS1123Subdomain],
    ["kubeletConfigKey", isConfigMapKey],
  ] as const;
  for (const [member, rule] of rules) {
    const value = source[member] ?? "";
    if (value === "") errors.push(required(at.child(member), `${member} must be set`));
    else for (const message of rule(value)) errors.push(invalid(at.child(member), value, message));
  }
  return errors;
}

/** Fields that nothing reads any more, and CIDRs in unusual spellings. */
export function warningsForNode({ spec }: Node): string[] {
  const warnings: string[] = [];
  if (spec?.configSource !== undefined) {
    warnings.push("spec.configSource: the feature is removed");
  }
  if (spec?.externalID) {
    warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
  for (const [i, cidr] of (spec?.podCIDRs ?? []).entries()) {
    warnings.push(...warningsForCIDR(Path.root("spec", "podCIDRs").index(i), cidr));
  }
  return warnings;
}

/**
 * Annotations that mean something for pods. Upstream: ValidatePodSpecificAnnotations and the checks
 * that seccomp and AppArmor annotations agree with the fields that replaced them.
 */
import type { ObjectMeta } from "../../../../apimachinery/meta/types.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  type Path,
  quote,
} from "../../../../apimachinery/validation/field.ts";
import type { AppArmorProfile, PodSpec, SeccompProfile, Toleration } from "../types.ts";
import { POD_DELETION_COST, parsedDeletionCost } from "./deletion-cost.ts";
import { allContainers, type PodValidationOptions } from "./options.ts";
import { validateLocalDescendingPath } from "./paths.ts";
import { validateTolerations } from "./tolerations.ts";
import { visitContainers } from "./windows.ts";

export const MIRROR_POD = "kubernetes.io/config.mirror";
export const APPARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/";
export const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
export const SECCOMP_PREFIX = "container.seccomp.security.alpha.kubernetes.io/";
const TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations";
const LOCALHOST = "localhost/";

type Annotations = Readonly<Record<string, string>> | undefined;

/** The annotations of a pod or template at `at`. */
export function validatePodSpecificAnnotations(
  annotations: Annotations,
  spec: PodSpec,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  if (annotations === undefined) return [];
  const errors: ErrorList = [];
  const mirror = annotations[MIRROR_POD];
  if (mirror !== undefined && !spec.nodeName) {
    const detail = "must set spec.nodeName if mirror pod annotation is set";
    errors.push(invalid(at.key(MIRROR_POD), mirror, detail));
  }
  if (annotations[TOLERATIONS]) errors.push(...validateTolerationsAnnotation(annotations, at));
  if (!options.allowInvalidPodDeletionCost && parsedDeletionCost(annotations) === undefined) {
    const value = annotations[POD_DELETION_COST];
    errors.push(invalid(at.key(POD_DELETION_COST), value, "must be a 32bit integer"));
  }
  for (const [key, value] of Object.entries(annotations)) {
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_PREFIX)) {
      errors.push(...validateSeccompValue(value, at.child(key)));
    }
  }
  return [...errors, ...validateAppArmorAnnotations(annotations, spec, at)];
}

function validateTolerationsAnnotation(
  annotations: Readonly<Record<string, string>>,
  at: Path,
): ErrorList {
  try {
    const parsed: unknown = JSON.parse(annotations[TOLERATIONS] ?? "");
    if (!Array.isArray(parsed)) throw new Error("json: cannot unmarshal into a list");
    return validateTolerations(parsed as Toleration[], at.child(TOLERATIONS));
  } catch (error) {
    return [invalid(at, TOLERATIONS, error instanceof Error ? error.message : String(error))];
  }
}

function validateSeccompValue(value: string, at: Path): ErrorList {
  if (["runtime/default", "docker/default", "unconfined"].includes(value)) return [];
  if (value.startsWith(LOCALHOST)) {
    return validateLocalDescendingPath(value.slice(LOCALHOST.length), at);
  }
  return [invalid(at, value, "must be a valid seccomp profile")];
}

function validateAppArmorAnnotations(
  annotations: Readonly<Record<string, string>>,
  spec: PodSpec,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(APPARMOR_PREFIX)) continue;
    const name = key.slice(APPARMOR_PREFIX.length);
    if (!allContainers(spec).some((container) => (container.name ?? "") === name)) {
      errors.push(invalid(at.key(key), name, "container not found"));
    }
    const known = ["", "runtime/default", "unconfined"].includes(value);
    if (known || value.startsWith(LOCALHOST)) continue;
    const detail = `invalid AppArmor profile name: ${quote(value)}`;
    errors.push(invalid(at.key(key), value, detail));
  }
  return errors;
}

/** What an update may not do to a pod's annotations. */
export function validatePodAnnotationUpdates(
  now: Annotations,
  old: Annotations,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  for (const [key, value] of Object.entries(old ?? {})) {
    if (now?.[key] === value) continue;
    if (key.startsWith(APPARMOR_PREFIX)) {
      errors.push(forbidden(at.key(key), "may not remove or update AppArmor annotations"));
    }
    if (key === MIRROR_POD) {
      errors.push(forbidden(at.key(key), "may not remove or update mirror pod annotation"));
    }
  }
  for (const key of Object.keys(now ?? {})) {
    if (old?.[key] !== undefined) continue;
    if (key.startsWith(APPARMOR_PREFIX)) {
      errors.push(forbidden(at.key(key), "may not add AppArmor annotations"));
    }
    if (key === MIRROR_POD)
      errors.push(forbidden(at.key(key), "may not add mirror pod annotation"));
  }
  return errors;
}

function mismatch(
  kind: "seccomp" | "apparmor",
  annotation: string,
  profile: SeccompProfile | AppArmorProfile,
  at: Path,
): ErrorList {
  const type = [forbidden(at.child("type"), `${kind} type in annotation and field must match`)];
  const isDocker = kind === "seccomp" && annotation === "docker/default";
  switch (profile.type) {
    case "Unconfined":
      return annotation === "unconfined" ? [] : type;
    case "RuntimeDefault":
      return annotation === "runtime/default" || isDocker ? [] : type;
    case "Localhost": {
      if (!annotation.startsWith(LOCALHOST)) return type;
      if (profile.localhostProfile === annotation.slice(LOCALHOST.length)) return [];
      const detail = `${kind} profile in annotation and field must match`;
      return [forbidden(at.child("localhostProfile"), detail)];
    }
    default:
      return [];
  }
}

/** Where both the annotation and the field are given, they agree. */
export function validateProfileAnnotations(
  meta: ObjectMeta | undefined,
  spec: PodSpec,
  at: Path,
): ErrorList {
  const annotations = meta?.annotations;
  if (annotations === undefined) return [];
  const errors: ErrorList = [];
  const podSeccomp = spec.securityContext?.seccompProfile;
  const own = annotations[SECCOMP_POD];
  if (podSeccomp !== undefined && own !== undefined) {
    const path = at.child("securityContext").child("seccompProfile");
    errors.push(...mismatch("seccomp", own, podSeccomp, path));
  }
  visitContainers(spec, at, ({ name = "", securityContext }, path) => {
    const annotation = annotations[`${SECCOMP_PREFIX}${name}`];
    const profile = securityContext?.seccompProfile;
    if (annotation === undefined || profile === undefined) return;
    const where = path.child("securityContext").child("seccompProfile");
    errors.push(...mismatch("seccomp", annotation, profile, where));
  });
  if (spec.os?.name === "windows") return errors;
  visitContainers(spec, at, ({ name = "", securityContext }, path) => {
    const annotation = annotations[`${APPARMOR_PREFIX}${name}`];
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (annotation === undefined || profile === undefined) return;
    const where = path.child("securityContext").child("appArmorProfile");
    errors.push(...mismatch("apparmor", annotation, profile, where));
  });
  return errors;
}

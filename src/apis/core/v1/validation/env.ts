/** Environment variables of containers. Upstream: ValidateEnv, ValidateEnvFrom. */
import {
  type ErrorList,
  invalid,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  isConfigMapKey,
  isDNS1123Subdomain,
  isEnvVarName,
  isRelaxedEnvVarName,
} from "../../../../apimachinery/validation/names.ts";
import { nameIsDNSSubdomain } from "../../../../apimachinery/validation/object-meta.ts";
import { invalidEach, validateDNS1123Label } from "../../../validation/common.ts";
import type { EnvFromSource, EnvVar, FileKeySelector } from "../types.ts";
import {
  ENV_FIELD_PATHS,
  validateObjectFieldSelector,
  validateResourceFieldSelector,
} from "./field-selector.ts";
import type { PodValidationOptions } from "./options.ts";
import { validatePathNoBacksteps } from "./paths.ts";

const TOO_MANY_SOURCES = "may not have more than one field specified at a time";

function envNameProblems(name: string, options: PodValidationOptions): readonly string[] {
  const relaxed = options.allowRelaxedEnvironmentVariableValidation;
  return relaxed ? isRelaxedEnvVarName(name) : isEnvVarName(name);
}

/** env. */
export function validateEnv(
  vars: readonly EnvVar[] | undefined,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, variable] of (vars ?? []).entries()) {
    const path = at.index(i);
    const { name = "" } = variable;
    if (name === "") errors.push(required(path.child("name")));
    else errors.push(...invalidEach(path.child("name"), name, envNameProblems(name, options)));
    errors.push(...validateValueFrom(variable, path.child("valueFrom"), options));
  }
  return errors;
}

function validateValueFrom(variable: EnvVar, at: Path, options: PodValidationOptions): ErrorList {
  const from = variable.valueFrom;
  if (from === undefined) return [];
  const errors: ErrorList = [];
  if (from.fieldRef !== undefined) {
    errors.push(
      ...validateObjectFieldSelector(from.fieldRef, ENV_FIELD_PATHS, at.child("fieldRef")),
    );
  }
  if (from.resourceFieldRef !== undefined) {
    const path = at.child("resourceFieldRef");
    errors.push(...validateResourceFieldSelector(from.resourceFieldRef, path, false));
  }
  for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
    const ref = from[name];
    if (ref !== undefined) errors.push(...validateKeySelector(ref, at.child(name)));
  }
  if (from.fileKeyRef !== undefined) {
    errors.push(...validateFileKey(from.fileKeyRef, at.child("fileKeyRef")));
  }
  const sources = Object.values(from).filter((source) => source !== undefined).length;
  if (sources === 0) errors.push(invalid(at, "", noSource(options)));
  else if (variable.value) {
    errors.push(invalid(at, "", "may not be specified when `value` is not empty"));
  } else if (sources > 1) errors.push(invalid(at, "", TOO_MANY_SOURCES));
  return errors;
}

function noSource(options: PodValidationOptions): string {
  const lead = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`";
  return options.allowEnvFiles
    ? `${lead}, \`secretKeyRef\` or \`fileKeyRef\``
    : `${lead} or \`secretKeyRef\``;
}

interface KeySelector {
  name?: string | undefined;
  key?: string | undefined;
}

function validateKeySelector({ name = "", key = "" }: KeySelector, at: Path): ErrorList {
  const errors = invalidEach(at.child("name"), name, isDNS1123Subdomain(name));
  if (key === "") errors.push(required(at.child("key")));
  else errors.push(...invalidEach(at.child("key"), key, isConfigMapKey(key)));
  return errors;
}

function validateFileKey({ key = "", volumeName = "", path = "" }: FileKeySelector, at: Path) {
  const errors: ErrorList = [];
  if (key === "") errors.push(required(at.child("key")));
  else errors.push(...invalidEach(at.child("key"), key, isRelaxedEnvVarName(key)));
  if (volumeName === "") errors.push(required(at.child("volumeName")));
  else errors.push(...validateDNS1123Label(volumeName, at.child("volumeName")));
  if (path === "") errors.push(required(at.child("path")));
  else errors.push(...validatePathNoBacksteps(path, at.child("path")));
  return errors;
}

/** envFrom; the count of sources is reported at the list, as upstream has it. */
export function validateEnvFrom(
  sources: readonly EnvFromSource[] | undefined,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, source] of (sources ?? []).entries()) {
    const path = at.index(i);
    if (source.prefix) {
      const problems = envNameProblems(source.prefix, options);
      errors.push(...invalidEach(path.child("prefix"), source.prefix, problems));
    }
    let count = 0;
    for (const kind of ["configMapRef", "secretRef"] as const) {
      const ref = source[kind];
      if (ref === undefined) continue;
      count++;
      const { name = "" } = ref;
      const namePath = path.child(kind).child("name");
      if (name === "") errors.push(required(namePath));
      else errors.push(...invalidEach(namePath, name, nameIsDNSSubdomain(name, true)));
    }
    if (count === 0) {
      errors.push(invalid(at, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (count > 1) errors.push(invalid(at, "", TOO_MANY_SOURCES));
  }
  return errors;
}

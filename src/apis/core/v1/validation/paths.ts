/** File paths inside pods. Upstream: pkg/apis/core/validation (validateLocalDescendingPath and kin). */
import { type ErrorList, invalid, type Path } from "../../../../apimachinery/validation/field.ts";

/** No element of the path may be `..`. */
export function validatePathNoBacksteps(path: string, at: Path): ErrorList {
  if (!path.split("/").includes("..")) return [];
  return [invalid(at, path, "must not contain '..'")];
}

/** A relative path that does not leave its folder. */
export function validateLocalDescendingPath(path: string, at: Path): ErrorList {
  const errors: ErrorList = path.startsWith("/")
    ? [invalid(at, path, "must be a relative path")]
    : [];
  return [...errors, ...validatePathNoBacksteps(path, at)];
}

/** As validateLocalDescendingPath, and not starting with `..`: kubelets reserve such names. */
export function validateLocalNonReservedPath(path: string, at: Path): ErrorList {
  const errors = validateLocalDescendingPath(path, at);
  if (path.startsWith("..") && !path.startsWith("../")) {
    errors.push(invalid(at, path, "must not start with '..'"));
  }
  return errors;
}

/** 0 to 0777. */
export function validateFileMode(mode: number | undefined, at: Path): ErrorList {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(at, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

/**
 * Whether a type can stand where another is asked for, and what type parameters become by it.
 * Upstream: cel-go checker/types.go.
 */
import { type CelType, DYN, listOf, mapOf, sameType, typeOf } from "./types.ts";

/** What type parameters stand for; names are unique within one check. */
export type Substitutions = Map<string, CelType>;

export function isDyn(type: CelType): boolean {
  return type.kind === "dyn";
}

function isDynOrError(type: CelType): boolean {
  return type.kind === "dyn" || type.kind === "error";
}

/** Replaces parameters by what they stand for; `free` ones become dyn when `freeIsDyn`. */
export function substitute(of: Substitutions, type: CelType, freeIsDyn: boolean): CelType {
  switch (type.kind) {
    case "param": {
      const found = of.get(type.name);
      if (found !== undefined) return substitute(of, found, freeIsDyn);
      return freeIsDyn ? DYN : type;
    }
    case "list": {
      const elem = substitute(of, type.elem, freeIsDyn);
      return elem === type.elem ? type : listOf(elem);
    }
    case "map": {
      const key = substitute(of, type.key, freeIsDyn);
      const value = substitute(of, type.value, freeIsDyn);
      return key === type.key && value === type.value ? type : mapOf(key, value);
    }
    case "opaque":
      if (type.params.length === 0) return type;
      return { ...type, params: type.params.map((one) => substitute(of, one, freeIsDyn)) };
    case "type":
      return type.of === undefined ? type : typeOf(substitute(of, type.of, freeIsDyn));
    default:
      return type;
  }
}

/**
 * Whether each `from` can be given where `to` is asked for. When so, returns the substitutions
 * that make it so, else undefined; `known` is left as it was.
 */
export function assignAll(
  known: Substitutions,
  from: readonly CelType[],
  to: readonly CelType[],
): Substitutions | undefined {
  if (from.length !== to.length) return undefined;
  const attempt = new Map(known);
  const fits = from.every((one, index) => assign(attempt, one, to[index] as CelType));
  return fits ? attempt : undefined;
}

function assign(known: Substitutions, left: CelType, right: CelType): boolean {
  if (right.kind === "param") {
    const outcome = bindParam(known, left, right);
    if (outcome !== "unbound") return outcome === "bound";
  }
  if (left.kind === "param") return bindParam(known, right, left) === "bound";
  if (isDynOrError(left) || isDynOrError(right)) return true;
  if (left.kind === "null") return nullable(right);
  if (right.kind === "null") return nullable(left);
  switch (left.kind) {
    case "type":
      return right.kind === "type";
    case "list":
      return right.kind === "list" && assign(known, left.elem, right.elem);
    case "map":
      return (
        right.kind === "map" &&
        assign(known, left.key, right.key) &&
        assign(known, left.value, right.value)
      );
    case "opaque":
      return (
        right.kind === "opaque" &&
        left.name === right.name &&
        left.params.length === right.params.length &&
        left.params.every((one, index) => assign(known, one, right.params[index] as CelType))
      );
    default:
      return sameType(left, right);
  }
}

/** "no": the parameter stands for something else already; "unbound": it can not stand for it. */
function bindParam(
  known: Substitutions,
  type: CelType,
  parameter: CelType & { kind: "param" },
): "bound" | "no" | "unbound" {
  if (type.kind === "param" && type.name === parameter.name) return "bound";
  const found = known.get(parameter.name);
  if (found !== undefined) {
    if (sameType(type, found)) return "bound";
    if (!assign(known, type, found)) return "no";
    const general = mostGeneral(type, found);
    if (!refersTo(known, parameter, general)) known.set(parameter.name, general);
    return "bound";
  }
  if (refersTo(known, parameter, type)) return "unbound";
  known.set(parameter.name, type);
  return "bound";
}

function refersTo(
  known: Substitutions,
  parameter: CelType & { kind: "param" },
  within: CelType,
): boolean {
  switch (within.kind) {
    case "param": {
      if (within.name === parameter.name) return true;
      const found = known.get(within.name);
      return found !== undefined && refersTo(known, parameter, found);
    }
    case "list":
      return refersTo(known, parameter, within.elem);
    case "map":
      return refersTo(known, parameter, within.key) || refersTo(known, parameter, within.value);
    case "opaque":
      return within.params.some((one) => refersTo(known, parameter, one));
    case "type":
      return within.of !== undefined && refersTo(known, parameter, within.of);
    default:
      return false;
  }
}

function nullable({ kind }: CelType): boolean {
  return (
    kind === "null" ||
    kind === "opaque" ||
    kind === "object" ||
    kind === "duration" ||
    kind === "timestamp"
  );
}

/** The less specific of two types that go together. */
export function mostGeneral(left: CelType, right: CelType): CelType {
  return lessSpecific(left, right) ? left : right;
}

function lessSpecific(left: CelType, right: CelType): boolean {
  if (isDyn(left) || left.kind === "param") return true;
  if (isDyn(right) || right.kind === "param" || left.kind !== right.kind) return false;
  switch (left.kind) {
    case "list":
      return right.kind === "list" && lessSpecific(left.elem, right.elem);
    case "map":
      return (
        right.kind === "map" &&
        lessSpecific(left.key, right.key) &&
        lessSpecific(left.value, right.value)
      );
    case "opaque":
      return (
        right.kind === "opaque" &&
        left.name === right.name &&
        left.params.length === right.params.length &&
        left.params.every((one, index) => lessSpecific(one, right.params[index] as CelType))
      );
    case "type":
      return true;
    default:
      return sameType(left, right);
  }
}

/**
 * Optional values. Upstream: cel-go cel/library.go, OptionalTypes.
 */
import { member, type Overload, overload } from "../environment.ts";
import { BOOL, listOf, optionalOf, param } from "../types.ts";
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  type CelValue,
  noOverload,
} from "../values.ts";
import { unwrap } from "./operators.ts";

const V = param("V");
const OPTIONAL = optionalOf(V);
const LIST = listOf(V);

/** The first moment that can be written, which is the zero one in Go. */
const YEAR_ONE_NANOS = -62_135_596_800_000_000_000n;

function isZero(value: CelValue): boolean {
  switch (typeof value) {
    case "bigint":
      return value === 0n;
    case "number":
      return value === 0;
    case "string":
      return value === "";
    case "boolean":
      return !value;
    default:
      if (value === null) return true;
      if (value instanceof CelUint) return value.value === 0n;
      if (value instanceof CelDuration) return value.nanos === 0n;
      if (value instanceof CelTimestamp) return value.nanos === YEAR_ONE_NANOS;
      if (value instanceof Uint8Array) return value.length === 0;
      return (value instanceof CelList || value instanceof CelMap) && value.size === 0;
  }
}

function has(value: CelValue): boolean {
  if (!(value instanceof CelOptional)) throw noOverload();
  return value.value !== undefined;
}

function edge(list: CelValue, last: boolean): CelValue {
  if (!(list instanceof CelList)) throw noOverload();
  if (list.size === 0) return CelOptional.none;
  return new CelOptional(list.at(last ? list.size - 1 : 0));
}

function unwrapAll(list: CelValue): CelValue {
  const out: CelValue[] = [];
  for (const one of list instanceof CelList ? list : []) {
    if (!(one instanceof CelOptional)) throw new CelError("value is not optional");
    if (one.value !== undefined) out.push(one.value);
  }
  return new ArrayList(out);
}

/** or() and orValue() are planned apart: they look at their argument only when it is needed. */
const planned = (): CelValue => {
  throw noOverload();
};

export const OPTIONALS: readonly (readonly [string, readonly Overload[]])[] = [
  ["optional.of", [overload("optional_of", [V], OPTIONAL, (value) => new CelOptional(value))]],
  [
    "optional.ofNonZeroValue",
    [
      overload("optional_ofNonZeroValue", [V], OPTIONAL, (value) =>
        isZero(value) ? CelOptional.none : new CelOptional(value),
      ),
    ],
  ],
  ["optional.none", [overload("optional_none", [], OPTIONAL, () => CelOptional.none)]],
  ["value", [member("optional_value", [OPTIONAL], V, unwrap)]],
  ["hasValue", [member("optional_hasValue", [OPTIONAL], BOOL, has)]],
  ["or", [member("optional_or_optional", [OPTIONAL, OPTIONAL], OPTIONAL, planned)]],
  ["orValue", [member("optional_orValue_value", [OPTIONAL, V], V, planned)]],
  ["first", [member("list_first", [LIST], OPTIONAL, (list) => edge(list, false))]],
  ["last", [member("list_last", [LIST], OPTIONAL, (list) => edge(list, true))]],
  ["optional.unwrap", [overload("optional_unwrap", [listOf(OPTIONAL)], LIST, unwrapAll)]],
  ["unwrapOpt", [member("optional_unwrapOpt", [listOf(OPTIONAL)], LIST, unwrapAll)]],
];

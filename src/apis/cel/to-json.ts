/**
 * CEL values as JSON, for what expressions make: patches, claims, apply configurations.
 * Upstream: cel-go's ConvertToNative to structpb.Value; apiserver/pkg/cel/mutation/dynamic.
 */
import { toText } from "./library/conversions.ts";
import {
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelUint,
  type CelValue,
  typeNameOf,
} from "./values.ts";

/** Throws CelError for a value that JSON can not have. Ints beyond 2^53 stay bigints. */
export function toJson(value: CelValue): unknown {
  if (value instanceof CelUint) return numberOf(value.value);
  if (typeof value === "bigint") return numberOf(value);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new CelError("a number that is not finite is no JSON");
  }
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof CelList) return [...value].map(toJson);
  if (value instanceof CelMap) return mapJson(value);
  if (value instanceof CelOptional) return value.value === undefined ? null : toJson(value.value);
  return toText(value);
}

function mapJson(map: CelMap): Record<string, unknown> {
  const entries = [...map.keys()].map((key) => {
    const name = typeof key === "string" ? key : undefined;
    if (name === undefined)
      throw new CelError(`map key of type ${typeNameOf(key)} is no JSON name`);
    return [name, toJson(map.get(key) ?? null)] as const;
  });
  return Object.fromEntries(entries);
}

function numberOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

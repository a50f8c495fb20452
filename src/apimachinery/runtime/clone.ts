/** Copies of plain JSON values. */
import { setOwn } from "./json-reader.ts";

/**
 * A deep copy of an object made of plain objects, lists and scalars: several times faster than
 * structuredClone, which knows more kinds of values than JSON has. The value has no cycles; its
 * depth is bounded by whoever decoded it. Frozen sets of managed fields stay shared.
 */
export function cloneJson<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (let i = 0; i < value.length; i++) list.push(copyOf(value[i]));
    return list;
  }
  const from = value as Record<string, unknown>;
  const object: Record<string, unknown> = {};
  for (const name in from) {
    const member = from[name];
    const isShared = name === "fieldsV1" && Object.isFrozen(member);
    const copied = typeof member === "object" && !isShared ? copyOf(member) : member;
    if (name === "__proto__") setOwn(object, name, copied);
    else object[name] = copied;
  }
  return object;
}

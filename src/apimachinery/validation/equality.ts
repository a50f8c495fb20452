/**
 * Equality in upstream's sense (apiequality.Semantic.DeepEqual): nil and empty lists and maps are
 * the same, quantities compare by amount, a nil pointer differs from a pointer to a zero value.
 * With a schema this is exact; without one, absent and empty lists are the same and nothing else.
 */
import { compareQuantity, parseQuantity } from "../quantity.ts";
import type { FieldSchema, StructSchema, TypeSchema } from "../runtime/type-schema.ts";

type Members = Readonly<Record<string, unknown>>;

/** Whether `a` and `b` are the same to upstream; give the type's schema where it is at hand. */
export function semanticDeepEqual(a: unknown, b: unknown, type?: TypeSchema): boolean {
  if (a === b) return true;
  if (type?.kind === "struct") return sameStruct(membersOf(a), membersOf(b), type);
  if (type?.kind === "map") return sameMembers(membersOf(a), membersOf(b), type.value);
  if (type?.kind === "list") return sameList(listOf(a), listOf(b), type.elem);
  if (type?.kind === "quantity") return sameQuantity(a, b);
  if (isEmptyList(a) && isEmptyList(b)) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && sameList(a, b, undefined);
  }
  if (isMembers(a) && isMembers(b)) return sameMembers(a, b, undefined);
  return isInteger(a) && isInteger(b) && String(a) === String(b);
}

function sameStruct(a: Members, b: Members, schema: StructSchema): boolean {
  for (const field of schema.fields) {
    const left = a[field.json];
    const right = b[field.json];
    if (left === right) continue;
    if (!sameField(left, right, field)) return false;
  }
  return true;
}

function sameField(a: unknown, b: unknown, { type, pointer }: FieldSchema): boolean {
  if (pointer && (a === undefined) !== (b === undefined)) return false;
  if (a !== undefined && b !== undefined) return semanticDeepEqual(a, b, type);
  if (["struct", "map", "list", "quantity"].includes(type.kind))
    return semanticDeepEqual(a, b, type);
  const present = a ?? b;
  if (type.kind === "bytes") return present === "";
  return present === "" || present === false || present === 0 || present === 0n;
}

function sameMembers(a: Members, b: Members, value: TypeSchema | undefined): boolean {
  for (const key in a) {
    if (value !== undefined && !Object.hasOwn(b, key)) return false;
    if (!semanticDeepEqual(a[key], b[key], value)) return false;
  }
  for (const key in b) {
    if (Object.hasOwn(a, key)) continue;
    if (value !== undefined || !semanticDeepEqual(undefined, b[key])) return false;
  }
  return true;
}

function sameList(
  a: readonly unknown[],
  b: readonly unknown[],
  elem: TypeSchema | undefined,
): boolean {
  return a.length === b.length && a.every((item, i) => semanticDeepEqual(item, b[i], elem));
}

function sameQuantity(a: unknown, b: unknown): boolean {
  return compareQuantity(parseQuantity(String(a ?? "0")), parseQuantity(String(b ?? "0"))) === 0;
}

const NO_MEMBERS: Members = Object.freeze({});
const NO_ITEMS: readonly unknown[] = Object.freeze([]);

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function membersOf(value: unknown): Members {
  return isMembers(value) ? value : NO_MEMBERS;
}
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NO_ITEMS;
}
function isEmptyList(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
function isInteger(value: unknown): boolean {
  return typeof value === "bigint" || typeof value === "number";
}

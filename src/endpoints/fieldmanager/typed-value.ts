/**
 * Checking a value against its merge type, and the set of fields it mentions.
 * Upstream: structured-merge-diff/typed/validate.go and tofieldset.go.
 */
import { EMPTY, FieldSet, LEAF, type SetNode } from "./field-set.ts";
import { ItemError, itemElement } from "./list-item.ts";
import {
  type MergeList,
  type MergeMap,
  type MergeType,
  memberType,
  NOTHING,
  partOf,
} from "./merge-type.ts";
import { elementText, fieldElement, indexElement } from "./path-element.ts";
import {
  goSyntaxText,
  goText,
  goTypeOf,
  isEmptyMap,
  isMap,
  type Json,
  type JsonMap,
} from "./value.ts";

/** What is wrong with a value, all of it, with upstream's text. */
export class TypedValueError extends Error {
  override readonly name = "TypedValueError";
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    const [only = ""] = errors;
    super(errors.length === 1 ? only : ["errors:", ...errors.map((e) => `  ${e}`)].join("\n"));
    this.errors = errors;
  }
}

/** Errors beyond these are not listed: a body of wrong items must not make a message of megabytes. */
const ERRORS_MAX = 100;

/** Errors found so far, each with the path below the value that is being checked. */
type Found = { path: string; message: string }[];

/** Throws TypedValueError when the value does not conform to the type. */
export function validateTyped(type: MergeType, value: Json, allowDuplicates: boolean): void {
  const found: Found = [];
  check(found, type, value, allowDuplicates);
  if (found.length === 0) return;
  const texts = found.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  throw new TypedValueError(texts.slice(0, ERRORS_MAX));
}

/** Paths grow on the way out, so that a value without errors costs no paths. */
function prefix(found: Found, from: number, element: string): void {
  const text = elementText(element);
  for (let i = from; i < found.length; i++) {
    const error = found[i];
    if (error !== undefined) error.path = text + error.path;
  }
}

function report(found: Found, message: string): void {
  if (found.length < ERRORS_MAX) found.push({ path: "", message });
}

function check(found: Found, type: MergeType, value: Json, allowDuplicates: boolean): void {
  if (value === null || value === undefined) return;
  switch (partOf(type, value)) {
    case "map":
      if (!isMap(value)) report(found, `expected map, got &{${goText(value)}}`);
      else if (type.map) checkMap(found, type.map, value, allowDuplicates);
      return;
    case "scalar": {
      const message = scalarError(type, value);
      if (message !== undefined) report(found, message);
      return;
    }
    case "list":
      if (!Array.isArray(value)) report(found, `expected list, got &{${goText(value)}}`);
      else if (type.list) checkList(found, type.list, value, allowDuplicates);
      return;
    default:
      report(found, "schema error: invalid atom: inlined");
  }
}

/** Why a value is no such scalar, or undefined. Null is one of every kind. */
export function scalarError({ scalar }: MergeType, value: Json): string | undefined {
  if (value === null || value === undefined) return undefined;
  const kind = typeof value;
  const isNumber = kind === "number" || kind === "bigint";
  switch (scalar) {
    case "numeric":
      return isNumber ? undefined : `expected numeric (int or float), got ${goTypeOf(value)}`;
    case "string":
      if (kind === "string") return undefined;
      return `expected string, got &value.valueUnstructured{Value:${goSyntaxText(value)}}`;
    case "boolean":
      return kind === "boolean" ? undefined : `expected boolean, got &{${goText(value)}}`;
    default:
      if (isNumber || kind === "string" || kind === "boolean") return undefined;
      return `expected any scalar, got &{${goText(value)}}`;
  }
}

function checkMap(found: Found, map: MergeMap, value: JsonMap, allowDuplicates: boolean): void {
  for (const name in value) {
    const type = memberType(map, name);
    const from = found.length;
    if (type === undefined) report(found, "field not declared in schema");
    else check(found, type, value[name], allowDuplicates);
    if (found.length > from) prefix(found, from, fieldElement(name));
    if (type === undefined) return;
  }
}

function checkList(
  found: Found,
  list: MergeList,
  items: readonly Json[],
  allowDuplicates: boolean,
): void {
  const seen = new Set<string>();
  for (let i = 0; i < items.length; i++) {
    let element: string | undefined;
    if (list.associative) {
      try {
        element = itemElement(list, items[i]);
      } catch (error) {
        if (!(error instanceof ItemError)) throw error;
        report(found, `element ${i}: ${error.message}`);
        return;
      }
      if (!allowDuplicates) {
        if (seen.has(element)) report(found, `duplicate entries for key ${elementText(element)}`);
        seen.add(element);
      }
    }
    const from = found.length;
    check(found, list.elem, items[i], allowDuplicates);
    if (found.length > from) prefix(found, from, element ?? indexElement(i));
  }
}

/** Every leaf and item the value mentions. The value has been validated. */
export function toFieldSet(type: MergeType, value: Json): FieldSet {
  return nodeOfValue(type, value).children ?? EMPTY;
}

interface MutableNode {
  member: boolean;
  children: FieldSet | undefined;
}

function nodeOfValue(type: MergeType, value: Json): MutableNode {
  switch (partOf(type, value)) {
    case "map":
      if (type.map?.atomic) return { member: true, children: undefined };
      if (type.map && isMap(value)) return { member: false, children: fieldsOf(type.map, value) };
      return { member: false, children: undefined };
    case "list":
      if (type.list?.associative !== true) return { member: true, children: undefined };
      if (!Array.isArray(value)) return { member: false, children: undefined };
      return { member: false, children: itemsOf(type.list, value) };
    default:
      return { member: true, children: undefined };
  }
}

function fieldsOf(map: MergeMap, value: JsonMap): FieldSet | undefined {
  const entries = new Map<string, SetNode>();
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    const isField = map.fields.has(name);
    const node = nodeOfValue(memberType(map, name) ?? NOTHING, member);
    if (!isField || member === null || (isMap(member) && isEmptyMap(member))) node.member = true;
    addNode(entries, fieldElement(name), node);
  }
  return entries.size === 0 ? undefined : FieldSet.internedOf(entries);
}

function addNode(entries: Map<string, SetNode>, element: string, node: MutableNode): void {
  if (node.children !== undefined) entries.set(element, node);
  else if (node.member) entries.set(element, LEAF);
}

/** An item that occurs more than once is owned as a whole. */
function itemsOf(list: MergeList, items: readonly Json[]): FieldSet | undefined {
  const entries = new Map<string, SetNode>();
  for (const item of items) {
    const element = elementOrUndefined(list, item);
    if (element === undefined) continue;
    if (entries.has(element)) entries.set(element, LEAF);
    else {
      const node = nodeOfValue(list.elem, item);
      node.member = true;
      addNode(entries, element, node);
    }
  }
  return entries.size === 0 ? undefined : FieldSet.internedOf(entries);
}

/** The item's element, or undefined for an item that validation would have refused. */
export function elementOrUndefined(list: MergeList, item: Json): string | undefined {
  try {
    return itemElement(list, item);
  } catch (error) {
    if (error instanceof ItemError) return undefined;
    throw error;
  }
}

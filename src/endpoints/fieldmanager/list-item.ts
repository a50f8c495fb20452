/**
 * The path element of an item of an associative list.
 * Upstream: structured-merge-diff/typed/helpers.go.
 */
import { quote } from "../../apimachinery/validation/field.ts";
import type { MergeList } from "./merge-type.ts";
import { keyElement, valueElement } from "./path-element.ts";
import { isMap, type Json, type JsonMap, memberOf } from "./value.ts";

/** An item that has no path element; the message follows `element 3: `. */
export class ItemError extends Error {
  override readonly name = "ItemError";
}

/** The element of `item`. Throws ItemError when the item cannot be addressed. */
export function itemElement(list: MergeList, item: Json): string {
  if (!list.associative) throw new ItemError("invalid indexing of non-associative list");
  if (list.keys.length > 0) return keyedElement(list, item);
  if (Array.isArray(item)) {
    throw new ItemError("not supported: associative list with lists as elements");
  }
  if (item === null || item === undefined) {
    throw new ItemError("associative list without keys has an element that's an explicit null");
  }
  if (isMap(item)) {
    throw new ItemError("associative list without keys has an element that's a map type");
  }
  return valueElement(item);
}

const PLAIN = /^[\w./:@ -]*$/;

function keyedElement(list: MergeList, item: Json): string {
  if (item === null || item === undefined) {
    throw new ItemError("associative list with keys may not have a null element");
  }
  if (!isMap(item)) {
    throw new ItemError("associative list with keys may not have non-map elements");
  }
  const [first = ""] = list.keys;
  if (list.keys.length === 1) {
    const value = item[first];
    if (typeof value === "string" && PLAIN.test(value)) return `k:{"${first}":"${value}"}`;
  }
  const fields = keyFields(list, item);
  if (fields.length === 0) {
    const names = list.declaredKeys.map(quote).join(" ");
    throw new ItemError(
      `associative list with keys has an element that omits all key fields [${names}] ` +
        "(and doesn't have default values for any key fields)",
    );
  }
  return keyElement(fields);
}

/** The key fields the item has or that have a default; a key without both is left out. */
function keyFields(list: MergeList, item: JsonMap): (readonly [string, Json])[] {
  const fields: (readonly [string, Json])[] = [];
  for (const name of list.keys) {
    const value = memberOf(item, name);
    if (value !== undefined) fields.push([name, value]);
    else {
      const { map } = list.elem;
      if (map === undefined) {
        throw new ItemError(
          `couldn't find default value for ${name}: associative list may not have non-map types`,
        );
      }
      const fallback = map.fields.get(name)?.default;
      if (fallback !== undefined && fallback !== null) fields.push([name, fallback]);
    }
  }
  return fields;
}

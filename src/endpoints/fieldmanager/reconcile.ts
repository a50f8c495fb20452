/**
 * Field sets written under an older schema: what was granular then and is one leaf now is owned as
 * the leaf. Works on the JSON of the sets, because nearly always nothing is to be done.
 * Upstream: structured-merge-diff/typed/reconcile_schema.go.
 */
import { FieldSet } from "./field-set.ts";
import { deduced, type MergeType, memberType } from "./merge-type.ts";
import { isEmptyMap, type JsonMap } from "./value.ts";

/** The last type that a set was found to need no change for: sets are shared by many objects. */
const unchangedFor = new WeakMap<FieldSet, MergeType>();

/** The set as the schema sees it now; the same set when it needs no change. */
export function reconcileWithSchema(type: MergeType, set: FieldSet): FieldSet {
  if (unchangedFor.get(set) === type) return set;
  const paths: string[][] = [];
  collect(type, set.toFieldsV1(), [], paths);
  if (paths.length === 0) {
    unchangedFor.set(set, type);
    return set;
  }
  const leaves = FieldSet.ofPaths(...paths);
  return set.recursiveDifference(leaves).union(leaves);
}

function collect(type: MergeType, raw: JsonMap, path: string[], found: string[][]): void {
  if (type.map !== undefined) {
    if (isUntypedDeduced(type)) return;
    if (type.map.atomic) {
      if (path.length > 0) found.push([...path]);
      return;
    }
  } else if (type.scalar !== undefined) return;
  else if (type.list !== undefined && !type.list.associative) {
    if (path.length > 0) found.push([...path]);
    return;
  }
  for (const element in raw) {
    const below = raw[element] as JsonMap;
    // What is owned as a leaf may stay one.
    if (isEmptyMap(below)) continue;
    const childType = childTypeOf(type, element);
    if (childType === undefined) continue;
    path.push(element);
    collect(childType, below, path, found);
    path.pop();
  }
}

function childTypeOf({ map, list }: MergeType, element: string): MergeType | undefined {
  if (map === undefined) return list?.elem;
  return element.charCodeAt(0) === 0x66 ? memberType(map, element.slice(2)) : map.elem;
}

/** Free-form maps cannot have been granular and now be atomic. */
function isUntypedDeduced({ map }: MergeType): boolean {
  return map !== undefined && map.fields.size === 0 && map.elem === deduced;
}

/** Whether an update changes a member of an object, with the eyes of Go's types. */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { metadataOf } from "../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../apimachinery/validation/equality.ts";
import { structOf } from "../apis/schemas.ts";

/**
 * True when one of `members` differs between the two objects of the struct `goName`. A member that
 * one leaves out and the other holds as Go's zero is the same: stored objects have such zeros.
 */
export function hasChanged<T extends KubeObject>(
  object: T,
  old: T,
  goName: string,
  ...members: (keyof T & string)[]
): boolean {
  const { byJson } = structOf(goName);
  return members.some(
    (name) => !semanticDeepEqual(object[name], old[name], byJson.get(name)?.type),
  );
}

/** metadata.generation is one more than the stored object's when one of `members` differs. */
export function bumpGenerationOf<T extends KubeObject>(
  object: T,
  old: T,
  goName: string,
  ...members: (keyof T & string)[]
): void {
  if (!hasChanged(object, old, goName, ...members)) return;
  metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
}

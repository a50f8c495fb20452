/**
 * The small steps that many strategies share: what of an object stays as stored, and generation.
 * Upstream: the Prepare functions of the strategy.go files, and rest.ResetObjectMetaForStatus.
 */

import { type KubeObject, metadataOf, type ObjectMeta } from "../apimachinery/meta/types.ts";
import { cloneJson } from "../apimachinery/runtime/clone.ts";
import { semanticDeepEqual } from "../apimachinery/validation/equality.ts";
import type { ErrorList } from "../apimachinery/validation/field.ts";
import type { StrategyContext, SubresourceStrategy } from "./rest/strategy.ts";

/** A generated API type with the metadata of any object, as strategies want it. */
export type Kube<T> = Omit<T, "metadata"> & KubeObject;

/** Gives `object` the fields of `old`; what `old` lacks is dropped. */
export function keepFields<T extends object>(object: T, old: T, ...names: (keyof T)[]): void {
  for (const name of names) {
    const kept = old[name];
    if (kept === undefined) delete object[name];
    else object[name] = cloneJson(kept);
  }
}

/** metadata.generation of a new object. */
export function startGeneration(object: KubeObject): void {
  metadataOf(object).generation = 1;
}

/** One more than the stored generation when one of `names` differs from the stored object's. */
export function bumpGeneration<T extends KubeObject>(
  object: T,
  old: T,
  ...names: (keyof T)[]
): void {
  const changed = names.some((name) => !semanticDeepEqual(object[name], old[name]));
  if (changed) metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
}

const RESET: readonly (keyof ObjectMeta)[] = [
  "deletionTimestamp",
  "generation",
  "selfLink",
  "labels",
  "annotations",
  "finalizers",
  "ownerReferences",
];

/** A status endpoint that leaves metadata as stored. Upstream: ResetObjectMetaForStatus. */
export function keepMetadata(object: KubeObject, old: KubeObject): void {
  keepFields(metadataOf(object), old.metadata ?? {}, ...RESET);
}

/**
 * The strategy of `/status` where spec stays as stored and metadata may change. `validate` gives
 * the errors beyond metadata's.
 */
export function statusStrategy<T extends KubeObject & { spec?: unknown }>(
  validate: (object: T, old: T, context: StrategyContext) => ErrorList = () => [],
  options: { keepsMetadata?: boolean; keeps?: readonly (keyof T)[] } = {},
): SubresourceStrategy<T> {
  const keeps = options.keeps ?? ["spec"];
  return {
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, ...(keeps as (keyof T)[]));
      if (options.keepsMetadata) keepMetadata(object, old);
    },
    validateUpdate: (context, object, old) => validate(object, old, context),
    resetFields: options.keepsMetadata ? ["spec", "metadata"] : ["spec"],
  };
}

/**
 * kubectl's client-side annotation of what it applied last.
 * Upstream: apimachinery/pkg/util/managedfields/internal/lastapplied{,manager,updater}.go.
 */
import { compare } from "./compare.ts";
import type { FieldSet } from "./field-set.ts";
import { canonicalJson } from "./path-element.ts";
import { TypedValueError, toFieldSet, validateTyped } from "./typed-value.ts";
import type { TypedObject } from "./updater.ts";
import { isMap, type Json, type JsonMap } from "./value.ts";

export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** All of an object's annotations together; larger, and the annotation is dropped. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/** The annotation for a configuration: its JSON without the annotation itself. */
export function lastAppliedValue(config: JsonMap): string {
  const { metadata } = config as { metadata?: Json };
  let object: JsonMap = config;
  if (isMap(metadata) && isMap(metadata["annotations"])) {
    const { [LAST_APPLIED]: _dropped, ...annotations } = metadata["annotations"];
    object = { ...config, metadata: { ...metadata, annotations } };
  }
  return `${canonicalJson(object)}\n`;
}

export function withinSize(annotations: JsonMap): boolean {
  let bytes = 0;
  for (const [name, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(String(value));
  }
  return bytes <= ANNOTATIONS_BYTES_MAX;
}

/**
 * The fields of the live object that still are as the annotation applied them: kubectl may take
 * these without force. Undefined when there is no usable annotation.
 */
export function allowedConflicts(
  live: JsonMap | undefined,
  apiVersion: string,
  typed: (object: JsonMap, allowDuplicates: boolean) => TypedObject,
): FieldSet | undefined {
  const text = annotationOf(live);
  if (live === undefined || text === undefined) return undefined;
  try {
    const applied: Json = JSON.parse(text);
    if (!isMap(applied) || applied["apiVersion"] !== apiVersion) return undefined;
    const liveTyped = typed(live, false);
    validateTyped(liveTyped.type, applied, false);
    const { added, modified, removed } = compare(liveTyped.type, applied, liveTyped.value);
    return toFieldSet(liveTyped.type, applied)
      .difference(modified)
      .difference(added)
      .difference(removed);
  } catch (error) {
    if (error instanceof TypedValueError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function annotationOf(live: JsonMap | undefined): string | undefined {
  const metadata = live?.["metadata"];
  const annotations = isMap(metadata) ? metadata["annotations"] : undefined;
  const value = isMap(annotations) ? annotations[LAST_APPLIED] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

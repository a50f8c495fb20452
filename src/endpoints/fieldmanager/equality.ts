/**
 * Writes that would change nothing but times of managed fields.
 * Upstream: apiserver/pkg/endpoints/handlers/fieldmanager/equality.go.
 */
import { equals, isMap, type Json, type JsonMap } from "./value.ts";

/**
 * The new object, with the old times in its managed fields when nothing else differs from the old
 * object, so that the write can be left out. Neither argument is written to.
 */
export function ignoreManagedFieldsTimestamps(next: JsonMap, old: JsonMap): JsonMap {
  const { metadata: nextMeta, ...nextRest } = next as { metadata?: Json };
  const { metadata: oldMeta, ...oldRest } = old as { metadata?: Json };
  if (!isMap(nextMeta) || !isMap(oldMeta)) return next;
  const { managedFields: theirs, ...nextMetaRest } = nextMeta;
  const { managedFields: ours, ...oldMetaRest } = oldMeta;
  if (!Array.isArray(theirs) || !Array.isArray(ours)) return next;
  if (theirs.length !== ours.length || theirs.length === 0) return next;
  if (theirs.every((entry, i) => timeOf(entry) === timeOf(ours[i]))) return next;
  if (!theirs.every((entry, i) => equals(timeless(entry), timeless(ours[i])))) return next;
  if (!equals(nextMetaRest, oldMetaRest) || !equals(nextRest, oldRest)) return next;
  return { ...nextRest, metadata: { ...nextMetaRest, managedFields: ours } };
}

const timeOf = (entry: Json): Json => (isMap(entry) ? entry["time"] : undefined);

function timeless(entry: Json): Json {
  if (!isMap(entry)) return entry;
  const { time: _time, ...rest } = entry as { time?: Json };
  return rest;
}

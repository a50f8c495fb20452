/** Events of events.k8s.io/v1 as core/v1's, and back. Upstream: pkg/apis/events/v1/conversion.go. */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";

/** events.k8s.io/v1's names of the fields that core/v1 calls otherwise. */
const RENAMED: readonly (readonly [event: string, core: string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];
const toCoreName = new Map(RENAMED);
const toEventName = new Map(RENAMED.map(([event, core]) => [core, event]));

function renamed(object: KubeObject, names: ReadonlyMap<string, string>, apiVersion: string) {
  const entries = Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]);
  return { ...Object.fromEntries(entries), apiVersion } as KubeObject;
}

/** The stored form: core/v1's. */
export function toCoreEvent(object: KubeObject): KubeObject {
  return renamed(object, toCoreName, "v1");
}

/** As events.k8s.io/v1 has it. */
export function fromCoreEvent(object: KubeObject): KubeObject {
  return renamed(object, toEventName, "events.k8s.io/v1");
}

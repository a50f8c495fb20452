/** Small builders for tests of the native cache. */
import type { ResourceConfig, ResourceId, WatchId } from "../../src/native/binding.ts";
import { EncodingCode, native } from "../../src/native/binding.ts";

const buffer = Buffer.alloc(1 << 20);
let names = 0;

export const podConfig = (extra: Partial<ResourceConfig> = {}): ResourceConfig => ({
  name: `pods-test-${process.pid}-${names++}`,
  apiVersion: "v1",
  kind: "Pod",
  goName: "k8s.io/api/core/v1.Pod",
  namespaced: true,
  fieldPaths: ["spec.nodeName", "status.phase"],
  ...extra,
});
export const customConfig = (extra: Partial<ResourceConfig> = {}): ResourceConfig => ({
  name: `widgets-test-${process.pid}-${names++}`,
  apiVersion: "example.com/v1",
  kind: "Widget",
  goName: "",
  namespaced: true,
  fieldPaths: [],
  ...extra,
});

export interface PodParts {
  readonly labels?: Record<string, string>;
  readonly node?: string;
  readonly note?: string;
}

/** A pod as the store holds it: the protobuf envelope, no resourceVersion. */
export function storedPod(key: string, parts: PodParts = {}): Buffer {
  const [namespace, name] = key.split("/");
  const json = {
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(parts.labels ? { labels: parts.labels } : {}),
      ...(parts.note ? { annotations: { note: parts.note } } : {}),
    },
    spec: { containers: [{ name: "c", image: "i<1>" }], nodeName: parts.node ?? "" },
    status: { phase: "Running" },
  };
  const goName = "k8s.io/api/core/v1.Pod";
  const text = Buffer.from(JSON.stringify(json));
  const n = native.jsonToProto(goName, "Pod", "v1", "", text, buffer, true);
  if (n <= 0) throw new Error(`jsonToProto: ${n}`);
  return Buffer.from(buffer.subarray(0, n));
}

export function getText(
  id: ResourceId,
  key: string,
  encoding: EncodingCode = EncodingCode.json,
): string | number {
  const n = native.get(id, key, encoding, buffer);
  return n > 0 ? buffer.toString("utf8", 0, n) : n;
}

export interface SeenEvent {
  readonly type: string;
  readonly object: {
    kind: string;
    metadata: {
      name?: string;
      namespace?: string;
      resourceVersion: string;
      annotations?: Record<string, string>;
    };
  };
}

/** All JSON events that are ready; a number when the watch ended. */
export function readEvents(watch: WatchId): SeenEvent[] | number {
  let text = "";
  for (;;) {
    const n = native.watchRead(watch, buffer);
    if (n < 0) return n;
    if (n === 0) break;
    text += buffer.toString("utf8", 0, n);
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SeenEvent);
}
/** `ADDED default/a 5` for each. */
export function brief(events: SeenEvent[] | number): string[] {
  if (typeof events === "number") return [`end ${events}`];
  return events.map((event) => {
    const { namespace, name, resourceVersion } = event.object.metadata;
    const key = name === undefined ? event.object.kind : `${namespace}/${name}`;
    return `${event.type} ${key} ${resourceVersion}`;
  });
}

/** The objects of every scenario, and how many of them there are. */
import { call, type Target } from "./target.ts";

export interface Sizes {
  readonly pods: number;
  readonly configMaps: number;
  readonly watchers: number;
  readonly idleWatchers: number;
  readonly gets: number;
  readonly writes: number;
  readonly lists: number;
  readonly stormClients: number;
  readonly connections: number;
  readonly definitions: number;
  readonly mixedSeconds: number;
}

export const fullSizes: Sizes = {
  pods: 10_000,
  configMaps: 10_000,
  watchers: 5_000,
  idleWatchers: 20_000,
  gets: 40_000,
  writes: 5_000,
  lists: 10,
  stormClients: 32,
  connections: 2_000,
  definitions: 500,
  mixedSeconds: 60,
};
export const quickSizes: Sizes = {
  pods: 1_000,
  configMaps: 300,
  watchers: 500,
  idleWatchers: 1_000,
  gets: 4_000,
  writes: 400,
  lists: 5,
  stormClients: 8,
  connections: 200,
  definitions: 20,
  mixedSeconds: 4,
};

const PAD = "x".repeat(230);

/** A pod of about 10 KB of JSON as served; labels and node spread over 100 values. */
export function pod(name: string, index: number): string {
  const annotations: Record<string, string> = {};
  for (let k = 0; k < 18; k++) annotations[`bench.example/${k}`] = PAD;
  const env = Array.from({ length: 30 }, (_, k) => ({
    name: `VAR_${k}`,
    value: `value-${k}-${PAD.slice(0, 20)}`,
  }));
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      labels: { app: `app-${index % 100}`, index: String(index % 1000) },
      annotations,
    },
    spec: { nodeName: `node-${index % 100}`, containers: [{ name: "c", image: "nginx:1", env }] },
  });
}

export function podName(index: number): string {
  return `pod-${String(index).padStart(6, "0")}`;
}

/** A ConfigMap of `bytes` bytes of payload. */
export function configMap(name: string, bytes: number, sent = "0", labels = {}): string {
  const data = { sent, pad: "y".repeat(bytes) };
  const metadata = { name, namespace: "default", labels };
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
}

/** Runs `count` jobs, `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  job: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) await job(index);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}

export const PODS = "/api/v1/namespaces/default/pods";
export const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

/** The pods that reads work on. A peer may have them from an earlier run. */
export async function loadPods(target: Target, count: number): Promise<void> {
  await inParallel(count, 16, (i) =>
    call(target, "POST", PODS, pod(podName(i), i)).catch((error: Error) => {
      if (!error.message.includes(": 409 ")) throw error;
    }),
  );
}

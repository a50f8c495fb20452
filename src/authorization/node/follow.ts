/** Keeps a NodeGraph in step with the store. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Storage } from "../../storage/interfaces.ts";
import { type Informer, type InformerHandler, startInformer } from "../informer.ts";
import { NodeGraph } from "./graph.ts";
import { type PodDigest, readPod } from "./pod-digest.ts";
import type { NodeVolume } from "./references.ts";

export interface FollowedGraph {
  /** The graph once it is complete; the first call starts reading. */
  graph(): Promise<NodeGraph>;
  close(): void;
}

const decoder = new TextDecoder();

/** Without what may be long and is not asked for: all threads keep one of each. */
function essence<T extends KubeObject>(object: T): T {
  const { name, namespace } = object.metadata ?? {};
  const { devices: _, sharedCounters: _s, ...spec } = (object as OfNode).spec ?? {};
  return { metadata: { name, namespace }, spec } as unknown as T;
}

interface OfNode extends KubeObject {
  readonly spec?: { readonly devices?: unknown; readonly sharedCounters?: unknown };
}

/** Reads nothing before graph() is first called. */
export function followNodeGraph(
  storageOf: (group: string, resource: string) => Storage | undefined,
  onError: (error: unknown) => void,
): FollowedGraph {
  const informers: Informer[] = [];
  let loading: Promise<NodeGraph> | undefined;
  const load = async (): Promise<NodeGraph> => {
    const graph = new NodeGraph();
    const follow = <T extends KubeObject>(
      group: string,
      resource: string,
      upsert: (object: T) => void,
      remove: (object: T) => void,
      read: InformerHandler<T>["read"] = (json) => essence(JSON.parse(decoder.decode(json)) as T),
    ) => {
      const storage = storageOf(group, resource);
      if (storage === undefined) return;
      informers.push(startInformer<T>(storage, { upsert, remove, read }, onError));
    };
    follow<PodDigest>(
      "",
      "pods",
      (one) => graph.setPod(one),
      (one) => graph.removePod(one),
      readPod,
    );
    follow<NodeVolume>(
      "",
      "persistentvolumes",
      (one) => graph.setVolume(one),
      (one) => graph.removeVolume(one),
    );
    follow(
      "storage.k8s.io",
      "volumeattachments",
      (one) => graph.setAttachment(one),
      (one) => graph.removeAttachment(one),
    );
    follow(
      "resource.k8s.io",
      "resourceslices",
      (one) => graph.setSlice(one),
      (one) => graph.removeSlice(one),
    );
    await Promise.all(informers.map((one) => one.synced));
    return graph;
  };
  return {
    graph() {
      loading ??= load();
      return loading;
    },
    close() {
      for (const one of informers) one.close();
    },
  };
}

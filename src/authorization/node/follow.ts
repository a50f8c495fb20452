/** Keeps a NodeGraph in step with the store. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Storage } from "../../storage/interfaces.ts";
import { type Informer, startInformer } from "../informer.ts";
import { NodeGraph } from "./graph.ts";
import type { NodePod, NodeVolume } from "./references.ts";

export interface FollowedGraph {
  /** The graph once it is complete; the first call starts reading. */
  graph(): Promise<NodeGraph>;
  close(): void;
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
    ) => {
      const storage = storageOf(group, resource);
      if (storage === undefined) return;
      informers.push(startInformer<T>(storage, { upsert, remove }, onError));
    };
    follow<NodePod>(
      "",
      "pods",
      (one) => graph.setPod(one),
      (one) => graph.removePod(one),
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

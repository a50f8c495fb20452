/** Who owns whom, as the metadata of all objects tells it. Upstream: garbagecollector/graph.go. */
import type { KubeObject, OwnerReference } from "../../apimachinery/meta/types.ts";
import type { DeletableResource } from "./discovery.ts";

export interface GraphNode {
  readonly uid: string;
  readonly of: DeletableResource;
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
}

/** Memory: a few hundred bytes an object; only what may own or be owned is kept in full. */
export class GarbageGraph {
  readonly #nodes = new Map<string, GraphNode>();
  /** By owner uid. */
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }
  has(uid: string): boolean {
    return this.#nodes.has(uid);
  }
  dependentsOf(uid: string): readonly GraphNode[] {
    const uids = this.#dependents.get(uid) ?? [];
    return [...uids].flatMap((one) => this.#nodes.get(one) ?? []);
  }

  put(of: DeletableResource, object: KubeObject): GraphNode {
    const { metadata = {} } = object;
    const node: GraphNode = {
      uid: metadata.uid ?? "",
      of,
      namespace: metadata.namespace ?? "",
      name: metadata.name ?? "",
      owners: metadata.ownerReferences ?? [],
      finalizers: metadata.finalizers ?? [],
      deleting: metadata.deletionTimestamp !== undefined,
    };
    this.#unlink(node.uid);
    this.#nodes.set(node.uid, node);
    for (const { uid = "" } of node.owners) {
      const set = this.#dependents.get(uid) ?? new Set();
      set.add(node.uid);
      this.#dependents.set(uid, set);
    }
    return node;
  }

  remove(uid: string): void {
    this.#unlink(uid);
    this.#nodes.delete(uid);
  }

  #unlink(uid: string): void {
    for (const owner of this.#nodes.get(uid)?.owners ?? []) {
      const set = this.#dependents.get(owner.uid ?? "");
      set?.delete(uid);
      if (set?.size === 0) this.#dependents.delete(owner.uid ?? "");
    }
  }
}

/**
 * Deletes what its owners left behind, in the three ways a deletion can ask for.
 * Upstream: pkg/controller/garbagecollector/garbagecollector.go.
 */
import type { KubeObject, OwnerReference } from "../../apimachinery/meta/types.ts";
import { type ApiClient, isConflict, isNotFound } from "../api-client.ts";
import { Informer } from "../informer.ts";
import { WorkQueue } from "../work-queue.ts";
import { collectionPath, type DeletableResource, discoverResources } from "./discovery.ts";
import { GarbageGraph, type GraphNode } from "./garbage-graph.ts";

const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";
const WORKERS = 8;
const DISCOVERY_MS = 30_000;
/** Nothing owns these, and they own nothing: upstream ignores them too. */
const IGNORED = new Set(["events."]);

export interface GarbageCollectorConfig {
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
}

export class GarbageCollector {
  readonly #client: ApiClient;
  readonly #config: GarbageCollectorConfig;
  readonly #graph = new GarbageGraph();
  readonly #queue: WorkQueue;
  readonly #resources = new Map<string, DeletableResource>();
  /** Owners looked up and not found; a uid never comes back. Bounded below. */
  readonly #absent = new Set<string>();
  #synced = false;

  constructor(client: ApiClient, config: GarbageCollectorConfig) {
    this.#client = client;
    this.#config = config;
    const { signal, onError } = config;
    this.#queue = new WorkQueue((uid) => this.#work(uid), {
      name: "garbage_collector_attempt_to_delete",
      workers: WORKERS,
      signal,
      onError,
    });
  }

  /** Follows every resource; those that appear later are found by discovery. */
  async run(): Promise<void> {
    while (!this.#config.signal.aborted) {
      try {
        await this.#followAll();
      } catch (error) {
        this.#config.onError("garbage collector's discovery", error);
      }
      await new Promise((resolve) => setTimeout(resolve, DISCOVERY_MS).unref());
    }
  }

  async #followAll(): Promise<void> {
    const started: Promise<void>[] = [];
    for (const of of await discoverResources(this.#client)) {
      const key = `${of.resource}.${of.group}`;
      const can = (verb: string) => of.verbs.includes(verb);
      const isGarbage = can("delete") && can("list") && can("watch");
      const isEvent = IGNORED.has(key) || of.resource === "events";
      if (!isGarbage || isEvent || this.#resources.has(key)) continue;
      this.#resources.set(key, of);
      started.push(this.#follow(of));
    }
    await Promise.all(started);
    if (this.#synced) return;
    this.#synced = true;
  }

  #follow(of: DeletableResource): Promise<void> {
    const { signal } = this.#config;
    const handlers = {
      onChange: (object: KubeObject) => {
        const node = this.#graph.put(of, object);
        if (node.owners.length > 0 || node.deleting) this.#queue.add(node.uid);
      },
      onDelete: (object: KubeObject) => {
        const uid = object.metadata?.uid ?? "";
        const node = this.#graph.get(uid);
        this.#graph.remove(uid);
        this.#rememberAbsent(uid);
        for (const dependent of this.#graph.dependentsOf(uid)) this.#queue.add(dependent.uid);
        for (const owner of node?.owners ?? []) this.#queue.add(owner.uid ?? "");
      },
    };
    const options = { metadataOnly: true, signal };
    return new Informer<KubeObject>(this.#client, collectionPath(of), handlers, options).synced;
  }

  #rememberAbsent(uid: string): void {
    if (this.#absent.size > 100_000) this.#absent.clear();
    this.#absent.add(uid);
  }

  async #work(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (node === undefined) return;
    if (!this.#synced) {
      this.#queue.addAfter(uid, 100);
      return;
    }
    try {
      if (node.deleting && node.finalizers.includes(ORPHAN)) await this.#orphan(node);
      else if (node.deleting && node.finalizers.includes(FOREGROUND)) await this.#foreground(node);
      else if (!node.deleting || node.owners.length > 0) await this.#checkOwners(node);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
      if (isConflict(error)) this.#queue.addAfter(uid, 50);
    }
  }

  /** Deletes the object when none of its owners is left; drops references to those that are gone. */
  async #checkOwners(node: GraphNode): Promise<void> {
    if (node.owners.length === 0) return;
    const states = await Promise.all(node.owners.map((owner) => this.#stateOf(node, owner)));
    const solid = node.owners.filter((_, index) => states[index] === "solid");
    const waiting = node.owners.filter((_, index) => states[index] === "waiting");
    const gone = node.owners.filter((_, index) => states[index] === "gone");
    if (solid.length > 0) {
      const drop = [...gone, ...waiting];
      if (drop.length > 0) await this.#dropOwners(node, drop);
      return;
    }
    if (node.deleting) return;
    const hasDependents = this.#graph.dependentsOf(node.uid).length > 0;
    const foreground = waiting.length > 0 && hasDependents;
    await this.#delete(node, foreground ? "Foreground" : policyOf(node));
  }

  /** waiting: the owner is being deleted in the foreground and waits for this object to go. */
  async #stateOf(node: GraphNode, owner: OwnerReference): Promise<"solid" | "waiting" | "gone"> {
    const uid = owner.uid ?? "";
    const known = this.#graph.get(uid);
    if (known !== undefined) {
      const isWaiting = known.deleting && known.finalizers.includes(FOREGROUND);
      return isWaiting ? "waiting" : "solid";
    }
    if (this.#absent.has(uid)) return "gone";
    const path = this.#pathOf(node, owner);
    if (path === undefined) return "solid"; // a kind this server does not serve: not ours to judge
    const found = await this.#client.find<KubeObject>(path);
    if (found?.metadata?.uid === uid) return "solid";
    this.#rememberAbsent(uid);
    return "gone";
  }

  #pathOf(node: GraphNode, { apiVersion = "", kind, name }: OwnerReference): string | undefined {
    const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
    for (const of of this.#resources.values()) {
      if (of.group !== group || of.kind !== kind) continue;
      return `${collectionPath(of, of.namespaced ? node.namespace : "")}/${name ?? ""}`;
    }
    return undefined;
  }

  async #dropOwners(node: GraphNode, drop: readonly OwnerReference[]): Promise<void> {
    const uids = new Set(drop.map(({ uid }) => uid));
    await this.#changeMetadata(node, (metadata) => {
      const kept = (metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));
      return { ownerReferences: kept.length > 0 ? kept : null };
    });
  }

  async #orphan(node: GraphNode): Promise<void> {
    for (const dependent of this.#graph.dependentsOf(node.uid)) {
      await this.#dropOwners(dependent, [{ uid: node.uid }]).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    await this.#dropFinalizer(node, ORPHAN);
  }

  async #foreground(node: GraphNode): Promise<void> {
    const dependents = this.#graph.dependentsOf(node.uid);
    const blocking = dependents.filter(({ owners }) =>
      owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion),
    );
    if (blocking.length === 0) {
      await this.#dropFinalizer(node, FOREGROUND);
      return;
    }
    for (const dependent of dependents) if (!dependent.deleting) this.#queue.add(dependent.uid);
  }

  async #dropFinalizer(node: GraphNode, finalizer: string): Promise<void> {
    await this.#changeMetadata(node, (metadata) => {
      const kept = (metadata.finalizers ?? []).filter((one) => one !== finalizer);
      return { finalizers: kept.length > 0 ? kept : null };
    });
  }

  /** A merge patch of the live object's metadata, good only for the version it was made of. */
  async #changeMetadata(
    node: GraphNode,
    change: (metadata: NonNullable<KubeObject["metadata"]>) => Record<string, unknown>,
  ): Promise<void> {
    const path = `${collectionPath(node.of, node.namespace)}/${node.name}`;
    const live = await this.#client.find<KubeObject>(path);
    if (live?.metadata === undefined || live.metadata.uid !== node.uid) return;
    const { uid, resourceVersion } = live.metadata;
    await this.#client.patch(path, {
      metadata: { uid, resourceVersion, ...change(live.metadata) },
    });
  }

  async #delete(node: GraphNode, propagationPolicy: string): Promise<void> {
    const path = `${collectionPath(node.of, node.namespace)}/${node.name}`;
    await this.#client.delete(path, { preconditions: { uid: node.uid }, propagationPolicy });
  }
}

/** A finalizer that is there already says how the object wants to go. */
function policyOf({ finalizers }: GraphNode): string {
  if (finalizers.includes(ORPHAN)) return "Orphan";
  return finalizers.includes(FOREGROUND) ? "Foreground" : "Background";
}

/**
 * Which objects each node's pods lead to. Upstream keeps a general graph; its paths have two shapes
 * only, so two indexes do: object ← pod ← node, and secret ← volume ← claim ← pod ← node.
 * Upstream: plugin/pkg/auth/authorizer/node/graph.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { PodDigest } from "./pod-digest.ts";
import { type NodeVolume, type VertexType, vertexKey, volumeSecretsOf } from "./references.ts";

interface VolumeEntry {
  /** Key of the claim. */
  readonly claim: string;
  readonly secrets: readonly string[];
}
interface OnNode extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
}

export class NodeGraph {
  readonly #pods = new Map<string, PodDigest>();
  /** By node: how many of its pods lead to each object. */
  readonly #reachable = new Map<string, Map<string, number>>();
  readonly #volumes = new Map<string, VolumeEntry>();
  readonly #volumesOfSecret = new Map<string, Set<string>>();
  readonly #attachments = new Map<string, string>();
  readonly #slices = new Map<string, string>();

  setPod(pod: PodDigest): void {
    const key = podKey(pod);
    if (this.#pods.get(key) === pod) return;
    this.removePod(pod);
    if (pod.node === "") return;
    this.#pods.set(key, pod);
    let counts = this.#reachable.get(pod.node);
    if (counts === undefined) {
      counts = new Map();
      this.#reachable.set(pod.node, counts);
    }
    for (const one of pod.references) counts.set(one, (counts.get(one) ?? 0) + 1);
  }

  removePod(pod: KubeObject): void {
    const key = podKey(pod);
    const old = this.#pods.get(key);
    if (old === undefined) return;
    this.#pods.delete(key);
    const counts = this.#reachable.get(old.node);
    if (counts === undefined) return;
    for (const one of old.references) {
      const left = (counts.get(one) ?? 0) - 1;
      if (left > 0) counts.set(one, left);
      else counts.delete(one);
    }
    if (counts.size === 0) this.#reachable.delete(old.node);
  }

  setVolume(volume: NodeVolume): void {
    this.removeVolume(volume);
    const claim = volume.spec?.claimRef;
    if (!claim?.name) return;
    const name = volume.metadata?.name ?? "";
    const secrets = volumeSecretsOf(volume);
    const key = vertexKey("persistentvolumeclaim", claim.namespace ?? "", claim.name);
    this.#volumes.set(name, { claim: key, secrets });
    for (const secret of secrets) {
      const volumes = this.#volumesOfSecret.get(secret) ?? new Set();
      volumes.add(name);
      this.#volumesOfSecret.set(secret, volumes);
    }
  }

  removeVolume({ metadata }: NodeVolume): void {
    const name = metadata?.name ?? "";
    for (const secret of this.#volumes.get(name)?.secrets ?? []) {
      const volumes = this.#volumesOfSecret.get(secret);
      volumes?.delete(name);
      if (volumes?.size === 0) this.#volumesOfSecret.delete(secret);
    }
    this.#volumes.delete(name);
  }

  setAttachment({ metadata, spec }: OnNode): void {
    this.#attachments.set(metadata?.name ?? "", spec?.nodeName ?? "");
  }
  removeAttachment({ metadata }: KubeObject): void {
    this.#attachments.delete(metadata?.name ?? "");
  }
  setSlice({ metadata, spec }: OnNode): void {
    this.#slices.set(metadata?.name ?? "", spec?.nodeName ?? "");
  }
  removeSlice({ metadata }: KubeObject): void {
    this.#slices.delete(metadata?.name ?? "");
  }

  /** Whether a pod on `node` leads to this object. */
  reaches(node: string, type: VertexType, namespace: string, name: string): boolean {
    const counts = this.#reachable.get(node);
    if (counts === undefined) return false;
    const key = vertexKey(type, namespace, name);
    if (counts.has(key)) return true;
    if (type !== "secret") return false;
    for (const volume of this.#volumesOfSecret.get(key) ?? []) {
      if (counts.has(this.#volumes.get(volume)?.claim ?? "")) return true;
    }
    return false;
  }

  reachesVolume(node: string, name: string): boolean {
    const claim = this.#volumes.get(name)?.claim;
    return claim !== undefined && this.#reachable.get(node)?.has(claim) === true;
  }
  hasAttachment(node: string, name: string): boolean {
    return node !== "" && this.#attachments.get(name) === node;
  }
  hasSlice(node: string, name: string): boolean {
    return node !== "" && this.#slices.get(name) === node;
  }
}

function podKey({ metadata = {} }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}

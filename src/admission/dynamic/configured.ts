/**
 * Objects that configure admission, compiled once for each change of them.
 * Upstream: apiserver/pkg/admission/configuration.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { GroupResource } from "../../apimachinery/runtime/gvk.ts";
import type { Listers } from "../plugin.ts";

export function registration(resource: string): GroupResource {
  return { group: "admissionregistration.k8s.io", resource };
}

/** A list compiled from all objects of some resources. */
export class Configured<T extends readonly unknown[]> {
  readonly #listers: Listers;
  readonly #resources: readonly GroupResource[];
  readonly #compile: (lists: readonly (readonly KubeObject[])[]) => T;
  /** Counts changes; `#seen` is the change that `#compiled` knows of. */
  #changes = 0;
  #seen = -1;
  #compiled: T | undefined;
  #loading: Promise<T> | undefined;

  /** `compile` gets the objects of each resource, sorted by name. */
  constructor(
    listers: Listers,
    resources: readonly GroupResource[],
    compile: (lists: readonly (readonly KubeObject[])[]) => T,
  ) {
    this.#listers = listers;
    this.#resources = resources;
    this.#compile = compile;
    for (const resource of resources) listers.onChange(resource, () => void this.#changes++);
  }

  /** Known to hold nothing, as in most clusters: then a request costs this one look. */
  get isEmpty(): boolean {
    return this.#seen === this.#changes && this.#compiled?.length === 0;
  }

  /** What is there now: at once, unless something changed since the last call. */
  current(): T | Promise<T> {
    if (this.#compiled !== undefined && this.#seen === this.#changes) return this.#compiled;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<T> {
    for (;;) {
      const seen = this.#changes;
      const lists = await Promise.all(this.#resources.map((one) => this.#listers.list(one, "")));
      if (seen !== this.#changes) continue;
      const compiled = this.#compile(lists.map((list) => list.toSorted(byName)));
      this.#compiled = compiled;
      this.#seen = seen;
      return compiled;
    }
  }
}

function byName(left: KubeObject, right: KubeObject): number {
  const [a = "", b = ""] = [left.metadata?.name, right.metadata?.name];
  return a < b ? -1 : Number(a > b);
}

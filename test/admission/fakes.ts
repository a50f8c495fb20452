/** What plugins need of a server, held in memory: for tests of one plugin at a time. */
import type {
  AdmissionPlugin,
  Attributes,
  DeepReadonly,
  Listers,
  ObjectWriter,
} from "../../src/admission/plugin.ts";
import {
  type StatusError,
  StatusError as StatusErrorClass,
} from "../../src/apimachinery/api/errors.ts";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import type { GroupResource } from "../../src/apimachinery/runtime/gvk.ts";

/** An object with whatever its kind has. */
export type AnyObject = KubeObject & Readonly<Record<string, unknown>>;

/** A store of objects by resource; writes bump resourceVersion. */
export class FakeCluster implements Listers, ObjectWriter {
  readonly objects = new Map<string, KubeObject[]>();
  readonly created: string[] = [];
  #revision = 100;
  /** Called before every replace, to let another writer be faster. */
  beforeReplace: (() => void | Promise<void>) | undefined;

  #of({ group, resource }: GroupResource): KubeObject[] {
    const key = `${group}/${resource}`;
    const own = this.objects.get(key) ?? [];
    this.objects.set(key, own);
    return own;
  }
  add(of: GroupResource | string, object: AnyObject): KubeObject {
    const resource = typeof of === "string" ? { group: "", resource: of } : of;
    const stored: KubeObject = structuredClone(object);
    stored.metadata = { ...stored.metadata, resourceVersion: String(++this.#revision) };
    this.#of(resource).push(stored);
    return stored;
  }
  #find(of: GroupResource, namespace: string, name: string): KubeObject | undefined {
    return this.#of(of).find(
      ({ metadata }) => metadata?.name === name && (metadata.namespace ?? "") === namespace,
    );
  }
  async get<T extends KubeObject>(of: GroupResource, namespace: string, name: string) {
    return structuredClone(this.#find(of, namespace, name)) as T | undefined;
  }
  getFresh<T extends KubeObject>(of: GroupResource, namespace: string, name: string) {
    return this.get<T>(of, namespace, name);
  }
  async list<T extends KubeObject>(of: GroupResource, namespace: string) {
    const all = this.#of(of).filter(
      ({ metadata }) => namespace === "" || metadata?.namespace === namespace,
    );
    return structuredClone(all) as unknown as readonly T[];
  }
  onChange(): void {}
  async replace<T extends KubeObject>(of: GroupResource, object: T): Promise<T | undefined> {
    await this.beforeReplace?.();
    const { name = "", namespace = "", resourceVersion } = object.metadata ?? {};
    const stored = this.#find(of, namespace, name);
    if (stored === undefined || stored.metadata?.resourceVersion !== resourceVersion) {
      return undefined;
    }
    this.touch(stored, object);
    return structuredClone(stored) as T;
  }
  /** A write by somebody else. */
  touch(stored: KubeObject, next: KubeObject): void {
    const metadata = { ...next.metadata, resourceVersion: String(++this.#revision) };
    Object.assign(stored, structuredClone(next), { metadata });
  }
  async createNamespace(name: string): Promise<void> {
    this.created.push(name);
    this.add("namespaces", { metadata: { name } });
  }
}

export interface Outcome {
  readonly object: KubeObject;
  readonly warnings: string[];
  readonly annotations: Record<string, string>;
  /** "" when admitted. */
  readonly message: string;
  readonly error: StatusError | undefined;
}

export type Given = Partial<Attributes> & { readonly group?: string; readonly plural?: string };

const kinds: Record<string, string> = { pods: "Pod", nodes: "Node", namespaces: "Namespace" };

/** Attributes of a request: by default a CREATE of a pod in namespace `ns` by `user`. */
export function attributesFor(
  given: Given,
): Attributes & Pick<Outcome, "warnings" | "annotations"> {
  const { group = "", plural = "pods" } = given;
  const object = given.object ?? {};
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  return {
    operation: "CREATE",
    kind: { group, version: "v1", kind: kinds[plural] ?? plural },
    resource: { group, version: "v1", resource: plural },
    subresource: "",
    namespace: object.metadata?.namespace ?? "ns",
    name: object.metadata?.name ?? "",
    oldObject: undefined,
    options: {},
    dryRun: false,
    user: { name: "user", uid: "", groups: [], extra: {} },
    ...given,
    object,
    warnings,
    annotations,
    addWarning: (text) => void warnings.push(text),
    addAnnotation: (key, value) => {
      annotations[key] = value;
    },
  };
}

/** Runs both phases of one plugin. Errors other than refusals are thrown. */
export async function run(plugin: AdmissionPlugin<never>, given: Given): Promise<Outcome> {
  const attributes = attributesFor(given);
  const { object, warnings, annotations } = attributes;
  const erased = plugin as unknown as AdmissionPlugin;
  const readonly = attributes as DeepReadonly<Attributes>;
  try {
    if (erased.handles(readonly)) await erased.admit?.(attributes);
    if (erased.handles(readonly)) await erased.validate?.(readonly);
    return { object, warnings, annotations, message: "", error: undefined };
  } catch (error) {
    if (!(error instanceof StatusErrorClass)) throw error;
    return { object, warnings, annotations, message: error.message, error };
  }
}

/** A pod of containers with these resources. */
export function podOf(
  containers: readonly Record<string, unknown>[],
  spec: Record<string, unknown> = {},
): AnyObject {
  const named = containers.map((one, i) => ({ name: `c${i + 1}`, image: "x", ...one }));
  return { metadata: { name: "p", namespace: "ns" }, spec: { containers: named, ...spec } };
}

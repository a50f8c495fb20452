/**
 * An APIService object for every group version that is served, built in or by a definition. They come back when they
 * are deleted, and edits of what they say are undone; one whose label is taken off is left alone.
 * Upstream: kube-aggregator/pkg/controllers/autoregister, pkg/controlplane/apiserver/aggregator.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, isConflict, isNotFound } from "../api-client.ts";
import { coalesced } from "../coalesced.ts";
import { Informer } from "../informer.ts";

const COLLECTION = "/apis/apiregistration.k8s.io/v1/apiservices";
const AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged";
/** The label's value: made when the server starts, or kept while its definition is there. */
const ONSTART = "onstart";
const WHILE_WANTED = "true";
/** Upstream: pkg/controlplane/controller/crdregistration. */
const CUSTOM_GROUP_PRIORITY = 1000;
const CUSTOM_VERSION_PRIORITY = 100;

interface ApiServiceSpec {
  readonly group?: string;
  readonly version?: string;
  readonly groupPriorityMinimum?: number;
  readonly versionPriority?: number;
  readonly service?: unknown;
}
interface ApiService extends KubeObject {
  spec?: ApiServiceSpec;
}

/** A group with its versions, as src/apis has them. */
export interface PrioritizedGroup {
  readonly group: string;
  readonly priority: number;
  readonly versions: readonly { readonly version: string; readonly priority: number }[];
}

/** The group versions of custom resources, which come and go. */
export interface CustomGroupVersions {
  groupVersions(): Iterable<{ readonly group: string; readonly version: string }>;
  onChange(listener: () => void): void;
}

export interface KeepApiServicesOptions {
  readonly custom?: CustomGroupVersions;
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
}

/** Creates what is missing, then follows the collection until `signal` aborts. */
export async function keepApiServices(
  client: ApiClient,
  groups: readonly PrioritizedGroup[],
  { signal, onError, custom }: KeepApiServicesOptions,
): Promise<void> {
  const builtIn = (await servedVersions(client, groups)).map((one) => apiServiceOf(one, ONSTART));
  const known = new Map<string, ApiService>();
  const nameOf = ({ metadata }: KubeObject) => metadata?.name ?? "";
  const reconcile = coalesced(
    async () => {
      const wanted = new Map(builtIn.map((object) => [nameOf(object), object]));
      for (const object of customServices(custom)) {
        if (!wanted.has(nameOf(object))) wanted.set(nameOf(object), object);
      }
      for (const [name, object] of wanted) await sync(client, object, known.get(name));
      for (const [name, object] of known) {
        const isOurs = object.metadata?.labels?.[AUTOMANAGED] === WHILE_WANTED;
        if (isOurs && !wanted.has(name)) await remove(client, object);
      }
    },
    { signal, onError: (error) => onError("APIService registration", error) },
  );
  const informer = new Informer<ApiService>(
    client,
    COLLECTION,
    {
      onChange(object) {
        known.set(nameOf(object), object);
        reconcile();
      },
      onDelete(object) {
        known.delete(nameOf(object));
        reconcile();
      },
    },
    { metadataOnly: false, signal },
  );
  await informer.synced;
  custom?.onChange(reconcile);
  reconcile();
}

function customServices(custom: CustomGroupVersions | undefined): ApiService[] {
  const priorities = {
    groupPriority: CUSTOM_GROUP_PRIORITY,
    versionPriority: CUSTOM_VERSION_PRIORITY,
  };
  return [...(custom?.groupVersions() ?? [])].map(({ group, version }) =>
    apiServiceOf({ group, version, ...priorities }, WHILE_WANTED),
  );
}

async function remove(client: ApiClient, { metadata }: ApiService): Promise<void> {
  try {
    const preconditions = { uid: metadata?.uid };
    await client.delete(`${COLLECTION}/${metadata?.name ?? ""}`, { preconditions });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

async function sync(
  client: ApiClient,
  wanted: ApiService,
  found: ApiService | undefined,
): Promise<void> {
  try {
    if (found === undefined) {
      await client.create(COLLECTION, wanted);
      return;
    }
    if (found.metadata?.labels?.[AUTOMANAGED] === undefined) return;
    if (sameSpec(found.spec ?? {}, wanted.spec ?? {})) return;
    const changed = { ...found, spec: wanted.spec } as KubeObject;
    await client.update(`${COLLECTION}/${found.metadata.name}`, changed);
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error; // its event comes
  }
}

function sameSpec(a: ApiServiceSpec, b: ApiServiceSpec): boolean {
  const keys = ["group", "version", "groupPriorityMinimum", "versionPriority"] as const;
  return a.service === undefined && keys.every((key) => (a[key] ?? "") === (b[key] ?? ""));
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
}

/** The built-in group versions among what discovery says is served. */
async function servedVersions(
  client: ApiClient,
  groups: readonly PrioritizedGroup[],
): Promise<GroupVersion[]> {
  const list = (await client.raw("/apis")) as {
    groups?: readonly { versions?: readonly { groupVersion?: string }[] }[];
  };
  const served = new Set(["/v1"]);
  for (const { versions } of list.groups ?? []) {
    for (const { groupVersion } of versions ?? []) served.add(groupVersion ?? "");
  }
  return groups.flatMap(({ group, priority, versions }) =>
    versions
      .filter(({ version }) => served.has(`${group}/${version}`))
      .map((one) => ({
        group,
        version: one.version,
        groupPriority: priority,
        versionPriority: one.priority,
      })),
  );
}

function apiServiceOf(
  { group, version, groupPriority, versionPriority }: GroupVersion,
  automanaged: string,
) {
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}`, labels: { [AUTOMANAGED]: automanaged } },
    spec: {
      ...(group === "" ? {} : { group }),
      version,
      groupPriorityMinimum: groupPriority,
      versionPriority,
    },
  } as ApiService;
}

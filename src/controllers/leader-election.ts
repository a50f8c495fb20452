/**
 * One of several processes does the work: whoever holds the Lease. The lease is upstream's own, so
 * that a kube-controller-manager and this server never work at the same time.
 * Upstream: client-go/tools/leaderelection.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { type ApiClient, isConflict } from "./api-client.ts";

const LEASE_SECONDS = 15;
const RETRY_MS = 2_000;

interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}
export interface ElectionConfig {
  /** `kube-controller-manager`. */
  readonly leaseName: string;
  readonly identity: string;
  readonly signal: AbortSignal;
  /** Called each time this process becomes the leader; its signal aborts when it is no longer. */
  readonly lead: (signal: AbortSignal) => void;
  readonly onError: (what: string, error: unknown) => void;
}

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

export async function runElection(client: ApiClient, config: ElectionConfig): Promise<void> {
  let leading: AbortController | undefined;
  let observed = { renewTime: "", at: 0 };
  let renewedAt = 0;
  while (!config.signal.aborted) {
    let holds = false;
    try {
      const result = await tryHold(client, config, observed);
      observed = result.observed;
      holds = result.holds;
      if (holds) renewedAt = Date.now();
    } catch (error) {
      if (!isConflict(error)) config.onError(`lease ${config.leaseName}`, error);
      holds = leading !== undefined && Date.now() - renewedAt < LEASE_SECONDS * 1000 * (2 / 3);
    }
    if (holds && leading === undefined) {
      leading = new AbortController();
      config.lead(leading.signal);
    } else if (!holds && leading !== undefined) {
      leading.abort();
      leading = undefined;
    }
    await pause(RETRY_MS, config.signal);
  }
  leading?.abort();
  if (leading !== undefined) await release(client, config);
}

interface Observed {
  readonly renewTime: string;
  /** When this process first saw that renewTime: clocks of others do not matter. */
  readonly at: number;
}

async function tryHold(
  client: ApiClient,
  { leaseName, identity }: ElectionConfig,
  observed: Observed,
): Promise<{ holds: boolean; observed: Observed }> {
  const path = `${LEASES}/${leaseName}`;
  const current = await client.find<Lease>(path);
  const now = microTime(new Date());
  const base = { leaseDurationSeconds: LEASE_SECONDS, renewTime: now };
  if (current === undefined) {
    await client.create(LEASES, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: leaseName, namespace: "kube-system" },
      spec: { ...base, holderIdentity: identity, acquireTime: now, leaseTransitions: 0 },
    } as KubeObject);
    return { holds: true, observed };
  }
  const { spec } = current;
  const renewTime = spec?.renewTime ?? "";
  const seen = renewTime === observed.renewTime ? observed : { renewTime, at: Date.now() };
  const holder = spec?.holderIdentity ?? "";
  const mine = holder === identity;
  const durationMs = (spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
  if (!mine && holder !== "" && Date.now() - seen.at < durationMs) {
    return { holds: false, observed: seen };
  }
  const transitions = (spec?.leaseTransitions ?? 0) + (mine ? 0 : 1);
  const acquireTime = mine ? (spec?.acquireTime ?? now) : now;
  await client.update(path, {
    ...current,
    spec: {
      ...spec,
      ...base,
      holderIdentity: identity,
      acquireTime,
      leaseTransitions: transitions,
    },
  } as KubeObject);
  return { holds: true, observed: seen };
}

/** Lets the next one start at once. */
async function release(client: ApiClient, { leaseName, identity }: ElectionConfig): Promise<void> {
  const path = `${LEASES}/${leaseName}`;
  try {
    const current = await client.find<Lease>(path);
    if (current?.spec?.holderIdentity !== identity) return;
    const spec = { ...current.spec, holderIdentity: "", leaseDurationSeconds: 1 };
    await client.update(path, { ...current, spec } as KubeObject);
  } catch {
    // The lease runs out by itself.
  }
}

/** metav1.MicroTime. */
export function microTime(date: Date): string {
  return `${date.toISOString().slice(0, 23)}000Z`;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    function done() {
      signal.removeEventListener("abort", done);
      clearTimeout(timer);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
  });
}

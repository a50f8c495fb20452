/**
 * A Lease that tells which servers there are. Upstream: controlplane/controller/leasegc and
 * component-helpers lease; the name is derived from the host's.
 */
import { createHash, randomUUID } from "node:crypto";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, isConflict, isNotFound } from "../api-client.ts";
import { microTime } from "../leader-election.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const LEASE_SECONDS = 3600;
const NAME_LENGTH = 26;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const holder = randomUUID();

interface Lease extends KubeObject {
  spec?: { holderIdentity?: string; renewTime?: string; leaseDurationSeconds?: number };
}

/** `apiserver-` and 26 characters of the host's hash. */
export function identityLeaseName(host: string): string {
  const digest = createHash("sha256").update(host).update("kube-apiserver").digest();
  let bits = 0;
  let value = 0;
  let text = "";
  for (const byte of digest) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += BASE32[(value >>> (bits - 5)) & 31];
      bits -= 5;
      value &= (1 << bits) - 1;
    }
  }
  return `apiserver-${text.slice(0, NAME_LENGTH)}`;
}

export async function ensureIdentityLease(
  client: ApiClient,
  host: string,
  now: Date,
): Promise<void> {
  const name = identityLeaseName(host);
  const spec = {
    holderIdentity: `${name}_${holder}`,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: microTime(now),
  };
  const current = await client.find<Lease>(`${LEASES}/${name}`);
  try {
    if (current !== undefined) {
      const renewed = { ...current, spec: { ...current.spec, ...spec } };
      await client.update(`${LEASES}/${name}`, renewed);
      return;
    }
    const labels = {
      "apiserver.kubernetes.io/identity": "kube-apiserver",
      "kubernetes.io/hostname": host,
    };
    await client.create(LEASES, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: "kube-system", labels },
      spec,
    } as KubeObject);
  } catch (error) {
    if (!isConflict(error)) throw error; // another writer; the next round comes soon
  }
}

/**
 * Deletes the leases of servers that are gone. Upstream: controlplane/controller/leasegc, hourly.
 */
export async function collectIdentityLeases(client: ApiClient, now: Date): Promise<void> {
  const selector = encodeURIComponent("apiserver.kubernetes.io/identity=kube-apiserver");
  const { items } = await client.list<Lease>(`${LEASES}?labelSelector=${selector}`);
  for (const { metadata, spec } of items ?? []) {
    const { renewTime, leaseDurationSeconds } = spec ?? {};
    const isExpired =
      renewTime === undefined ||
      leaseDurationSeconds === undefined ||
      Date.parse(renewTime) + leaseDurationSeconds * 1000 < now.getTime();
    if (!isExpired) continue;
    const { uid, resourceVersion, name = "" } = metadata ?? {};
    const preconditions = { uid, resourceVersion };
    try {
      await client.delete(`${LEASES}/${name}`, { preconditions });
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error; // its server is back, or it is gone
    }
  }
}

/**
 * The ServiceCIDR `kubernetes`: what the flags say, as an object that everybody can read.
 * Upstream: pkg/controlplane/controller/defaultservicecidr.
 */
import { randomUUID } from "node:crypto";
import type { ServiceCIDR } from "../../../apis/networking/v1/types.ts";
import { structOf } from "../../../apis/schemas.ts";
import { isStorageError } from "../../../storage/errors.ts";
import type { Storage } from "../../../storage/interfaces.ts";
import { decodeStored, encodeForStorage } from "../../generic/object-codec.ts";
import { secondsOf } from "../../generic/store.ts";
import type { Kube } from "../../strategy-parts.ts";

export const DEFAULT_SERVICE_CIDR = "kubernetes";
type CIDR = Kube<ServiceCIDR>;

const schema = () => structOf("k8s.io/api/networking/v1.ServiceCIDR");

function readyCondition(now: Date) {
  return {
    type: "Ready",
    status: "True",
    lastTransitionTime: secondsOf(now),
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
  };
}

/**
 * Creates the object when it is missing, adds a second family that the flags gained, and sets its
 * Ready condition. Returns why it does not match the flags, when it does not: undefined is well.
 */
export async function ensureDefaultServiceCIDR(
  cidrs: Storage,
  ranges: readonly string[],
  now: Date,
): Promise<string | undefined> {
  const object: CIDR = {
    kind: "ServiceCIDR",
    apiVersion: "networking.k8s.io/v1",
    metadata: {
      name: DEFAULT_SERVICE_CIDR,
      uid: randomUUID(),
      creationTimestamp: secondsOf(now),
    },
    spec: { cidrs: [...ranges] },
    status: { conditions: [readyCondition(now)] },
  };
  try {
    await cidrs.create(DEFAULT_SERVICE_CIDR, encodeForStorage(object, schema()));
    return undefined;
  } catch (error) {
    if (!isStorageError(error, "KeyExists")) throw error;
  }
  let mismatch: string | undefined;
  await cidrs.guaranteedUpdate(DEFAULT_SERVICE_CIDR, {}, (stored) => {
    const current = stored === undefined ? object : decodeStored<CIDR>(stored, schema());
    mismatch = bringUpToDate(current, ranges, now);
    return { json: encodeForStorage(current, schema()) };
  });
  return mismatch;
}

function bringUpToDate(current: CIDR, ranges: readonly string[], now: Date): string | undefined {
  const existing = current.spec?.cidrs ?? [];
  const isUpgrade = existing.length === 1 && ranges.length === 2 && existing[0] === ranges[0];
  if (isUpgrade) current.spec = { cidrs: [...ranges] };
  const matches = isUpgrade || existing.join() === ranges.join();
  current.status ??= {};
  const conditions = current.status.conditions ?? [];
  if (matches && !conditions.some(({ type }) => type === "Ready")) {
    current.status.conditions = [...conditions, readyCondition(now)];
  }
  if (matches) return undefined;
  return `inconsistent ServiceCIDR status, global configuration: ${ranges.join()} local configuration: ${existing.join()}`;
}

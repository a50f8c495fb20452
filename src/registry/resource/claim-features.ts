/**
 * Fields of claims behind feature gates: dropped unless the gate is on or the stored object has
 * them. Upstream: pkg/registry/resource/resourceclaim/strategy.go, dropDisabledFields.
 */
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceSubRequest,
  ResourceClaimSpec,
} from "../../apis/resource/v1/types.ts";

type Gate = (name: string) => boolean;
type Request = Omit<DeviceSubRequest, "name"> & { adminAccess?: boolean | undefined };

function requestsOf(claim: DeviceClaim | undefined): Request[] {
  return (claim?.requests ?? []).flatMap(({ exactly, firstAvailable = [] }) =>
    exactly === undefined ? firstAvailable : [exactly, ...firstAvailable],
  );
}

/** Drops what the gates do not allow; `old` is the stored spec, if any. */
export function dropDisabledClaimFields(
  gate: Gate,
  spec: ResourceClaimSpec | undefined,
  old: ResourceClaimSpec | undefined,
): void {
  const claim = spec?.devices;
  if (claim === undefined) return;
  const stored = requestsOf(old?.devices);
  const drop = (name: keyof Request, feature: string) => {
    if (gate(feature) || stored.some((request) => request[name] !== undefined)) return;
    for (const request of requestsOf(claim)) delete request[name];
  };
  drop("adminAccess", "DRAAdminAccess");
  drop("tolerations", "DRADeviceTaints");
  drop("capacity", "DRAConsumableCapacity");
  const storedList = (old?.devices?.requests ?? []).some(({ firstAvailable }) => firstAvailable);
  if (!gate("DRAPrioritizedList") && !storedList) {
    for (const request of claim.requests ?? []) delete request.firstAvailable;
  }
  const isDistinct = ({ distinctAttribute }: DeviceConstraint) => distinctAttribute !== undefined;
  if (gate("DRAConsumableCapacity") || (old?.devices?.constraints ?? []).some(isDistinct)) return;
  for (const constraint of claim.constraints ?? []) delete constraint.distinctAttribute;
}
